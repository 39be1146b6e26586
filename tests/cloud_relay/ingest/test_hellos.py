"""What a hello begins at the relay, and what it does not."""

from __future__ import annotations

from laundryd.wire.ids import Position
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import UpEvents
from tests.cloud_relay.neighbours import RosterVersions
from tests.cloud_relay.world import EPOCH, ME, entry, hello, notice, relay


async def test_a_sign_of_life_holds_nothing_back_and_a_doubled_hello_neither() -> None:
    async with relay(None) as world:
        await world.begin()
        first = hello(0, word="h1", run="r1", nth=1)
        await world.hear(Topic.UP_HELLO, first)
        await world.hear(Topic.UP_HELLO, hello(5, word="h2", run="r1", nth=2, renewal=True))
        await world.hear(Topic.UP_HELLO, first.model_copy(update={"acked": 9}))
        world.subscribers.add(ME, "sub-me")
        await world.events(entry(1, notices=[notice(1)]), caught_up=False)
        await world.push_due()
        assert world.subscribers.sent == ["sub-me"]


async def test_a_hello_said_again_for_want_of_an_answer_holds_nothing_back_anew() -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub-me")
        first = hello(1, word="h1", connection="h1", run="r1", nth=1)
        await world.hear(Topic.UP_HELLO, first)
        assert [one.held for one in world.link.hellos] == [True]
        batch = UpEvents(entries=[entry(1)], caught_up=True, hello="h1")
        await world.hear(Topic.UP_EVENTS, batch)
        again = first.model_copy(
            update={"word": "h2", "nth": 2, "head": Position(epoch=EPOCH, offset=2)}
        )
        await world.hear(Topic.UP_HELLO, again)
        assert [one.held for one in world.link.hellos] == [True, False]
        late = UpEvents(entries=[entry(2, notices=[notice(2)])], caught_up=False, hello="h1")
        await world.hear(Topic.UP_EVENTS, late)
        await world.push_due()
        assert world.subscribers.sent == ["sub-me"]


async def test_a_hello_says_which_roster_the_room_has() -> None:
    rosters = RosterVersions()
    async with relay(None, rosters=rosters) as world:
        await world.begin()
        await world.hear(Topic.UP_HELLO, hello(0).model_copy(update={"roster": 3}))
    assert rosters.heard_of == [None, 3]


async def test_caught_up_of_an_older_connection_releases_nothing() -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub-me")
        await world.hear(Topic.UP_HELLO, hello(2, word="h1", run="r1", nth=1))
        await world.events(entry(1, notices=[notice(1)]), caught_up=False)
        old = UpEvents(entries=[], caught_up=True, hello="h0")
        await world.hear(Topic.UP_EVENTS, old)
        await world.push_due()
        assert world.subscribers.sent == []
        await world.hear(Topic.UP_EVENTS, old.model_copy(update={"hello": "h1"}))
        await world.push_due()
        assert world.subscribers.sent == ["sub-me"]
