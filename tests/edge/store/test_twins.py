"""Each mechanism of the edge's store that prevents a loss, and beside it the loss without it."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiosqlite
import pytest

import edge.store.disk
import edge.store.room_store
import edge.store.shelf
import laundryd.daemon.sqlite
from edge.store import commit as commit_module
from edge.store.commit import Commit
from edge.store.edge_store import EdgeStore
from edge.store.room_store import RoomStore
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.wire.commands import CommandName, ResidentCommand
from laundryd.wire.ids import Position
from tests.edge.room.driver import RoomDriver
from tests.edge.store.test_failing_disk import ROOM, SETUPS, Room, asides, rename, room_at
from tests.edge.store.test_room_store import _claims_and_releases, _work
from tests.edge.store.test_wal import crashed


@pytest.fixture(params=[True, False], ids=["as it is", "without it"])
def is_on(request: pytest.FixtureRequest) -> bool:
    """Whether the mechanism works; without it the test shows what goes wrong."""
    return bool(request.param)


# -- the log and the file


async def test_a_damaged_log_is_looked_for_before_sqlite_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    path = await crashed(tmp_path)
    with closing(sqlite3.connect(tmp_path / "live" / path.name)) as before:
        [(epoch, offset)] = before.execute(
            "SELECT epoch, (SELECT max(offset) FROM journal) FROM meta"
        )
    page = Position(epoch=epoch, offset=offset)  # somebody's, that saw everything
    log = path.with_name(path.name + "-wal")
    half = log.stat().st_size // 2
    log.write_bytes(log.read_bytes()[:half] + os.urandom(log.stat().st_size - half))
    if not is_on:
        monkeypatch.setattr(edge.store.disk, "log_trouble", lambda _path: None)
    async with room_at(path) as room:
        for name in itertools.cycle(("release", "claim") if room.owners else ("claim", "release")):
            await room.say(name)
            if room.store.room.head.offset >= offset:
                break
        missed = await room.store.room.since(page, 300)
        if is_on:
            assert len(asides(path)) == 1, "said, and kept for who wants to look"
            assert missed is None, "the page is sent to the whole room"
        else:
            assert not asides(path), "what was answered is gone, and nobody is told"
            assert missed == [], "the page is told that it has missed nothing"


async def test_a_new_database_does_not_live_in_its_log_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    async def nothing(*_: object, **__: object) -> None:
        pass

    if not is_on:
        monkeypatch.setattr(laundryd.daemon.sqlite, "empty_log", nothing)
        monkeypatch.setattr(edge.store.disk, "empty_log", nothing)
    path, copy = tmp_path / "room.db", tmp_path / "copy.db"
    store = await EdgeStore.take_up(path)
    shutil.copyfile(path, copy)  # what a card holds that loses the log
    await store.close()
    with closing(sqlite3.connect(copy)) as db:
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'journal'").fetchone()
    assert tables == ((1,) if is_on else (0,)), (
        "a database with nothing in it, and no damage to see"
    )


async def test_a_kill_between_the_last_steps_of_mending_is_gone_on_from(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    async with room_at(store_path) as room:
        await room.say("claim")
    rename(store_path, f"{store_path.name}.new")  # the damaged one is aside, this has no name yet
    if not is_on:
        monkeypatch.setattr(edge.store.disk, "_finish_mending", lambda _path: None)
    async with room_at(store_path) as room:
        assert room.owners == ({"w1": "anna"} if is_on else {})


# -- one transaction, and numbers


async def test_a_change_is_kept_whole_or_not_at_all(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    store = await EdgeStore.open(store_path)
    await _claims_and_releases(store, 1)
    head = store.room.head
    work = _work(RoomDriver(), RoomDriver().say("anna", "claim"), head)

    @asynccontextmanager
    async def statement_by_statement(
        db: aiosqlite.Connection,
    ) -> AsyncIterator[aiosqlite.Connection]:
        yield db

    async def dies_in_between(db: aiosqlite.Connection, work: Commit) -> None:
        await commit_module.write(db, work)
        raise sqlite3.OperationalError("power cut")

    if not is_on:
        monkeypatch.setattr(edge.store.shelf, "transaction", statement_by_statement)
    monkeypatch.setattr(edge.store.room_store, "write", dies_in_between)
    with pytest.raises(sqlite3.OperationalError):
        await store.room.commit(work)
    monkeypatch.undo()
    await store.close()
    store = await EdgeStore.open(store_path)
    phases = [record.phase for record in await store.room.records()]
    await store.close()
    assert phases == (["free"] if is_on else ["claimed"]), "refused, and done all the same"


async def works_at(path: Path) -> Room:
    store = await EdgeStore.take_up(path)
    return Room(store, await RoomWriter.open(ROOM, SETUPS, store, Clock()))


async def test_in_memory_the_room_gives_out_new_numbers(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    room = await works_at(store_path)
    await room.say("claim")
    epoch = room.writer.position.epoch
    if not is_on:
        monkeypatch.setattr(edge.store.shelf, "new_epoch_name", lambda: epoch)
    await room.store.shelf.db.execute("PRAGMA query_only = ON")  # as a card that goes read-only
    await room.say("claim", "w2", "ben")
    assert not room.store.durable
    page = room.writer.position
    await room.store.shelf.close()  # the power goes, and with it what was in memory
    monkeypatch.undo()
    room = await works_at(store_path)
    assert room.owners == {"w1": "anna"}
    for name in itertools.cycle(("claim", "release")):
        await room.say(name, "w2", "cleo")
        if room.writer.position.offset >= page.offset:
            break
    missed = await room.store.room.since(page, 300)
    await room.store.close()
    assert missed == (None if is_on else []), "the page shows ben's claim, and missed nothing"


async def test_nobody_is_told_before_the_commit(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    """The power goes in the middle of a commit; what pages had heard must be in the journal."""
    room = await works_at(store_path)
    heard: list[Position] = []
    room.writer.on_entries.append(
        lambda entries, _changes: heard.extend(e.position for e in entries)
    )

    async def fails(*_: object) -> None:
        raise asyncio.CancelledError  # nobody hears of anything any more

    async def tells_first(_self: RoomStore, work: Commit) -> None:
        for told in room.writer.on_entries:
            told(list(work.entries), [])
        await fails()

    monkeypatch.setattr(edge.store.room_store, "write", fails)
    if not is_on:
        monkeypatch.setattr(RoomStore, "commit", tells_first)
    with pytest.raises(asyncio.CancelledError):
        await room.say("claim")
    monkeypatch.undo()
    await room.store.shelf.close()
    room = await works_at(store_path)
    await room.say("claim", "w2", "cleo")
    if is_on:
        assert heard == []
    else:
        [page] = heard
        missed = await room.store.room.since(page, 300)
        assert missed == [], "the page has anna's claim, and never hears of cleo's"
    await room.store.close()


# -- said twice, done once


async def test_a_command_that_comes_again_is_answered_and_not_done_again(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    async def unknown(*_: object) -> None:
        return None

    ids = itertools.count()

    def command(name: CommandName) -> ResidentCommand:
        return ResidentCommand(id=f"c{next(ids)}", resident="anna", machine="w1", name=name)

    if not is_on:
        monkeypatch.setattr(RoomStore, "answer_to", unknown)
        # A second answer under the same id would be refused by the table, too late.
        monkeypatch.setattr(commit_module, "write", _without_answers(commit_module.write))
        monkeypatch.setattr(edge.store.room_store, "write", commit_module.write)
    async with room_at(store_path) as room:
        claim = command(CommandName.CLAIM)
        assert (await room.writer.command(claim)).ok
        assert (await room.writer.command(command(CommandName.RELEASE))).ok
        assert (await room.writer.command(claim)).ok, "the network brought it a second time"
        assert room.owners == ({} if is_on else {"w1": "anna"}), "held, and nobody is on the way"


def _without_answers(
    write: Callable[[aiosqlite.Connection, Commit], Awaitable[None]],
) -> Callable[[aiosqlite.Connection, Commit], Awaitable[None]]:
    async def written(db: aiosqlite.Connection, work: Commit) -> None:
        await db.execute("DELETE FROM answers")
        await write(db, work)

    return written


async def test_what_was_told_elsewhere_is_not_told_in_the_room(
    edge_store: EdgeStore, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    async def nobody(_self: RoomStore, _notices: Iterable[str]) -> dict[str, str]:
        return {}

    if not is_on:
        monkeypatch.setattr(RoomStore, "told_elsewhere", nobody)
    store, room = edge_store.room, RoomDriver()
    await store.commit(_work(room, room.say("anna", "claim"), store.head))
    await store.commit(_work(room, room.tick(10), store.head))
    (card,) = await store.pending_notices("anna", room.now)
    await store.told_elsewhere([card.id])  # by a push
    told = await store.pending_notices("anna", room.now)
    assert told == ([] if is_on else [card]), "a second time, to who walks in"


# -- a journal that is full


async def test_what_was_dropped_is_noted_and_a_snapshot_stands_for_it(
    edge_store: EdgeStore, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    monkeypatch.setattr(edge.store.room_store, "KEPT_ACKNOWLEDGED", 4)
    store = edge_store.room
    await _claims_and_releases(edge_store, 10)
    await store.acknowledge(store.head.epoch, store.head.offset)
    await _claims_and_releases(edge_store, 1)
    assert store.dropped > 0
    if not is_on:
        store.dropped = 0  # not noted
    lines = await store.lines_after(0, 100, 1 << 20)
    if is_on:
        assert lines is None, "which makes the link send a snapshot to a relay that was restored"
    else:
        assert lines is not None
        first = min(entry.offset for entry in await store.entries_after(0, 100) or ())
        assert first > 1, "a batch with a hole before it"
