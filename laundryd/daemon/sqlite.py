"""SQLite as we use it: write-ahead log, ``synchronous=FULL``, migrations by number.

With ``synchronous=NORMAL`` a power cut takes back what a client was already told; FULL costs one
fsync a transaction and keeps every promise (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

import aiosqlite

from laundryd.daemon.ownership import inherit_owner, make_private_folder

log = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 5_000
"""How long a statement waits for another process that holds the file, e.g. an admin's backup."""

WAL_BYTES_KEPT: Final = 4 * 1024 * 1024
"""The write-ahead log is cut back to this after a large transaction: SQLite never shrinks it by itself."""

TROUBLE: Final[dict[int, str]] = {
    sqlite3.SQLITE_FULL: "its disk is full",
    sqlite3.SQLITE_READONLY: "it can be read but not written",
    sqlite3.SQLITE_PERM: "it can be read but not written",
    sqlite3.SQLITE_IOERR: "its disk answers with errors",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is damaged",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
}
"""SQLite's primary result codes that mean that the disk or the file is at fault, not the statement, and
what they say of the database (https://www.sqlite.org/rescode.html)."""
DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY: Final = 0xFF

Result = TypeVar("Result")
Statement = tuple[str, Sequence[Sequence[object]]]
"""SQL, and its values: it is run once for each of them."""

_locks: WeakKeyDictionary[aiosqlite.Connection, asyncio.Lock] = WeakKeyDictionary()


class MigrationError(Exception):
    """The database was written by a newer version of this program."""


def primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code of ``error``; None when it did not come from SQLite."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY


def disk_trouble(error: BaseException, path: Path | None = None) -> str | None:
    """Say what is wrong with the database's disk or file; None when ``error`` is about something else.

    Another process that holds the file too long, for example, is no trouble of the disk. ``path``: the
    file, to tell a full disk from one that answers with errors: SQLite's code does not always.
    """
    if isinstance(error, sqlite3.Error):
        found = TROUBLE.get(primary_code(error) or 0)
    else:
        found = f"it cannot be opened: {error}" if isinstance(error, OSError) else None
    if found is not None and path is not None and free_bytes(path) == 0:
        return TROUBLE[sqlite3.SQLITE_FULL]
    return found


def free_bytes(path: Path) -> int | None:
    """Return how much may still be written where the file ``path`` is; None when that cannot be told."""
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


async def open_database(
    path: Path | None, migrations: Sequence[str], *, max_bytes: int | None = None
) -> aiosqlite.Connection:
    """Open the database at ``path`` (None: in memory) and bring it to the newest schema.

    ``migrations[n]`` takes schema ``n`` to ``n + 1``; each runs in one transaction. The file and its
    side files are readable by their owner alone. Autocommit is on: write inside ``transaction``.
    ``max_bytes``: the file never grows past it, a write that needs more fails with ``SQLITE_FULL``;
    None: it may fill the disk.

    Raises:
        MigrationError: the file's schema is newer than the last migration.
        sqlite3.Error, OSError: the file cannot be opened or is no database.

    """
    if path is not None:
        _make_file(path)
    db = await aiosqlite.connect(path if path is not None else ":memory:", isolation_level=None)
    try:
        db.row_factory = aiosqlite.Row
        await db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        await db.execute("PRAGMA journal_mode = WAL")
        await db.execute("PRAGMA synchronous = FULL")
        await db.execute("PRAGMA foreign_keys = ON")
        await db.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
        if max_bytes is not None:
            await _cap(db, max_bytes)
        await _migrate(db, migrations, path)
    except BaseException:
        await db.close()
        raise
    return db


async def _cap(db: aiosqlite.Connection, max_bytes: int) -> None:
    ((page_bytes,),) = await db.execute_fetchall("PRAGMA page_size")
    await db.execute(f"PRAGMA max_page_count = {max_bytes // page_bytes}")


async def is_at_cap(db: aiosqlite.Connection, margin_pages: int = 256) -> bool:
    """Say whether the file has come within ``margin_pages`` (of 4 KiB) of its ``max_bytes``."""
    ((pages,),) = await db.execute_fetchall("PRAGMA page_count")
    ((most,),) = await db.execute_fetchall("PRAGMA max_page_count")
    return bool(pages + margin_pages >= most)


async def check(db: aiosqlite.Connection) -> None:
    """Look through the whole file for damage; some 0.1 s for 10 MB.

    Raises:
        sqlite3.DatabaseError: it is damaged; the message says where.

    """
    ((found,),) = await db.execute_fetchall("PRAGMA quick_check(1)")
    if found != "ok":
        error = sqlite3.DatabaseError(found)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


async def empty_log(db: aiosqlite.Connection, *, cut: bool) -> None:
    """Bring what the write-ahead log holds into the file; with ``cut`` the log has no bytes then.

    To cut it waits for others who read, as long as for any lock; else it brings over what they allow.

    Raises:
        sqlite3.Error: the disk refuses; nothing is lost, it stays in the log.

    """
    await db.execute_fetchall(f"PRAGMA wal_checkpoint({'TRUNCATE' if cut else 'PASSIVE'})")


def _make_file(path: Path) -> None:
    make_private_folder(path.parent)
    is_new = not path.exists()
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    if is_new:  # SQLite gives its side files to the owner of this one
        inherit_owner(path)


async def _migrate(db: aiosqlite.Connection, migrations: Sequence[str], path: Path | None) -> None:
    async with db.execute("PRAGMA user_version") as cursor:
        row = await cursor.fetchone()
    version = int(row[0]) if row else 0
    if version > len(migrations):
        raise MigrationError(
            f"{path}: schema {version} is newer than this program knows ({len(migrations)}); "
            "run the newer version, or restore the backup made before its upgrade"
        )
    is_new = version == 0
    for number, script in enumerate(migrations[version:], start=version + 1):
        # One script with its own BEGIN: executescript would otherwise commit half a migration.
        await db.executescript(
            f"BEGIN IMMEDIATE;\n{script};\nPRAGMA user_version = {number};\nCOMMIT;"
        )
    if path is not None and is_new:
        # A database that lives wholly in its log is lost with it.
        await empty_log(db, cut=True)


@asynccontextmanager
async def transaction(db: aiosqlite.Connection) -> AsyncIterator[aiosqlite.Connection]:
    """Run one write transaction; tasks of this connection take turns. Not re-entrant.

    An exception or a cancellation inside rolls everything back. A cancellation during the commit finds
    it done or not done; in either case the next transaction begins cleanly.
    """
    lock = _locks.setdefault(db, asyncio.Lock())
    async with lock:
        try:
            await db.execute("BEGIN IMMEDIATE")
            yield db
            await db.execute("COMMIT")
        except BaseException:
            if await _to_its_end(_roll_back(db)):
                # Else the caller would take the error for all that happened, and go on for ever.
                raise asyncio.CancelledError from None
            raise


async def execute_all(db: aiosqlite.Connection, statements: Iterable[Statement]) -> None:
    """Run ``statements`` in order, each once for each of its rows; call it inside ``transaction``.

    All of them take one turn of the connection's thread.

    Raises:
        sqlite3.Error: one failed; those before it have taken effect within the transaction.

    """
    todo = list(statements)

    def run(connection: sqlite3.Connection) -> None:
        for sql, rows in todo:
            connection.executemany(sql, rows)

    await in_one_turn(db, run)


async def in_one_turn(
    db: aiosqlite.Connection, work: Callable[[sqlite3.Connection], Result]
) -> Result:
    """Return what ``work`` returns, done in the connection's thread: it must touch nothing of the loop's.

    The way there and back costs ten times what SQLite needs for a row.
    """
    found: Result = await db._execute(work, db._conn)  # type: ignore[no-untyped-call]  # noqa: SLF001 -- aiosqlite has no public way to do several things in a turn
    return found


async def _roll_back(db: aiosqlite.Connection) -> None:
    # A cancelled statement is carried out all the same, by the connection's thread and in order: when
    # that thread has answered once more, BEGIN or COMMIT are over and it is known where we stand.
    await db.execute_fetchall("SELECT 1")
    if db.in_transaction:
        await db.execute("ROLLBACK")


async def _to_its_end(work: Coroutine[object, object, None]) -> bool:
    """Wait for ``work`` whatever comes, so that the lock is held until it is over.

    True when we were cancelled meanwhile: the caller must raise it.
    """
    task = asyncio.create_task(work)
    was_cancelled = False
    while not task.done():
        try:
            with contextlib.suppress(sqlite3.Error, ValueError):
                await asyncio.shield(task)
        except asyncio.CancelledError:
            was_cancelled = True
    if (error := task.exception()) is not None:
        # What led here is raised; a connection that cannot roll back refuses the next BEGIN.
        log.error("a transaction could not be rolled back", exc_info=error)
    return was_cancelled
