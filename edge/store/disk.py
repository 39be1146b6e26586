"""The database's file: opened and checked, and what becomes of one that is damaged or cannot be written."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiosqlite

from edge.store.limits import DAMAGED_FILES_MAX
from edge.store.migrations import MIGRATIONS
from edge.store.rows import copy_rows, new_epoch_name, new_run_name
from edge.store.wal import log_trouble
from laundryd.daemon.sqlite import (
    DAMAGED,
    MigrationError,
    check,
    empty_log,
    open_database,
    primary_code,
    transaction,
)

log = logging.getLogger("laundryd.edge.store")

SIDE_FILES: Final = ("-wal", "-shm")


async def open_on_disk(path: Path, max_bytes: int | None) -> aiosqlite.Connection:
    """Open and check the file at ``path``; a damaged one is moved aside and a new one made of its rest.

    Raises:
        laundryd.daemon.sqlite.MigrationError: a newer version wrote the file.
        sqlite3.Error, OSError: it cannot be written, or too many damaged ones lie there.

    """
    _finish_mending(path)
    try:
        _check_log(path)
        return await _open_checked(path, max_bytes)
    except sqlite3.Error as error:
        if primary_code(error) not in DAMAGED:
            raise
        await _mend(path, error)
    return await _open_checked(path, max_bytes)


async def salvage(path: Path, target: aiosqlite.Connection) -> bool:
    """Copy into ``target`` what can be read of the file at ``path``; False when that is not all.

    A copy of the file is read, because even reading a database with a write-ahead log writes beside it.

    Raises:
        laundryd.daemon.sqlite.MigrationError: a newer version wrote the file.
        sqlite3.Error: ``target`` cannot be written.

    """
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="laundryd-"))
            copy = _copied(path, Path(folder))
            if copy is None:
                return True
            source = await open_database(copy, MIGRATIONS)
        except (OSError, sqlite3.Error) as error:
            log.error("nothing can be read of %s: %s", path.name, error)  # noqa: TRY400
            return False
        try:
            async with transaction(target):
                return await copy_rows(source, target, new_epoch_name(), new_run_name())
        finally:
            await source.close()


def _check_log(path: Path) -> None:
    # Before SQLite opens the file: it would take a damaged log for a short one, and write over the rest.
    trouble = log_trouble(path)
    if trouble is not None:
        error = sqlite3.DatabaseError(trouble)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


async def _open_checked(path: Path, max_bytes: int | None) -> aiosqlite.Connection:
    db = await open_database(path, MIGRATIONS, max_bytes=max_bytes)
    try:
        await check(db)
        # What a crash left in the log goes into the file, and the log begins anew.
        with contextlib.suppress(sqlite3.Error):
            await empty_log(db, cut=True)
    except BaseException:
        await db.close()
        raise
    return db


async def _mend(path: Path, error: sqlite3.Error) -> None:
    """Put a new file, made of what the damaged one lets read, in its place; it is moved aside.

    Raises:
        sqlite3.Error, OSError: the disk cannot be written; the damaged file is where it was.

    """
    if len(list(path.parent.glob(f"{path.name}.damaged-*Z"))) >= DAMAGED_FILES_MAX:
        raise OSError(
            f"{DAMAGED_FILES_MAX} damaged databases lie in {path.parent}: the disk is dying; replace "
            f"it, or remove {path.name}.damaged-*"
        )
    draft = _draft(path)
    for end in ("", *SIDE_FILES):
        draft.with_name(draft.name + end).unlink(missing_ok=True)
    db = await open_database(draft, MIGRATIONS)
    try:
        with contextlib.suppress(MigrationError):
            await salvage(path, db)
    finally:
        await db.close()  # takes its log into the file
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z")
    # The logs first: beside a new file of the old name they would be taken for that one's.
    for end in (*SIDE_FILES, ""):
        side = path.with_name(path.name + end)
        if side.exists():
            side.replace(aside.with_name(aside.name + end))
    draft.replace(path)
    log.error(
        "the room's database was damaged (%s): it was moved to %s and a new one begun from what could "
        "still be read; the numbers begin anew, and residents may have to join again",
        error,
        aside.name,
    )


def _draft(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _finish_mending(path: Path) -> None:
    draft = _draft(path)
    if draft.exists() and not path.exists():
        draft.replace(path)  # we were killed between its two last steps


def _copied(path: Path, folder: Path) -> Path | None:
    """Copy the file and its log into ``folder``; None when there is no file."""
    if not path.exists():
        return None
    copy = folder / "copy.db"
    for end in ("", "-wal"):
        side = path.with_name(path.name + end)
        if side.exists():
            shutil.copyfile(side, copy.with_name(copy.name + end))
    return copy
