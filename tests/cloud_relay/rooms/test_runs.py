"""A relay that was put back from a backup, and the pages of what it has forgotten."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from laundryd.live.openings import OPENINGS_KEPT
from laundryd.wire.ids import PagePosition
from laundryd.wire.topics import Topic
from tests.cloud_relay.world import ROOM, World, entry, relay, snapshot


def page_at(world: World) -> PagePosition:
    """Return where a page stands that has just taken the room."""
    shown = world.rooms.snapshot(ROOM)
    assert shown is not None
    assert shown.run is not None
    return shown.page_position


def copied(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as live, sqlite3.connect(target) as copy:
        live.backup(copy)
    live.close()
    copy.close()


async def test_a_page_of_what_a_restored_relay_has_forgotten_is_of_another_past(
    tmp_path: Path,
) -> None:
    path, backup = tmp_path / "relay.db", tmp_path / "backup.db"
    async with relay(path) as world:
        await world.begin()
        await world.events(entry(1), entry(2))
        before = page_at(world)
        copied(path, backup)
        await world.events(entry(3), entry(4))
        lost = page_at(world)
        assert world.rooms.is_same_past(ROOM, before)
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    shutil.copyfile(backup, path)
    async with relay(path) as world:
        await world.events(*(entry(offset) for offset in range(3, 7)))
        assert [world.rooms.is_same_past(ROOM, one) for one in (before, lost)] == [True, False]
        after = page_at(world)
    for _ in range(2):  # nothing happens in the first of them
        async with relay(path) as world:
            assert [world.rooms.is_same_past(ROOM, one) for one in (before, lost, after)] == [
                True,
                False,
                True,
            ]
    async with relay(path) as world:
        await world.events(entry(7))
        assert world.rooms.is_same_past(ROOM, after)
        assert not world.rooms.is_same_past(ROOM, after.model_copy(update={"offset": 7}))


async def test_a_new_epoch_forgets_where_older_runs_found_the_room(tmp_path: Path) -> None:
    path = tmp_path / "relay.db"
    async with relay(path) as world:
        await world.begin()
        await world.events(entry(1))
        before = page_at(world)
    async with relay(path) as world:
        await world.hear(Topic.UP_SNAPSHOT, snapshot(5, epoch="e2"))
        await world.events(entry(6, epoch="e2"))
        now = page_at(world)
        assert now.epoch == "e2"
        moved = now.in_run(before.run)
        assert [world.rooms.is_same_past(ROOM, one) for one in (now, moved)] == [True, False]
    async with relay(path) as world:
        assert [world.rooms.is_same_past(ROOM, one) for one in (now, moved)] == [True, False]


async def test_so_many_openings_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "relay.db"
    async with relay(path) as world:
        await world.begin()
        await world.events(entry(1))
        stood = page_at(world)
    for nth in range(OPENINGS_KEPT):
        async with relay(path) as world:
            await world.events(entry(2 + nth))
            is_known = nth < OPENINGS_KEPT - 1
            assert world.rooms.is_same_past(ROOM, stood) is is_known
    with sqlite3.connect(path) as db:
        (runs,) = db.execute("SELECT count(*) FROM store_runs").fetchone()
        (heads,) = db.execute("SELECT count(*) FROM room_runs").fetchone()
    db.close()
    assert (runs, heads) == (OPENINGS_KEPT, OPENINGS_KEPT)
