"""A database that was put back from a backup is told from the newest, without a relay."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edge.store.edge_store import EdgeStore
from edge.store.witness import Witness, witness_path
from laundryd.wire.ids import Position
from tests.edge.store.test_carrying import a_hold_that_ended


async def restored(path: Path, *, killed: bool = False) -> tuple[Position, EdgeStore]:
    """Return where a page stood before a backup was put in place, and the store after it ran ahead.

    ``killed``: nobody stopped the room before.
    """
    store = await EdgeStore.take_up(path)
    await a_hold_that_ended(store)
    backup = path.with_name("backup.db")
    await store.shelf.read("VACUUM INTO ?", (str(backup),))
    await a_hold_that_ended(store)
    page = store.room.head.position
    await (store.shelf if killed else store).close()
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    shutil.copyfile(backup, path)
    store = await EdgeStore.take_up(path)
    for _ in range(2):
        await a_hold_that_ended(store)
    return page, store


@pytest.mark.parametrize("killed", [False, True])
async def test_a_restored_database_sends_every_page_to_the_whole_room(
    store_path: Path, *, killed: bool
) -> None:
    page, store = await restored(store_path, killed=killed)
    assert store.room.head.epoch != page.epoch
    assert await store.room.since(page, 300) is None
    await store.close()
    again = await EdgeStore.take_up(store_path)
    assert again.room.head.epoch == store.room.head.epoch, "once is enough"
    await again.close()


async def test_without_the_witness_a_page_is_told_that_it_missed_nothing_else(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.store.edge_store.is_older", lambda _database, _head: False)
    page, store = await restored(store_path)
    events = await store.room.since(page, 300)
    assert events is not None, "the page goes on, and never hears of the events before"
    assert [event.offset for event in events] == [5, 6]
    await store.close()


async def test_a_kill_and_an_unreadable_witness_begin_nothing(store_path: Path) -> None:
    store = await EdgeStore.take_up(store_path)
    await a_hold_that_ended(store)
    await store.close()
    store = await EdgeStore.take_up(store_path)
    await a_hold_that_ended(store)
    epoch = store.room.head.epoch
    await store.shelf.close()  # as a kill does: without a word to the witness
    store = await EdgeStore.take_up(store_path)
    assert store.room.head == store.room.head.__class__(epoch, 4, 4)
    await store.close()
    witness_path(store_path).write_bytes(b"\xff{")
    store = await EdgeStore.take_up(store_path)
    assert store.room.head.epoch == epoch
    await store.close()


async def test_without_a_note_at_each_commit_a_kill_hides_what_was_restored(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = Witness.note

    def seldom(self: Witness, head: Position, *, at_rest: bool = False) -> None:
        if at_rest or head.offset == 0:
            note(self, head, at_rest=at_rest)

    monkeypatch.setattr(Witness, "note", seldom)
    page, store = await restored(store_path, killed=True)
    events = await store.room.since(page, 300)
    assert events is not None, "the page goes on, and never hears of the events before"
    assert [event.offset for event in events] == [5, 6]
    await store.close()


async def test_a_disk_that_takes_no_note_is_said_once(
    store_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    witness_path(store_path).mkdir()
    store = await EdgeStore.take_up(store_path)
    await a_hold_that_ended(store)
    assert caplog.text.count("edge.seen cannot be written") == 1
    witness_path(store_path).rmdir()
    await a_hold_that_ended(store)
    assert witness_path(store_path).is_file()
    await store.close()


async def test_a_command_line_beside_the_room_notes_nothing(store_path: Path) -> None:
    store = await EdgeStore.open(store_path)
    await a_hold_that_ended(store)
    await store.close()
    assert not witness_path(store_path).exists()
