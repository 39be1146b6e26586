"""SQLite as we use it: write-ahead log, ``synchronous=FULL``, migrations by number.

With ``synchronous=NORMAL`` a power cut takes back what a client was already told; FULL costs one
fsync a transaction and keeps every promise (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

import aiosqlite

BUSY_TIMEOUT_MS = 5_000
"""How long a statement waits for another process that holds the file, e.g. an admin's backup."""

_locks: WeakKeyDictionary[aiosqlite.Connection, asyncio.Lock] = WeakKeyDictionary()


class MigrationError(Exception):
    """The database was written by a newer version of this program."""


async def open_database(path: Path | None, migrations: Sequence[str]) -> aiosqlite.Connection:
    """Open the database at ``path`` (None: in memory) and bring it to the newest schema.

    ``migrations[n]`` takes schema ``n`` to ``n + 1``; each runs in one transaction. The file and its
    side files are readable by their owner alone. Autocommit is on: write inside ``transaction``.

    Raises:
        MigrationError: the file's schema is newer than the last migration.
        sqlite3.Error, OSError: the file cannot be opened or is no database.

    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = await aiosqlite.connect(path if path is not None else ":memory:", isolation_level=None)
    try:
        db.row_factory = aiosqlite.Row
        await db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        await db.execute("PRAGMA journal_mode = WAL")
        await db.execute("PRAGMA synchronous = FULL")
        await db.execute("PRAGMA foreign_keys = ON")
        await _migrate(db, migrations, path)
    except BaseException:
        await db.close()
        raise
    return db


async def _migrate(db: aiosqlite.Connection, migrations: Sequence[str], path: Path | None) -> None:
    async with db.execute("PRAGMA user_version") as cursor:
        row = await cursor.fetchone()
    version = int(row[0]) if row else 0
    if version > len(migrations):
        raise MigrationError(
            f"{path}: schema {version} is newer than this program knows ({len(migrations)}); "
            "run the newer version, or restore the backup made before its upgrade"
        )
    for number, script in enumerate(migrations[version:], start=version + 1):
        # One script with its own BEGIN: executescript would otherwise commit half a migration.
        await db.executescript(
            f"BEGIN IMMEDIATE;\n{script};\nPRAGMA user_version = {number};\nCOMMIT;"
        )


@asynccontextmanager
async def transaction(db: aiosqlite.Connection) -> AsyncIterator[aiosqlite.Connection]:
    """Run one write transaction; tasks of this connection take turns. Not re-entrant.

    An exception or a cancellation inside rolls everything back.
    """
    lock = _locks.setdefault(db, asyncio.Lock())
    async with lock:
        await db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            # Shielded: once the work is done a cancellation must not leave it undecided.
            await asyncio.shield(db.execute("COMMIT"))
        except BaseException:
            if db.in_transaction:
                await asyncio.shield(db.execute("ROLLBACK"))
            raise
