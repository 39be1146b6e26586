"""The openings of the store that it remembers, and where the journal ended when each began.

By them a page's position is told from one of another past (``laundryd.live.openings``). Only the room's
daemon begins a run: a command line beside it opens the same file and writes no numbers.
"""

from __future__ import annotations

import aiosqlite

from laundryd.live.openings import OPENINGS_KEPT, Opening
from laundryd.wire.ids import Offset, Run


async def begin_run(db: aiosqlite.Connection, run: Run, head: Offset) -> None:
    """Note that ``run`` goes on at ``head``; call it inside a transaction. Once noted it stays."""
    await db.execute(
        "INSERT INTO runs (run, head) VALUES (?, ?) ON CONFLICT (run) DO NOTHING", (run, head)
    )
    await db.execute(
        "DELETE FROM runs WHERE nth <= (SELECT max(nth) FROM runs) - ?", (OPENINGS_KEPT,)
    )


async def begin_runs_anew(db: aiosqlite.Connection, run: Run, head: Offset) -> None:
    """Forget every run but ``run``: an epoch begins in it, at ``head``. Call it inside a transaction."""
    await db.execute("DELETE FROM runs")
    await begin_run(db, run, head)


async def openings(db: aiosqlite.Connection) -> tuple[Opening, ...]:
    """Return the openings of the present epoch, oldest first."""
    rows = await db.execute_fetchall("SELECT run, head FROM runs ORDER BY nth")
    return tuple(Opening(row["run"], row["head"]) for row in rows)
