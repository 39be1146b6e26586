"""What a database is on disk, and how it grows from version to version."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest

from laundryd.daemon.sqlite import MigrationError, open_database, transaction

FIRST = "CREATE TABLE notes (body TEXT NOT NULL)"
SECOND = "ALTER TABLE notes ADD COLUMN at TEXT; UPDATE notes SET at = 'then'"
BROKEN = "CREATE TABLE more (x); INSERT INTO nowhere VALUES (1)"


async def bodies(path: Path) -> list[str]:
    db = await open_database(path, [FIRST])
    async with db.execute("SELECT body FROM notes ORDER BY rowid") as cursor:
        found = [row["body"] for row in await cursor.fetchall()]
    await db.close()
    return found


async def test_the_file_and_its_side_files_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "room.db"
    db = await open_database(path, [FIRST])
    async with transaction(db):
        await db.execute("INSERT INTO notes VALUES ('x')")
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert modes["room.db"] == 0o600
    assert set(modes.values()) == {0o600}
    await db.close()


async def test_what_is_promised_is_on_the_disk(tmp_path: Path) -> None:
    db = await open_database(tmp_path / "room.db", [FIRST])
    for pragma, wanted in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
        async with db.execute(f"PRAGMA {pragma}") as cursor:
            row = await cursor.fetchone()
        assert row is not None
        assert row[0] == wanted
    await db.close()


async def test_migrations_run_once_each_in_order(tmp_path: Path) -> None:
    path = tmp_path / "room.db"
    db = await open_database(path, [FIRST])
    await db.execute("INSERT INTO notes VALUES ('kept')")
    await db.close()
    for _ in range(2):
        db = await open_database(path, [FIRST, SECOND])
        async with db.execute("SELECT body, at FROM notes") as cursor:
            assert [tuple(row) for row in await cursor.fetchall()] == [("kept", "then")]
        await db.close()


async def test_a_migration_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "room.db"
    await (await open_database(path, [FIRST])).close()
    with pytest.raises(sqlite3.Error, match="nowhere"):
        await open_database(path, [FIRST, BROKEN])
    db = await open_database(path, [FIRST])
    async with db.execute("SELECT name FROM sqlite_master WHERE name = 'more'") as cursor:
        assert await cursor.fetchone() is None
    await db.close()


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "room.db"
    await (await open_database(path, [FIRST, SECOND])).close()
    with pytest.raises(MigrationError, match=r"schema 2 is newer .* run the newer version"):
        await open_database(path, [FIRST])


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "room.db"
    path.write_bytes(b"laundry" * 1_000)
    with pytest.raises(sqlite3.DatabaseError):
        await open_database(path, [FIRST])


async def test_tasks_of_one_connection_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "room.db"
    db = await open_database(path, [FIRST])

    async def pair(name: str) -> None:
        async with transaction(db):
            await db.execute("INSERT INTO notes VALUES (?)", (name,))
            await asyncio.sleep(0)
            await db.execute("INSERT INTO notes VALUES (?)", (name,))

    await asyncio.gather(*(pair(str(n)) for n in range(10)))
    await db.close()
    found = await bodies(path)
    assert found[::2] == found[1::2]
    assert sorted(set(found)) == sorted(str(n) for n in range(10))


async def test_a_database_in_memory_is_gone_when_closed() -> None:
    db = await open_database(None, [FIRST])
    await db.execute("INSERT INTO notes VALUES ('x')")
    await db.close()
    db = await open_database(None, [FIRST])
    async with db.execute("SELECT * FROM notes") as cursor:
        assert await cursor.fetchall() == []
    await db.close()
