"""Outages in SQLite: which rooms are not heard, since when, and whether that was told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiosqlite

from cloud_relay.notify.store import from_ms, to_ms
from laundryd.wire.ids import RoomKey


@dataclass(frozen=True, slots=True)
class Outage:
    """A room that is not heard. ``since``: room time. ``told``: it was planned for those it concerns."""

    since: datetime
    told: bool = False


async def load(db: aiosqlite.Connection) -> dict[RoomKey, Outage]:
    """Read all that is kept."""
    rows = await db.execute_fetchall("SELECT room, since_ms, told FROM room_outages")
    return {row["room"]: Outage(from_ms(row["since_ms"]), bool(row["told"])) for row in rows}


async def begin(db: aiosqlite.Connection, outages: Mapping[RoomKey, Outage]) -> None:
    """Keep outages that began, in the caller's transaction; each takes the place of an older one."""
    await db.executemany(
        "INSERT OR REPLACE INTO room_outages (room, since_ms, told) VALUES (?, ?, ?)",
        [(room, to_ms(one.since), one.told) for room, one in outages.items()],
    )


async def mark_told(db: aiosqlite.Connection, room: RoomKey) -> None:
    """Note, in the caller's transaction, that the outage of ``room`` is told."""
    await db.execute("UPDATE room_outages SET told = 1 WHERE room = ?", (room,))


async def end(db: aiosqlite.Connection, rooms: Iterable[RoomKey]) -> None:
    """Forget outages that are over, in the caller's transaction."""
    await db.executemany("DELETE FROM room_outages WHERE room = ?", [(room,) for room in rooms])


async def move(db: aiosqlite.Connection, shift: timedelta) -> None:
    """Move all outages by ``shift`` (room time), in the caller's transaction: the clock was set."""
    ms = round(shift / timedelta(milliseconds=1))
    await db.execute("UPDATE room_outages SET since_ms = since_ms + ?", (ms,))
