"""Bells that end, in SQLite: what browsers said of their subscriptions, and which end was told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import aiosqlite

from laundryd.wire.ids import NoticeId, ResidentId, RoomKey
from laundryd.wire.times import from_rfc3339, to_rfc3339


@dataclass(frozen=True, slots=True)
class BellEnd:
    """A subscription that ends; times are real. ``room``: one of its owner's, where a tap leads."""

    subscription: str
    resident: ResidentId
    room: RoomKey
    name: str
    created_at: datetime
    expires_at: datetime


_UNTOLD = (
    "SELECT s.id, d.resident, m.room, coalesce(s.name, d.name) AS name, s.created_at, s.expires_at"
    " FROM subscriptions s JOIN devices d ON d.device = s.device"
    " JOIN (SELECT resident, min(room) AS room FROM memberships GROUP BY resident) m"
    " ON m.resident = d.resident WHERE s.expires_at > ? AND s.expires_at <= ? AND NOT EXISTS"
    " (SELECT 1 FROM bell_warnings w WHERE w.subscription = s.id AND w.expires_at = s.expires_at)"
    " ORDER BY s.expires_at, s.id"
)


async def untold(db: aiosqlite.Connection, now: datetime, until: datetime) -> list[BellEnd]:
    """Read which subscriptions end after ``now`` and by ``until``, and were not told of."""
    rows = await db.execute_fetchall(_UNTOLD, (to_rfc3339(now), to_rfc3339(until)))
    return [
        BellEnd(
            subscription=row["id"],
            resident=row["resident"],
            room=row["room"],
            name=row["name"],
            created_at=from_rfc3339(row["created_at"]),
            expires_at=from_rfc3339(row["expires_at"]),
        )
        for row in rows
    ]


async def keep(db: aiosqlite.Connection, told: Iterable[tuple[BellEnd, NoticeId]]) -> None:
    """Note, in the caller's transaction, that these ends are told, each by its notice."""
    await db.executemany(
        "INSERT OR REPLACE INTO bell_warnings (subscription, expires_at, notice_id) VALUES (?, ?, ?)",
        [(end.subscription, to_rfc3339(end.expires_at), notice_id) for end, notice_id in told],
    )


async def drop_renewed(db: aiosqlite.Connection) -> list[NoticeId]:
    """Forget what was told of subscriptions that are gone or end at another time; return the notices.

    In the caller's transaction.
    """
    rows = await db.execute_fetchall(
        "DELETE FROM bell_warnings WHERE NOT EXISTS (SELECT 1 FROM subscriptions s"
        " WHERE s.id = subscription AND s.expires_at = bell_warnings.expires_at) RETURNING notice_id"
    )
    return [row["notice_id"] for row in rows]
