"""Each schema that was ever written opens in this version, with its data; a newer one is refused."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from edge.room.records import RECORD, MachineRecord
from edge.store.edge_store import EdgeStore
from edge.store.migrations import MIGRATIONS
from laundryd.daemon.sqlite import MigrationError
from laundryd.wire.machines import MachineKind
from laundryd.wire.phases import Phase, Sensor
from tests.edge.room.driver import NOON

SCHEMAS: Final = Path(__file__).with_name("schemas")
"""``N.sql``: schema N as SQLite itself told it when it was the newest. Add one a migration; never edit."""
WITHOUT_SNAPSHOT_DUE: Final = 3
RUNNING: Final = MachineRecord(
    machine="w1",
    kind=MachineKind.WASHER,
    name="Washer 1",
    since=NOON,
    sensor=Sensor.OK,
    sensor_since=NOON,
    phase=Phase.IN_USE,
    owner="anna",
    started_at=NOON,
    plug_cycle_since=NOON,
)


def _old_file(path: Path, version: int) -> None:
    with sqlite3.connect(path) as db:
        db.executescript((SCHEMAS / f"{version}.sql").read_text(encoding="utf-8"))
        also = ", snapshot_due" if version < WITHOUT_SNAPSHOT_DUE else ""
        db.execute(
            f"INSERT INTO meta (only_row, epoch, head, last_public, acked, dropped{also})"  # noqa: S608 -- as above
            f" VALUES (1, 'old', 7, 6, 5, 2{', 0' if also else ''})"
        )
        db.execute("INSERT INTO machines VALUES ('w1', ?)", (RECORD.dump_json(RUNNING).decode(),))
        db.execute("INSERT INTO detectors VALUES ('w1', '{}')")
        db.execute("INSERT INTO residents VALUES ('anna', 'ko', '2026-01-01T00:00:00.000Z')")
        db.execute(f"PRAGMA user_version = {version}")
    db.close()


def test_every_version_has_its_schema_here() -> None:
    there = sorted(int(one.stem) for one in SCHEMAS.glob("*.sql"))
    assert there == list(range(1, len(MIGRATIONS) + 1))


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
async def test_a_file_of_each_version_is_taken_up_with_its_data(
    store_path: Path, version: int
) -> None:
    _old_file(store_path, version)
    store = await EdgeStore.take_up(store_path)
    assert store.durable
    head = store.room.head
    assert (head.epoch, head.offset, head.last_public) == ("old", 7, 6)
    assert (store.room.acked, store.room.dropped) == (5, 2)
    assert await store.room.records() == [RUNNING], "a running cycle survives an upgrade"
    assert await store.people.lang("anna") == "ko"
    assert await store.documents.detector("w1") == "{}"
    assert await store.documents.learned("w1") is None
    assert (store.room.clock, store.room.clock_shift) == (None, timedelta())
    await store.close()


async def test_migrated_and_new_files_have_the_same_tables(tmp_path: Path) -> None:
    _old_file(tmp_path / "old.db", 1)
    tables = []
    for name in ("old.db", "new.db"):
        store = await EdgeStore.open(tmp_path / name)
        found = await store.shelf.read(
            "SELECT m.name, c.name, c.type, c.pk FROM sqlite_schema m, pragma_table_info(m.name) c"
            " WHERE m.type = 'table' ORDER BY 1, 2"
        )
        tables.append([tuple(row) for row in found])
        await store.close()
    assert tables[0] == tables[1]


async def test_a_newer_file_is_refused_and_left_as_it_is(store_path: Path) -> None:
    _old_file(store_path, len(MIGRATIONS))
    with sqlite3.connect(store_path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(MigrationError, match="run the newer version, or restore the backup"):
        await EdgeStore.take_up(store_path)
    assert [one.name for one in store_path.parent.iterdir() if "damaged" in one.name] == []
    with sqlite3.connect(store_path) as db:
        assert db.execute("SELECT epoch FROM meta").fetchone() == ("old",)
    db.close()
