"""A whole folder that was put back from a backup is told by the pages that stood in its lost days."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edge.store.edge_store import EdgeStore
from edge.store.witness import witness_path
from laundryd.live.openings import OPENINGS_KEPT
from laundryd.wire.ids import PagePosition
from tests.edge.store.test_carrying import a_hold_that_ended


def page_at(store: EdgeStore) -> PagePosition:
    head = store.room.head.position
    return PagePosition(epoch=head.epoch, offset=head.offset, run=store.room.run)


async def restored_whole(path: Path) -> tuple[PagePosition, PagePosition, EdgeStore]:
    """Return where a page stood at the backup, where one stood after it, and the store that ran ahead."""
    store = await EdgeStore.take_up(path)
    await a_hold_that_ended(store)
    before = page_at(store)
    backup = path.with_name("backup")
    backup.mkdir()
    await store.shelf.read("VACUUM INTO ?", (str(backup / path.name),))
    shutil.copyfile(witness_path(path), backup / witness_path(path).name)
    await a_hold_that_ended(store)
    lost = page_at(store)
    await store.close()
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    for name in (path.name, witness_path(path).name):
        shutil.copyfile(backup / name, path.with_name(name))
    store = await EdgeStore.take_up(path)
    for _ in range(2):
        await a_hold_that_ended(store)
    return before, lost, store


async def test_a_folder_that_was_restored_whole_sends_pages_of_its_lost_days_to_the_whole_room(
    store_path: Path,
) -> None:
    before, lost, store = await restored_whole(store_path)
    assert store.room.head.epoch == lost.epoch, "nothing in the folder tells"
    assert store.room.head.offset > lost.offset
    assert not store.room.is_same_past(lost)
    assert not store.room.is_same_past(lost.in_run("0"))
    assert store.room.is_same_past(before)
    assert store.room.is_same_past(page_at(store))
    now = page_at(store)
    await store.close()
    again = await EdgeStore.take_up(store_path)
    assert again.room.run != now.run
    assert [again.room.is_same_past(one) for one in (before, lost, now)] == [True, False, True]
    await again.close()


async def test_without_runs_a_page_goes_on_over_what_it_never_saw(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.store.room_store.is_same_past", lambda *_: True)
    _, lost, store = await restored_whole(store_path)
    assert store.room.is_same_past(lost)
    events = await store.room.since(lost, 300)
    assert events is not None, "the page goes on, and never hears of the events before"
    assert [event.offset for event in events] == [5, 6]
    await store.close()


async def test_a_new_epoch_knows_its_own_run_alone(store_path: Path) -> None:
    store = await EdgeStore.take_up(store_path)
    await a_hold_that_ended(store)
    old = page_at(store)
    await store.close()
    store = await EdgeStore.take_up(store_path)
    await store.room.new_epoch("asked")
    now = page_at(store)
    moved = PagePosition(epoch=now.epoch, offset=0, run=old.run)
    assert [store.room.is_same_past(one) for one in (now, moved)] == [True, False]
    await store.close()
    store = await EdgeStore.take_up(store_path)
    assert [store.room.is_same_past(one) for one in (now, moved)] == [True, False]
    await store.close()


async def test_a_store_remembers_so_many_openings_and_a_command_line_is_none(
    store_path: Path,
) -> None:
    first = await EdgeStore.take_up(store_path)
    stood = page_at(first)
    await first.close()
    beside = await EdgeStore.open(store_path)
    looked = page_at(beside)
    await beside.close()
    for _ in range(OPENINGS_KEPT - 1):
        await (await EdgeStore.take_up(store_path)).close()
    store = await EdgeStore.open(store_path)
    assert [store.room.is_same_past(one) for one in (stood, looked)] == [True, False]
    await store.close()
    await (await EdgeStore.take_up(store_path)).close()
    store = await EdgeStore.open(store_path)
    assert not store.room.is_same_past(stood)
    await store.close()
