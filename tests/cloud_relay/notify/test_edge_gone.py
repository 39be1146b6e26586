from __future__ import annotations

from datetime import timedelta

from cloud_relay.notify.edge_gone import GONE_AFTER, EdgeWatch
from laundryd.wire.phases import Phase
from laundryd.wire.topics import Topic
from tests.cloud_relay.world import (
    ME,
    OTHER,
    ROOM,
    START,
    Postman,
    World,
    entry,
    machine,
    relay,
)


async def begin(world: World) -> EdgeWatch:
    """Let a resident's wash run in a room that is heard, and another's load be done."""
    await world.begin()
    running = machine("w1", Phase.IN_USE, started_at=START, has_owner=True)
    done = machine("w2", Phase.FINISHED, started_at=START, ended_at=START, has_owner=True)
    await world.events(entry(1, view=running, owner=ME), entry(2, view=done, owner=OTHER), entry(3))
    await world.events(entry(4, view=running, owner=ME))
    world.subscribers.add(ME, "mine")
    world.subscribers.add(OTHER, "others")
    return EdgeWatch(world.db, world.clock, rooms=world.rooms, planner=world.planner)


async def test_the_owner_of_a_running_machine_is_told_once_after_ten_minutes() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        watch = await begin(world)
        await world.hear(Topic.AVAILABILITY, b"offline")
        world.clock.forward(GONE_AFTER.total_seconds() - 1)
        await watch.look()
        await world.push_due()
        assert postman.sent == []
        for _ in range(3):
            world.clock.forward(60)
            await watch.look()
            await world.push_due()
        assert [who for _, who in postman.sent] == ["mine"]
        [fate] = await world.planner.history_of(ME, 10)
        assert fate.card.kind == "edge_gone"
        assert fate.card.params == {"name": "W1"}
        assert await world.planner.history_of(OTHER, 10) == []


async def test_a_room_that_is_heard_again_is_not_said_to_be_gone() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        watch = await begin(world)
        world.subscribers.of.clear()
        await world.hear(Topic.AVAILABILITY, b"offline")
        world.clock.forward(700)
        await watch.look()
        [card] = await world.planner.pending(ME)
        await world.hear(Topic.AVAILABILITY, b"online")
        await watch.look()
        assert await world.planner.pending(ME) == []
        assert world.live.gone == [(ME, card.id, None)]


async def test_several_machines_are_one_notice() -> None:
    async with relay(None) as world:
        watch = await begin(world)
        other = machine("w2", Phase.IN_USE, started_at=START, has_owner=True)
        await world.events(entry(5, view=other, owner=ME))
        await world.hear(Topic.AVAILABILITY, b"offline")
        world.clock.forward(700)
        await watch.look()
        [card] = await world.planner.pending(ME)
        assert card.params == {"name": "W1, W2"}
        assert card.caused_at == world.rooms.edge(ROOM).since + timedelta(minutes=10)


async def test_a_relay_that_has_just_started_gives_a_room_ten_minutes_to_speak() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await begin(world)
        await world.hear(Topic.AVAILABILITY, b"offline")
        world.clock.forward(3_600)
        watch = EdgeWatch(world.db, world.clock, rooms=world.rooms, planner=world.planner)
        await watch.look()
        await world.push_due()
        assert postman.sent == []
        world.clock.forward(GONE_AFTER.total_seconds())
        await watch.look()
        await world.push_due()
        assert [who for _, who in postman.sent] == ["mine"]
