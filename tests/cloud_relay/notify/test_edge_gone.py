from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

from cloud_relay.notify.edge_gone import GONE_AFTER, EdgeWatch, gone_notices
from cloud_relay.notify.outages import Outage
from cloud_relay.notify.planner import Told
from laundryd.daemon.sqlite import transaction
from laundryd.wire.delivery import DeliveryState
from laundryd.wire.ids import RoomRef
from laundryd.wire.phases import Phase
from laundryd.wire.times import to_rfc3339
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import UpEvents
from tests.cloud_relay.world import (
    ME,
    OTHER,
    ROOM,
    START,
    HandClock,
    Postman,
    Session,
    Subscribers,
    World,
    ack_entry,
    entry,
    machine,
    presence,
    relay,
    snapshot,
)


def watching(world: World) -> EdgeWatch:
    return EdgeWatch(world.db, world.clock, rooms=world.rooms, planner=world.planner)


async def look_for(world: World, watch: EdgeWatch, minutes: int) -> None:
    for _ in range(4 * minutes):
        world.clock.forward(15)
        await watch.look()
        await world.push_due()


async def begin(world: World) -> EdgeWatch:
    """Let a resident's wash run in a room that is heard, and another's load be done."""
    await world.begin()
    running = machine("w1", Phase.IN_USE, started_at=START, has_owner=True)
    done = machine("w2", Phase.FINISHED, started_at=START, ended_at=START, has_owner=True)
    await world.events(entry(1, view=running, owner=ME), entry(2, view=done, owner=OTHER), entry(3))
    await world.events(entry(4, view=running, owner=ME))
    world.subscribers.add(ME, "mine")
    world.subscribers.add(OTHER, "others")
    return watching(world)


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
        watch = watching(world)
        await watch.look()
        await world.push_due()
        assert postman.sent == []
        world.clock.forward(GONE_AFTER.total_seconds())
        await watch.look()
        await world.push_due()
        assert [who for _, who in postman.sent] == ["mine"]


async def test_a_second_outage_is_told_though_nothing_happened_in_between() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        watch = await begin(world)
        for told in (1, 2):
            await world.hear(Topic.AVAILABILITY, b"offline")
            await look_for(world, watch, 20)
            assert len(postman.sent) == told
            await world.hear(Topic.AVAILABILITY, b"online")
            await look_for(world, watch, 1)
        assert len({notice_id for notice_id, _ in postman.sent}) == 2, "two causes, two ids"


async def test_a_room_that_was_heard_for_a_moment_between_two_looks_begins_a_new_outage() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        watch = await begin(world)
        await world.hear(Topic.AVAILABILITY, b"offline")
        await look_for(world, watch, 9)
        await world.hear(Topic.AVAILABILITY, b"online")
        await world.hear(Topic.AVAILABILITY, b"offline")
        await look_for(world, watch, 9)
        assert postman.sent == []
        await look_for(world, watch, 2)
        assert len(postman.sent) == 1


async def test_a_restart_of_the_relay_tells_an_outage_neither_twice_nor_never(
    tmp_path: Path,
) -> None:
    path, postman, clock = tmp_path / "relay.db", Postman(), HandClock()
    people = Subscribers()
    async with relay(path, clock=clock, sender=postman, subscribers=people) as world:
        watch = await begin(world)
        await world.hear(Topic.AVAILABILITY, b"offline")
        await look_for(world, watch, 8)
    for lived_min in (3, 1, 12, 12):
        # It was gone before: no ten minutes more, but the time to say that it is back.
        async with relay(path, clock=clock, sender=postman, subscribers=people) as world:
            told = len(postman.sent)
            watch = watching(world)
            await look_for(world, watch, 2)
            assert len(postman.sent) == told, "nothing is said right after a start"
            await look_for(world, watch, lived_min - 2)
    assert len(postman.sent) == 1


async def test_an_outage_that_was_told_by_the_last_life_is_taken_back_by_this_one(
    tmp_path: Path,
) -> None:
    path, clock = tmp_path / "relay.db", HandClock()
    async with relay(path, clock=clock) as world:
        watch = await begin(world)
        world.subscribers.of.clear()
        await world.hear(Topic.AVAILABILITY, b"offline")
        await look_for(world, watch, 11)
        assert len(await world.planner.pending(ME)) == 1
    async with relay(path, clock=clock) as world:
        await world.hear(Topic.AVAILABILITY, b"online")
        await watching(world).look()
        assert await world.planner.pending(ME) == []


async def test_a_room_that_was_there_has_ten_minutes_from_the_start_of_the_relay(
    tmp_path: Path,
) -> None:
    path, postman, clock = tmp_path / "relay.db", Postman(), HandClock()
    async with relay(path, clock=clock) as world:
        await begin(world)
        people = world.subscribers
    clock.forward(3_600)
    async with relay(path, clock=clock, sender=postman, subscribers=people) as world:
        watch = watching(world)
        await look_for(world, watch, 9)
        assert postman.sent == []
        await look_for(world, watch, 2)
        assert [who for _, who in postman.sent] == ["mine"]


async def test_who_is_told_at_the_page_of_another_of_their_rooms_is_not_pushed() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        watch = await begin(world)
        attic = "maple-hall.attic"
        await world.rooms.enroll(attic, "Attic")
        async with transaction(world.db) as db:
            at = to_rfc3339(START)
            await db.execute(
                "INSERT INTO residents (resident, lang, created_at) VALUES (?, 'ko', ?)", (ME, at)
            )
            await db.execute("INSERT INTO memberships VALUES (?, ?, ?)", (ME, attic, at))
        await world.hear(Topic.UP_SNAPSHOT, snapshot(0, room=attic), RoomRef.from_key(attic))
        await world.hear(Topic.AVAILABILITY, b"offline")
        # They look at the page of the attic while the basement is gone.
        await world.hear(Topic.UP_PRESENCE, presence(1), RoomRef.from_key(attic))
        world.clock.forward(GONE_AFTER.total_seconds())
        await watch.look()
        world.clock.forward(GONE_AFTER.total_seconds())
        await watch.look()
        [gone] = await world.planner.pending(ME)
        shown = UpEvents(entries=[ack_entry(1, gone.id)], caught_up=True)
        await world.hear(Topic.UP_EVENTS, shown, RoomRef.from_key(attic))
        world.clock.forward(60)
        await world.push_due()
        assert postman.sent == []
        assert await world.state_of(gone.id) == DeliveryState.SHOWN


async def test_who_comes_to_a_room_is_told_nothing_that_is_taken_back_while_it_is_written() -> None:
    async with relay(None) as world:
        await begin(world)
        world.live.here[ME] = [Session()]
        state = world.rooms.state(ROOM)
        assert state is not None
        gone = gone_notices(state, Outage(START), START + 2 * GONE_AFTER)
        assert [one.resident for one in gone] == [ME]
        with contextlib.suppress(ConnectionAbortedError):
            async with transaction(world.db) as db:
                await world.planner.plan(db, gone, Told())
                coming = asyncio.create_task(world.planner.came_to_room([ME]))
                await asyncio.wait({coming}, timeout=0.2)
                raise ConnectionAbortedError
        await coming
        assert world.live.told == []
