"""The openings of the relay's database, and where each room's journal stood when one began to write to it.

By them a page's position is told from one of another past (``laundryd.live.openings``): a relay restored
from a backup together with a room's computer gives out again what its pages have as something else. A page
keeps the relay's own run, not the run of the edge that wrote an entry: the edge's changes while a page is
connected, and no event says so. Only a relay that serves begins a run; a command line writes no numbers.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Self

import aiosqlite

from cloud_relay.rooms.state import RoomState
from laundryd.daemon.sqlite import Statement, execute_all, transaction
from laundryd.live.openings import OPENINGS_KEPT, Opening, is_same_past
from laundryd.wire.ids import PagePosition, RoomKey, Run


@dataclass(frozen=True, slots=True)
class Runs:
    """The openings that the database remembers, by number, oldest first; the last one is the present."""

    known: tuple[tuple[int, Run], ...]

    @classmethod
    async def begin(cls, db: aiosqlite.Connection) -> Self:
        """Begin a run of this database, and forget those that are too old to matter."""
        async with transaction(db):
            await db.execute("INSERT INTO store_runs (run) VALUES (?)", (secrets.token_hex(8),))
            for table in ("store_runs", "room_runs"):
                await db.execute(
                    f"DELETE FROM {table} WHERE nth <= (SELECT max(nth) FROM store_runs) - ?",  # noqa: S608 -- two fixed texts
                    (OPENINGS_KEPT,),
                )
            rows = await db.execute_fetchall("SELECT nth, run FROM store_runs ORDER BY nth")
        return cls(tuple((row["nth"], row["run"]) for row in rows))

    @property
    def present(self) -> Run:
        """The run that began last."""
        return self.known[-1][1]

    def is_same_past(self, state: RoomState, position: PagePosition) -> bool:
        """Say whether the room's journal, in its present epoch, went through ``position``."""
        if position.run == self.present:
            return True
        heads = dict(state.run_heads)
        openings = (Opening(run, heads.get(nth)) for nth, run in self.known)
        return is_same_past(position, self.present, openings)

    async def note(
        self, db: aiosqlite.Connection, before: RoomState, after: RoomState
    ) -> RoomState:
        """Note, inside the caller's transaction, where this run found the room, if it did not yet.

        An epoch that begins in it was not there before: of older runs nothing but its beginning counts.
        """
        nth = self.known[-1][0]
        old, new = before.position, after.position
        is_same = old is not None and new is not None and old.epoch == new.epoch
        if is_same and after.run_heads and after.run_heads[-1][0] == nth:
            return after
        head = old.offset if old is not None and is_same else 0
        heads = (*(after.run_heads if is_same else ()), (nth, head))[-OPENINGS_KEPT:]
        await execute_all(
            db, [*_forgotten(after.room, is_same=is_same), _noted(after.room, nth, head)]
        )
        return replace(after, run_heads=heads)


def _forgotten(room: RoomKey, *, is_same: bool) -> list[Statement]:
    return [] if is_same else [("DELETE FROM room_runs WHERE room = ?", [(room,)])]


def _noted(room: RoomKey, nth: int, head: int) -> Statement:
    sql = "INSERT INTO room_runs (room, nth, head) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    return sql, [(room, nth, head)]
