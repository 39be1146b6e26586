"""Copies what can be read from one database to another: off a failing disk, out of a damaged file."""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
from typing import Final

import aiosqlite

from edge.store.carrying import begin_epoch, bequest_of
from laundryd.wire.ids import Epoch, Run

log = logging.getLogger("laundryd.edge.store")

TABLES: Final[dict[str, bool]] = {
    "machines": True,
    "answers": True,
    "notices": True,
    "detectors": True,
    "learned": False,
    "documents": False,
    "residents": False,
    "devices": False,
    "join_codes": False,
    "link_codes": False,
}
"""Table, in an order that references allow, and whether its rows are of the room's state, where an old
row beside a new one would be wrong. The journal is not among them, nor the runs that wrote it: a new
epoch begins both anew, with what ``edge.store.carrying`` takes over."""
_BODIES: Final = frozenset({"body", "command", "answer"})
CHUNK_ROWS: Final = 500


def new_epoch_name() -> Epoch:
    """Make a name that no other epoch of any room has."""
    return secrets.token_hex(8)


def new_run_name() -> Run:
    """Make a name that no other opening of any store has."""
    return secrets.token_hex(8)


async def copy_rows(
    source: aiosqlite.Connection,
    target: aiosqlite.Connection,
    epoch: Epoch,
    run: Run,
    *,
    replace_all: bool = True,
) -> bool:
    """Copy all rows into ``target`` and begin ``epoch`` there; call it inside a transaction of ``target``.

    What the relay was not told goes over into the new journal, written in ``run``. With ``replace_all``
    false, rows of ``target`` that are no state of the room and not in ``source`` stay. False is returned
    when something could not be read; it is logged and left out.

    Raises:
        sqlite3.Error: ``target`` cannot be written.

    """
    whole = True
    bequest = await bequest_of(source)
    if not replace_all:
        bequest.add(await bequest_of(target))
    for table, is_state in TABLES.items():
        if replace_all or is_state:
            await target.execute(f"DELETE FROM {table}")  # noqa: S608 -- a name of the table above
        # A resident that is replaced would take their devices along.
        verb = "IGNORE" if table == "residents" and not replace_all else "REPLACE"
        whole &= await _copy_table(source, target, table, verb)
    await target.execute(
        "INSERT INTO meta (only_row, epoch, head, last_public, acked, dropped)"
        " VALUES (1, '', 0, 0, 0, 0) ON CONFLICT DO NOTHING"
    )
    await begin_epoch(target, epoch, run, bequest)
    if not await _copy_clock(source, target):
        # How the detectors' times compare to ours is not known then: they begin anew.
        await target.execute("DELETE FROM detectors")
        return False
    return whole


async def _copy_table(
    source: aiosqlite.Connection, target: aiosqlite.Connection, table: str, verb: str
) -> bool:
    after, whole = 0, True
    while True:
        try:
            rows = list(
                await source.execute_fetchall(
                    f"SELECT rowid AS _row, * FROM {table} WHERE rowid > ?"  # noqa: S608 -- as above
                    f" ORDER BY rowid LIMIT {CHUNK_ROWS}",
                    (after,),
                )
            )
        except sqlite3.Error as error:
            log.error("%s cannot be read to its end: %s", table, error)  # noqa: TRY400 -- no news in it
            return False
        if not rows:
            return whole
        after = rows[-1]["_row"]
        for row in rows:
            if not _is_sound(row):
                log.error("a damaged row of %s is left out", table)
                whole = False
                continue
            values = tuple(row)[1:]
            marks = ", ".join("?" * len(values))
            try:
                await target.execute(f"INSERT OR {verb} INTO {table} VALUES ({marks})", values)  # noqa: S608
            except (sqlite3.IntegrityError, sqlite3.InterfaceError) as error:
                log.error("a row of %s is left out: %s", table, error)  # noqa: TRY400
                whole = False


async def _copy_clock(source: aiosqlite.Connection, target: aiosqlite.Connection) -> bool:
    try:
        rows = list(await source.execute_fetchall("SELECT clock, clock_shift_ms FROM meta"))
    except sqlite3.Error as error:
        log.error("the kept clock cannot be read: %s", error)  # noqa: TRY400
        return False
    if not rows:
        return False
    await target.execute("UPDATE meta SET clock = ?, clock_shift_ms = ?", tuple(rows[0]))
    return True


def _is_sound(row: aiosqlite.Row) -> bool:
    """Say whether the row's JSON is JSON: damage may hide where SQLite does not look."""
    for name in _BODIES.intersection(row.keys()):
        try:
            json.loads(row[name])
        except (ValueError, TypeError):
            return False
    return True
