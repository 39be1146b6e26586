"""Who comes back after a push finds the notice in their page's list, and is not told it again."""

from __future__ import annotations

from datetime import timedelta

from laundryd.wire.events import AckKind, Entry
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Cause
from laundryd.wire.topics import Topic
from tests.cloud_relay.notify.test_edge_gone import begin
from tests.cloud_relay.world import ME, Postman, Session, World, entry, notice, relay

DONE = notice(1)


async def pushed(world: World) -> None:
    """Push a notice to somebody who is away."""
    await world.begin()
    world.subscribers.add(ME, "sub")
    await world.events(entry(1, notices=[DONE]))
    await world.push_due()
    assert await world.state_of(DONE.id) == "pushed"


async def listed(world: World) -> list[tuple[str, bool]]:
    """Return what a page that comes back gets, and whether it is marked as told."""
    return [(one.id, one.told) for one in await world.planner.pending(ME)]


def collected(offset: int) -> Entry:
    one = entry(offset)
    assert one.event is not None
    after = {"cause": Cause.COLLECTED, "at": one.event.at + timedelta(minutes=1)}
    return one.model_copy(update={"event": one.event.model_copy(update=after)})


async def test_what_a_push_told_is_in_the_list_until_a_page_has_shown_it() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await pushed(world)
        world.live.here[ME] = [Session()]
        for _ in range(2):  # one page that does not acknowledge, and the next
            assert await listed(world) == [(DONE.id, True)]
        world.clock.forward(60)
        await world.push_due()
        assert postman.sent == [(DONE.id, "sub")], "looking at it brings no second push"
        assert world.live.told == [], "and no page that is open is told"
        await world.planner.shown(ME, [DONE.id], AckKind.SHOWN, "s1")
        assert await listed(world) == []
        assert world.live.gone == [(ME, DONE.id, "s1")], "from the other pages' lists"
        assert world.planner.counts["told_twice"] == 0, "it was told by the push alone"


async def test_what_is_not_told_yet_is_news_beside_it() -> None:
    async with relay(None) as world:
        await pushed(world)
        world.live.here[ME] = [Session()]
        later = notice(2)
        await world.events(entry(2, notices=[later]))
        assert sorted(await listed(world)) == sorted([(DONE.id, True), (later.id, False)])


async def test_what_a_page_and_a_push_told_counts_as_told_twice() -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        world.live.here[ME] = [Session()]
        await world.events(entry(1, notices=[DONE]))
        world.clock.forward(5)
        await world.push_due()
        await world.planner.shown(ME, [DONE.id], AckKind.SHOWN, "s1")
        assert world.planner.counts["told_twice"] == 1


async def test_what_is_moot_or_useful_no_more_is_in_no_list() -> None:
    async with relay(None) as world:
        await pushed(world)
        await world.events(collected(2))
        assert await listed(world) == []
        assert world.live.gone == [(ME, DONE.id, None)]
        assert await world.state_of(DONE.id) == "pushed", "what became of it stands"
    async with relay(None) as world:
        await pushed(world)
        world.clock.moment = DONE.useful_until
        assert await listed(world) == []


async def test_a_room_that_is_heard_again_is_in_no_list_as_gone() -> None:
    async with relay(None) as world:
        watch = await begin(world)
        await world.hear(Topic.AVAILABILITY, b"offline")
        world.clock.forward(700)
        await watch.look()
        await world.push_due()
        [one] = await world.planner.pending(ME)
        assert (one.kind, one.told) == (NoticeKind.EDGE_GONE, True)
        await world.hear(Topic.AVAILABILITY, b"online")
        await watch.look()
        assert await listed(world) == []
