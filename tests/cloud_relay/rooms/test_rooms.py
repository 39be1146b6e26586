from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import aiosqlite
import pytest

from cloud_relay.errors import RoomExistsError
from cloud_relay.ingest import uplink
from cloud_relay.rooms import store
from cloud_relay.rooms.state import RoomState
from laundryd.daemon.sqlite import transaction
from laundryd.wire.events import Waiting
from laundryd.wire.ids import Position
from laundryd.wire.machines import MachineKind, Programme
from laundryd.wire.phases import Phase
from laundryd.wire.topics import Topic
from tests.cloud_relay.world import (
    EPOCH,
    ME,
    OTHER,
    ROOM,
    START,
    HandClock,
    entry,
    eventually,
    hello,
    machine,
    relay,
    running,
    snapshot,
    waiting_entry,
)


def at(offset: int, epoch: str = EPOCH) -> Position:
    return Position(epoch=epoch, offset=offset)


async def test_a_room_is_enrolled_once_and_known_to_a_relay_that_runs(tmp_path: Path) -> None:
    path = tmp_path / "relay.db"
    async with relay(path) as running, relay(path) as admin:
        assert not await running.rooms.known(ROOM)
        await admin.rooms.enroll(ROOM, "Basement")
        assert await running.rooms.known(ROOM)
        with pytest.raises(RoomExistsError, match="enrolled already"):
            await admin.rooms.enroll(ROOM, "Cellar")


async def test_who_asks_for_a_new_room_at_the_same_time_does_not_take_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "relay.db"
    async with relay(path) as running, relay(path) as admin:
        await admin.rooms.enroll(ROOM, "Basement")
        read, has_read = store.load_rooms, asyncio.Event()
        may_go_on = asyncio.Event()

        async def slow(db: aiosqlite.Connection, room: str | None = None) -> list[RoomState]:
            found = await read(db, room)
            has_read.set()
            await may_go_on.wait()
            return found

        monkeypatch.setattr(store, "load_rooms", slow)
        resident = asyncio.create_task(running.rooms.known(ROOM))
        await has_read.wait()
        monkeypatch.setattr(store, "load_rooms", read)
        await running.hear(Topic.UP_SNAPSHOT, snapshot(3))
        may_go_on.set()
        assert await resident
        assert running.rooms.position(ROOM) == at(3)


async def test_when_a_room_was_heard_last_is_known_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink, "KEEP_HEARD_EVERY_S", 0.01)
    path, clock = tmp_path / "relay.db", HandClock()
    async with relay(path, clock=clock) as world:
        await world.begin()
        clock.forward(3_600)
        await world.hear(Topic.UP_HELLO, hello(0, renewal=True))
        heard_at = clock.now()
        async with running(world.ingest.run()):
            await eventually(lambda: not world.rooms._heard, "kept")
        clock.forward(60)
    async with relay(path, clock=clock) as reborn:
        edge = reborn.rooms.edge(ROOM)
        assert (edge.online, edge.since) == (False, heard_at)


async def test_when_a_room_was_heard_is_kept_once_the_disk_takes_it() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.db.execute("ALTER TABLE rooms RENAME TO hidden")
        with pytest.raises(sqlite3.Error):
            await world.rooms.keep_heard()
        await world.db.execute("ALTER TABLE hidden RENAME TO rooms")
        world.clock.forward(60)
        await world.hear(Topic.UP_HELLO, hello(0, renewal=True))
        await world.rooms.keep_heard()
        [state] = await store.load_rooms(world.db, ROOM)
        assert state.heard_at == world.clock.now()


async def test_a_room_never_heard_has_no_snapshot() -> None:
    async with relay(None) as world:
        await world.rooms.enroll(ROOM, "Basement")
        assert world.rooms.snapshot(ROOM) is None
        assert world.rooms.position(ROOM) is None
        assert world.rooms.snapshot("maple-hall.nowhere") is None


async def test_a_snapshot_shows_the_machines_the_edge_and_never_who() -> None:
    async with relay(None) as world:
        await world.begin()
        held = machine("w2", Phase.CLAIMED, held_until=START + timedelta(minutes=10))
        await world.events(entry(1, view=held, owner=ME))
        room = world.rooms.snapshot(ROOM)
        assert room is not None
        assert room.position == at(1)
        assert room.edge is not None
        assert room.edge.online
        assert [(view.machine, view.phase) for view in room.machines] == [
            ("w1", Phase.FREE),
            ("w2", Phase.CLAIMED),
        ]
        assert ME not in room.model_dump_json()


async def test_mine_follows_the_owner_through_claim_use_and_collection() -> None:
    async with relay(None) as world:
        await world.begin()
        until = START + timedelta(minutes=10)
        await world.events(entry(1, view=machine("w1", Phase.CLAIMED, held_until=until), owner=ME))
        mine = world.rooms.mine(ME)
        assert [(claim.machine, claim.held_until) for claim in mine.claims] == [("w1", until)]
        await world.events(entry(2, view=machine("w1", Phase.IN_USE), owner=ME))
        assert [one.machine for one in world.rooms.mine(ME).machines] == ["w1"]
        await world.events(entry(3, view=machine("w1", Phase.IN_USE), owner=OTHER))
        assert world.rooms.mine(ME).machines == []
        assert world.live.mine[-2:] == [ME, OTHER], "both are told"
        await world.events(entry(4, view=machine("w1")))
        assert world.rooms.mine(OTHER).machines == []


async def test_since_gives_what_follows_in_order_and_none_when_it_cannot() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.events(*(entry(n) for n in range(1, 8)))
        events = await world.rooms.since(ROOM, at(3), 300)
        assert events is not None
        assert [event.offset for event in events] == [4, 5, 6, 7]
        assert [e.offset for e in await world.rooms.since(ROOM, at(3), 2) or ()] == [4, 5]
        assert await world.rooms.since(ROOM, at(7), 300) == []
        assert await world.rooms.since(ROOM, at(8), 300) is None, "from the future"
        assert await world.rooms.since(ROOM, at(3, "e0"), 300) is None
        assert await world.rooms.since("maple-hall.nowhere", at(0), 300) is None


async def test_the_journal_is_bounded_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "JOURNAL_EVENTS_MAX", 10)
    monkeypatch.setattr(store, "JOURNAL_SLACK", 5)
    path = tmp_path / "relay.db"
    async with relay(path) as world:
        await world.begin()
        for n in range(1, 41):
            await world.events(entry(n))
        rows = await world.db.execute_fetchall("SELECT count(*) FROM room_events")
        assert next(iter(rows))[0] <= 15
        assert await world.rooms.since(ROOM, at(20), 300) is None
        assert len(await world.rooms.since(ROOM, at(35), 300) or ()) == 5
    async with relay(path) as reborn:
        assert await reborn.rooms.since(ROOM, at(20), 300) is None
        assert len(await reborn.rooms.since(ROOM, at(35), 300) or ()) == 5


async def test_an_overflow_snapshot_makes_a_gap_that_nobody_is_replayed_over() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.events(entry(1), entry(2))
        await world.hear(Topic.UP_SNAPSHOT, snapshot(50))
        await world.events(entry(51))
        assert await world.rooms.since(ROOM, at(2), 300) is None
        assert [e.offset for e in await world.rooms.since(ROOM, at(50), 300) or ()] == [51]


async def test_a_new_epoch_begins_its_numbers_anew_over_the_old_ones() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.events(*(entry(n) for n in range(1, 6)))
        await world.hear(Topic.UP_SNAPSHOT, snapshot(0, epoch="e2"))
        await world.events(entry(1, epoch="e2"), entry(2, epoch="e2"))
        events = await world.rooms.since(ROOM, at(0, "e2"), 300)
        assert events is not None
        assert [(event.epoch, event.offset) for event in events] == [("e2", 1), ("e2", 2)]


async def test_a_snapshot_that_is_being_written_never_looks_like_nothing_missed() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.events(entry(1), entry(2))
        async with transaction(world.db) as db:
            change = await world.rooms.write_snapshot(db, snapshot(50))
            assert change is not None
            asking = asyncio.create_task(world.rooms.since(ROOM, at(1), 300))
            await store.load_rooms(world.db)  # gives it every chance to read what is not committed
            assert not asking.done()
        world.rooms.commit(change)
        assert await asking is None


async def test_a_machine_that_a_snapshot_does_not_name_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "relay.db"
    async with relay(path) as world:
        await world.begin()
        await world.hear(Topic.UP_SNAPSHOT, snapshot(3, machines=[machine("d1"), machine("a1")]))
    async with relay(path) as reborn:
        room = reborn.rooms.snapshot(ROOM)
        assert room is not None
        assert [view.machine for view in room.machines] == ["d1", "a1"], "in the edge's order"


async def test_what_a_resident_waits_for_is_theirs_follows_each_entry_and_survives_a_restart(
    tmp_path: Path,
) -> None:
    path, clock = tmp_path / "relay.db", HandClock()
    until = START + timedelta(minutes=3)
    async with relay(path, clock=clock) as world:
        await world.begin()
        await world.events(
            waiting_entry(1, ME, {MachineKind.WASHER: None}), waiting_entry(2, OTHER, muted=True)
        )
        assert world.live.events == [], "it is nobody else's business"
        assert world.live.mine == sorted([ME, OTHER])
        await world.events(waiting_entry(3, ME, {MachineKind.WASHER: until}))
        assert world.rooms.mine(OTHER).pickup_muted == [ROOM]
    async with relay(path, clock=clock) as reborn:
        (watch,) = reborn.rooms.mine(ME).watches
        assert (watch.room, watch.kind, watch.told_until) == (ROOM, MachineKind.WASHER, until)
        assert reborn.rooms.mine(OTHER).pickup_muted == [ROOM]
        await reborn.events(waiting_entry(4, ME), waiting_entry(5, OTHER))
        assert reborn.rooms.mine(ME).watches == []
        assert reborn.rooms.mine(OTHER).pickup_muted == []
    async with relay(path, clock=clock) as again:
        rows = await again.db.execute_fetchall("SELECT * FROM room_waiting")
        assert list(rows) == [], "who waits for nothing leaves no trace"


async def test_a_snapshot_brings_the_programmes_and_who_waits(tmp_path: Path) -> None:
    path, clock = tmp_path / "relay.db", HandClock()
    wool = Programme(programme="wool", kind=MachineKind.WASHER, name="Wool", minutes=35)
    async with relay(path, clock=clock) as world:
        await world.begin()
        await world.events(waiting_entry(1, ME, {MachineKind.WASHER: None}))
        body = snapshot(1)
        waiting = Waiting(resident=OTHER, watches={MachineKind.DRYER: None}, pickup_muted=False)
        shown = body.snapshot.model_copy(update={"programmes": [wool]})
        body = body.model_copy(update={"snapshot": shown, "waiting": [waiting]})
        await world.hear(Topic.UP_SNAPSHOT, body)
        assert world.live.mine[-2:] == sorted([ME, OTHER])
    async with relay(path, clock=clock) as reborn:
        room = reborn.rooms.snapshot(ROOM)
        assert room is not None
        assert room.programmes == [wool]
        assert reborn.rooms.mine(ME).watches == []
        assert [one.kind for one in reborn.rooms.mine(OTHER).watches] == [MachineKind.DRYER]
