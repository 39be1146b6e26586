"""Each mechanism of the relay's ingest that prevents a loss, and beside it the loss without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
import pytest

from cloud_relay.ingest.handlers import ONLINE, Handlers
from cloud_relay.notify.planner import Planner
from cloud_relay.rooms import store
from cloud_relay.rooms.leases import FIRST_WORD_S
from cloud_relay.rooms.presence import EdgePresence
from cloud_relay.rooms.rooms import Rooms
from laundryd.daemon.sqlite import transaction
from laundryd.wire.events import AckKind, Carried, Entry, PublicEvent
from laundryd.wire.ids import Position
from laundryd.wire.phases import Phase
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import LEASE_S, UpEvents, UpHello, UpPresence
from tests.cloud_relay.notify.test_edge_gone import begin as begin_a_wash
from tests.cloud_relay.world import (
    EPOCH,
    ME,
    ROOM,
    HandClock,
    Session,
    Subscribers,
    World,
    ack_entry,
    entry,
    hello,
    machine,
    notice,
    presence,
    relay,
    snapshot,
)


@pytest.fixture(params=[True, False], ids=["as it is", "without it"])
def is_on(request: pytest.FixtureRequest) -> bool:
    """Whether the mechanism works; without it the test shows what goes wrong."""
    return bool(request.param)


async def hear_events(
    world: World, *entries: Entry, after: str | None, caught_up: bool = True
) -> None:
    """Bring entries over the connection that began with the hello ``after``."""
    batch = UpEvents(entries=list(entries), caught_up=caught_up, hello=after)
    await world.hear(Topic.UP_EVENTS, batch)


# -- epochs that were left, and entries of another past


async def a_late_snapshot_of_a_left_epoch(
    world: World,
) -> tuple[Phase, Sequence[PublicEvent] | None]:
    """Return how the room's machine stands, and what a page hears that stood in the left epoch."""
    await world.begin()
    await world.events(entry(1), entry(2))
    page = Position(epoch=EPOCH, offset=2)
    await world.hear(Topic.UP_SNAPSHOT, snapshot(0, epoch="e2"))
    await world.events(entry(1, epoch="e2", view=machine("w1", Phase.IN_USE)))
    assert world.link.acks[-1].offset == 1, "the edge may forget it"
    await world.hear(Topic.UP_SNAPSHOT, snapshot(2))
    room = world.rooms.snapshot(ROOM)
    assert room is not None
    return room.machines[0].phase, await world.rooms.since(ROOM, page, 300)


async def test_an_epoch_that_was_left_is_refused(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    async def never(*_: object) -> bool:
        return False

    if not is_on:
        monkeypatch.setattr(Rooms, "is_past_epoch", never)
    async with relay(None) as world:
        phase, missed = await a_late_snapshot_of_a_left_epoch(world)
    if is_on:
        assert (phase, missed) == (Phase.IN_USE, None), "the page is told to take a snapshot"
    else:
        assert phase is Phase.FREE, "an event that was acknowledged has no effect any more"
        assert missed == [], "and a page of the left epoch is told that it missed nothing"


async def test_entries_go_on_from_the_very_entry_that_is_kept(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        monkeypatch.setattr(Rooms, "run", lambda _self, _room: None)
    async with relay(None) as world:
        await world.begin()
        first = entry(1).model_copy(update={"run": "r1"})
        await world.hear(Topic.UP_EVENTS, UpEvents(entries=[first], caught_up=True, after=0))
        # Restored from a backup: another happening has the number 1 now, which the relay never heard of.
        second = entry(2).model_copy(update={"run": "r2"})
        restored = UpEvents(entries=[second], caught_up=True, after=1, after_run="r2")
        await world.hear(Topic.UP_EVENTS, restored)
        if is_on:
            assert world.link.acks[-1].offset > 2, "which makes the edge begin an epoch of its own"
        else:
            assert world.link.acks[-1].offset == 2, "and with it the edge forgets its own number 1"


async def test_an_open_page_hears_that_its_room_was_replaced(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        monkeypatch.setattr("cloud_relay.ingest.handlers.gap_marker", lambda _state: None)
    async with relay(None) as world:
        await world.begin()
        await world.events(entry(1))
        await world.hear(Topic.UP_SNAPSHOT, snapshot(5, epoch="e2"))
        newest = world.live.events[-1]
    assert (newest.epoch == "e2") is is_on, "it shows the room of before until something happens"


async def test_history_is_not_read_while_a_snapshot_is_written(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    @asynccontextmanager
    async def at_once(db: aiosqlite.Connection) -> AsyncIterator[aiosqlite.Connection]:
        yield db

    async with relay(None) as world:
        await world.begin()
        await world.events(entry(1), entry(2))
        if not is_on:
            monkeypatch.setattr("cloud_relay.rooms.rooms.transaction", at_once)
        async with transaction(world.db) as db:
            change = await world.rooms.write_snapshot(db, snapshot(50))
            assert change is not None
            page = Position(epoch=EPOCH, offset=1)
            asking = asyncio.create_task(world.rooms.since(ROOM, page, 300))
            for _ in range(3):  # gives it every chance to read what is not committed
                await store.load_rooms(world.db)
        world.rooms.commit(change)
        missed = await asking
    assert missed == (None if is_on else []), "it has event 1, and missed nothing of a new room"


async def test_a_notice_that_is_carried_over_keeps_its_id(*, is_on: bool) -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        done = notice(1)
        await world.events(entry(1, notices=[done]))
        await world.push_due()
        await world.hear(Topic.UP_SNAPSHOT, snapshot(0, epoch="e2"))
        cause = Position(epoch=EPOCH, offset=1)
        carried = Entry(epoch="e2", offset=1, carried=Carried(notice=done, cause=cause))
        anew = entry(1, epoch="e2", notices=[notice(1, epoch="e2")])
        await world.events(carried if is_on else anew)
        await world.push_due()
        assert world.subscribers.sent == (["sub"] if is_on else ["sub", "sub"])


# -- who is there: presence, in order and of the newest connection


async def pushed_while_they_look(world: World, after: str | None = None) -> list[str]:
    """Tell somebody something who looks at the room's page, and shows it there; return the pushes."""
    world.subscribers.add(ME, "sub")
    done = notice(1)
    await hear_events(world, entry(1, notices=[done]), after=after)
    await world.push_due()
    world.clock.forward(1)
    await hear_events(world, ack_entry(2, done.id), after=after)
    world.clock.forward(60)
    await world.push_due()
    return world.subscribers.sent


async def test_presence_has_a_sequence(monkeypatch: pytest.MonkeyPatch, *, is_on: bool) -> None:
    update = EdgePresence.update

    def in_any_order(self: EdgePresence, room: str, body: UpPresence) -> bool:
        self._seqs.pop(room, None)
        return update(self, room, body)

    if not is_on:
        monkeypatch.setattr(EdgePresence, "update", in_any_order)
    async with relay(None) as world:
        await world.begin()
        await world.hear(Topic.UP_PRESENCE, presence(2))
        await world.hear(Topic.UP_PRESENCE, UpPresence(seq=1, sessions=[]))  # overtaken on its way
        pushed = await pushed_while_they_look(world)
    assert pushed == ([] if is_on else ["sub"]), "told twice: on the page, and by push"


async def test_a_hello_that_comes_late_begins_nothing(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    def begins(self: EdgePresence, room: str, said: UpHello) -> bool:
        self._hellos[room] = said
        return True

    if not is_on:
        monkeypatch.setattr(EdgePresence, "connected", begins)
    async with relay(None) as world:
        await world.begin()
        old = hello(0, word="h1", run="r1", nth=1)
        await world.hear(Topic.UP_HELLO, old)
        await world.hear(Topic.UP_HELLO, hello(0, word="h2", run="r1", nth=2))
        await world.hear(Topic.UP_HELLO, old)  # the broker brings it again
        looks = presence(1).model_copy(update={"hello": "h2"})
        await world.hear(Topic.UP_PRESENCE, looks)
        world.clock.forward(11)  # the room is held no more, whatever it caught up with
        pushed = await pushed_while_they_look(world, after="h2")
    assert pushed == ([] if is_on else ["sub"]), "the page's presence is of a connection not known"


async def test_presence_survives_a_restart_of_the_relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    async def nobody(_db: object) -> dict[str, UpPresence]:
        return {}

    path, clock = tmp_path / "relay.db", HandClock()
    async with relay(path, clock=clock) as world:
        await world.begin()
        await world.hear(Topic.UP_PRESENCE, presence(1))
    if not is_on:
        monkeypatch.setattr(store, "load_presence", nobody)
    async with relay(path, clock=clock) as reborn:
        clock.forward(10)
        pushed = await pushed_while_they_look(reborn)
    assert pushed == ([] if is_on else ["sub"])


async def test_an_edge_that_says_nothing_lapses(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    async def never(_self: Handlers) -> None:
        pass

    if not is_on:
        monkeypatch.setattr(Handlers, "lapse", never)
    async with relay(None) as world:
        watch = await begin_a_wash(world)
        # It died while the broker was down: nobody took its "online" back.
        for _ in range(30):
            world.clock.forward(30)
            await world.handlers.lapse()
            await watch.look()
        await world.push_due()
        # ME, whose wash runs: that their machine cannot be seen any more.
        assert world.subscribers.sent == (["mine"] if is_on else [])


async def test_a_retained_online_is_believed_for_a_few_seconds_only(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        monkeypatch.setattr("cloud_relay.ingest.handlers.FIRST_WORD_S", LEASE_S)
    async with relay(None) as world:
        await world.begin()
        await world.hear(Topic.UP_PRESENCE, presence(1))
        # It died while the broker was down; that is back now, and has kept its last word.
        world.handlers.link_lost()
        world.clock.forward(LEASE_S)
        world.handlers.link_back()
        await world.handlers.availability(ROOM, ONLINE, retained=True)
        world.clock.forward(FIRST_WORD_S)
        await world.handlers.lapse()
        assert world.rooms.edge(ROOM).online is not is_on, "a page offers what nobody will do"
        assert world.edges.attentive(ME) is not is_on, "a page that is closed is waited for"


# -- a room that comes back


async def back_with_an_acknowledgement(world: World, claimed_after: str) -> list[str]:
    """A room brings a notice, and with the next batch that it was shown there; return the pushes."""
    await world.begin()
    world.subscribers.add(ME, "sub")
    await world.hear(Topic.UP_HELLO, hello(2, word="h1", run="r1", nth=1))
    done = notice(1)
    await hear_events(world, entry(1, notices=[done]), after="h1", caught_up=False)
    await hear_events(world, after=claimed_after)  # "caught up"
    await world.push_due()
    world.clock.forward(1)
    await hear_events(world, ack_entry(2, done.id), after="h1")
    await world.push_due()
    return world.subscribers.sent


async def test_caught_up_is_believed_of_the_newest_connection_alone(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        monkeypatch.setattr(EdgePresence, "is_current", lambda *_: True)
    async with relay(None) as world:
        pushed = await back_with_an_acknowledgement(world, claimed_after="h0")
    assert pushed == ([] if is_on else ["sub"]), "the room had told it"


async def test_a_room_is_held_for_ten_seconds_at_most(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        monkeypatch.setattr(
            "cloud_relay.notify.planner.CATCH_UP_MAX", notice(1).useful_until - notice(1).caused_at
        )
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        await world.hear(Topic.UP_HELLO, hello(9))
        await world.events(entry(1, notices=[notice(1)]), caught_up=False)
        world.clock.moment = notice(
            1
        ).useful_until  # the room went for good before it had caught up
        world.clock.forward(-60)
        await world.push_due()
        assert world.subscribers.sent == (["sub"] if is_on else [])


async def test_coming_back_again_and_again_holds_no_notice_for_longer(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    times = Planner._times
    if not is_on:
        monkeypatch.setattr(Planner, "_times", lambda self, room, _kept_at=None: times(self, room))
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        world.planner.hold(ROOM)
        await world.events(entry(1, notices=[notice(1)]), caught_up=False)
        for _ in range(100):
            world.clock.forward(4)
            world.planner.hold(ROOM)
            await world.push_due()
        assert world.subscribers.sent == (["sub"] if is_on else [])


# -- two clocks, and a relay that has just started


async def test_until_when_a_notice_is_useful_is_judged_in_the_relays_time(*, is_on: bool) -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        done = notice(1)
        world.clock.moment = done.useful_until
        world.clock.forward(3_000)  # its own clock is an hour behind ours: it has ten minutes left
        batch = UpEvents(entries=[entry(1, notices=[done])], caught_up=True)
        told = batch.model_copy(update={"ahead_ms": 3_600_000})
        await world.hear(Topic.UP_EVENTS, told if is_on else batch)
        await world.push_due()
        assert world.subscribers.sent == (["sub"] if is_on else [])


async def test_nobody_counts_as_away_while_sessions_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    path, clock, subscribers = tmp_path / "relay.db", HandClock(), Subscribers()
    subscribers.add(ME, "sub")
    async with relay(path, clock=clock) as world:
        await world.begin()
    if not is_on:
        monkeypatch.setattr("cloud_relay.notify.planner.RETURN_GRACE", clock.now() - clock.now())
    async with relay(path, clock=clock, subscribers=subscribers) as reborn:
        await reborn.events(entry(1, notices=[notice(1)]))
        await reborn.push_due()
        clock.forward(2)
        reborn.live.here[ME] = [Session()]  # the page was open all the time
        [card] = await reborn.planner.pending(ME)
        await reborn.planner.shown(ME, [card.id], AckKind.SHOWN, "s1")
        clock.forward(60)
        await reborn.push_due()
        assert subscribers.sent == ([] if is_on else ["sub"])
