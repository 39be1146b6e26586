"""Announcements in SQLite: the statements, and nothing that decides. Times are room time.

Functions that write run in the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import aiosqlite

from cloud_relay.notify.plan import PUSH_ENDED, UNSEEN
from cloud_relay.notify.store import from_ms, to_ms
from laundryd.wire.announcements import (
    AnnouncementBody,
    AnnouncementCounts,
    AnnouncementId,
    OccurrenceId,
)
from laundryd.wire.delivery import DeliveryState
from laundryd.wire.ids import NoticeId, ResidentId, RoomKey

KEPT_FOR: Final = timedelta(days=30)
"""How long an announcement that is over is listed."""
LISTED_MAX: Final = 200
_FAILED: Final = (DeliveryState.UNREACHABLE, DeliveryState.EXPIRED, DeliveryState.MOOT)
_APP_ONLY: Final = (DeliveryState.APP_ONLY, DeliveryState.DECLINED)


@dataclass(frozen=True, slots=True)
class Kept:
    """One announcement as it is kept."""

    id: AnnouncementId
    author: str
    body: AnnouncementBody
    created_at: datetime
    next_at: datetime | None
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What has gone once, in the words that it went with."""

    id: OccurrenceId
    announcement: AnnouncementId
    due_at: datetime
    until: datetime
    missed: bool
    body: AnnouncementBody


async def insert(db: aiosqlite.Connection, kept: Kept) -> None:
    """Keep a new announcement."""
    await db.execute(
        "INSERT INTO announcements (announcement, author, body, created_at_ms, next_at_ms)"
        " VALUES (?, ?, ?, ?, ?)",
        (kept.id, kept.author, kept.body.model_dump_json(), to_ms(kept.created_at),
         to_ms(kept.next_at) if kept.next_at else None),
    )  # fmt: skip


async def rewrite(
    db: aiosqlite.Connection, announcement: AnnouncementId, body: AnnouncementBody, at: datetime
) -> None:
    """Keep a new body of one that has not gone, which goes at ``at``."""
    await db.execute(
        "UPDATE announcements SET body = ?, next_at_ms = ? WHERE announcement = ?",
        (body.model_dump_json(), to_ms(at), announcement),
    )


async def set_next(
    db: aiosqlite.Connection, announcement: AnnouncementId, at: datetime | None
) -> None:
    """Keep when it goes again."""
    await db.execute(
        "UPDATE announcements SET next_at_ms = ? WHERE announcement = ?",
        (to_ms(at) if at else None, announcement),
    )


async def cancel(db: aiosqlite.Connection, announcement: AnnouncementId, now: datetime) -> None:
    """Let it go no more, and end what is shown of it."""
    await db.execute(
        "UPDATE announcements SET next_at_ms = NULL, cancelled = 1 WHERE announcement = ?",
        (announcement,),
    )
    await db.execute(
        "UPDATE occurrences SET until_ms = ?2 WHERE announcement = ?1 AND until_ms > ?2",
        (announcement, to_ms(now)),
    )


async def one(db: aiosqlite.Connection, announcement: AnnouncementId) -> Kept | None:
    """Read one announcement; None when there is none."""
    rows = await db.execute_fetchall(
        "SELECT * FROM announcements WHERE announcement = ?", (announcement,)
    )
    return next((_kept(row) for row in rows), None)


async def newest(db: aiosqlite.Connection) -> list[Kept]:
    """Read the newest announcements, newest first."""
    rows = await db.execute_fetchall(
        "SELECT * FROM announcements ORDER BY created_at_ms DESC, announcement LIMIT ?",
        (LISTED_MAX,),
    )
    return [_kept(row) for row in rows]


async def due(db: aiosqlite.Connection, now: datetime) -> list[Kept]:
    """Read what is due, the oldest first."""
    rows = await db.execute_fetchall(
        "SELECT * FROM announcements WHERE next_at_ms <= ? ORDER BY next_at_ms, announcement",
        (to_ms(now),),
    )
    return [_kept(row) for row in rows]


async def next_moment(db: aiosqlite.Connection, now: datetime) -> datetime | None:
    """Return when something goes or ends next after ``now``; None when nothing does."""
    rows = await db.execute_fetchall(
        "SELECT min(at_ms) AS at_ms FROM (SELECT min(next_at_ms) AS at_ms FROM announcements"
        " UNION ALL SELECT min(until_ms) FROM occurrences WHERE until_ms > ?)",
        (to_ms(now),),
    )
    at_ms = next(iter(rows))["at_ms"]
    return None if at_ms is None else from_ms(at_ms)


async def insert_occurrence(db: aiosqlite.Connection, occurrence: Occurrence) -> bool:
    """Keep what goes now; False when it has gone before."""
    cursor = await db.execute(
        "INSERT INTO occurrences (occurrence, announcement, due_at_ms, until_ms, body, missed)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (occurrence.id, occurrence.announcement, to_ms(occurrence.due_at),
         to_ms(occurrence.until), occurrence.body.model_dump_json(), occurrence.missed),
    )  # fmt: skip
    return cursor.rowcount == 1


async def insert_notices(
    db: aiosqlite.Connection, occurrence: OccurrenceId, notices: Iterable[NoticeId]
) -> None:
    """Keep which notices are of an occurrence."""
    await db.executemany(
        "INSERT INTO occurrence_notices (notice, occurrence) VALUES (?, ?)",
        [(notice, occurrence) for notice in notices],
    )


async def unsaid_of_cancelled(db: aiosqlite.Connection, now: datetime) -> list[NoticeId]:
    """Read the notices of cancelled announcements that might still be told, or a page still show.

    What a push told, or nobody could be told, a page that comes would list until it is of no use any more.
    """
    rows = await db.execute_fetchall(
        "SELECT n.id FROM announcements a JOIN occurrences o USING (announcement)"
        " JOIN occurrence_notices USING (occurrence) JOIN notices n ON n.id = notice"
        " WHERE a.cancelled AND (n.state IN (SELECT value FROM json_each(?))"
        " OR n.state IN (SELECT value FROM json_each(?)) AND n.useful_until_ms > ?)",
        (
            json.dumps(sorted(UNSEEN - PUSH_ENDED)),
            json.dumps(sorted(PUSH_ENDED)),
            to_ms(now),
        ),
    )
    return [row["id"] for row in rows]


async def shown(db: aiosqlite.Connection, now: datetime) -> list[Occurrence]:
    """Read what is shown at ``now``, the newest first."""
    rows = await db.execute_fetchall(
        "SELECT * FROM occurrences WHERE until_ms > ? AND NOT missed"
        " ORDER BY due_at_ms DESC, occurrence",
        (to_ms(now),),
    )
    return [_occurrence(row) for row in rows]


async def last_of(
    db: aiosqlite.Connection, announcements: Sequence[AnnouncementId]
) -> dict[AnnouncementId, Occurrence]:
    """Read the newest occurrence of each announcement; who has none is left out."""
    rows = await db.execute_fetchall(
        "SELECT * FROM occurrences WHERE announcement IN (SELECT value FROM json_each(?))"
        " ORDER BY due_at_ms",
        (json.dumps(announcements),),
    )
    return {row["announcement"]: _occurrence(row) for row in rows}


async def addressed(
    db: aiosqlite.Connection, rooms: Iterable[RoomKey]
) -> dict[ResidentId, RoomKey]:
    """Read who has joined one of ``rooms``, each with the first of theirs."""
    rows = await db.execute_fetchall(
        "SELECT resident, min(room) AS room FROM memberships"
        " WHERE room IN (SELECT value FROM json_each(?)) GROUP BY resident ORDER BY resident",
        (json.dumps(sorted(rooms)),),
    )
    return {row["resident"]: row["room"] for row in rows}


async def counts(
    db: aiosqlite.Connection, occurrences: Iterable[OccurrenceId]
) -> dict[OccurrenceId, AnnouncementCounts]:
    """Count what became of the notices of each occurrence; one without notices is left out."""
    rows = await db.execute_fetchall(
        "SELECT o.occurrence, n.state, n.shown_at_ms IS NOT NULL AS shown,"
        " n.pushed_at_ms IS NOT NULL AS pushed, count(*) AS residents"
        " FROM occurrence_notices o JOIN notices n ON n.id = o.notice"
        " WHERE o.occurrence IN (SELECT value FROM json_each(?)) GROUP BY 1, 2, 3, 4",
        (json.dumps(list(occurrences)),),
    )
    found: dict[OccurrenceId, dict[str, int]] = {}
    for row in rows:
        counted = found.setdefault(
            row["occurrence"], dict.fromkeys(AnnouncementCounts.model_fields, 0)
        )
        counted["addressed"] += row["residents"]
        counted[_outcome(DeliveryState(row["state"]), row["shown"], row["pushed"])] += row[
            "residents"
        ]
    return {occurrence: AnnouncementCounts(**counted) for occurrence, counted in found.items()}


def _outcome(state: DeliveryState, shown: int, pushed: int) -> str:
    """Name the first that holds of ``AnnouncementCounts``."""
    if state is DeliveryState.READ:
        return "read"
    if shown:
        return "on_socket"
    if pushed:
        return "pushed"
    if state in _APP_ONLY:
        return "app_only"
    return "failed" if state in _FAILED else "waiting"


async def prune(db: aiosqlite.Connection, now: datetime) -> int:
    """Forget announcements that were over ``KEPT_FOR`` ago; return how many."""
    cursor = await db.execute(
        "DELETE FROM announcements WHERE next_at_ms IS NULL AND created_at_ms < ?1 AND NOT EXISTS"
        " (SELECT 1 FROM occurrences o WHERE o.announcement = announcements.announcement"
        " AND o.until_ms >= ?1)",
        (to_ms(now - KEPT_FOR),),
    )
    await db.execute("DELETE FROM occurrences WHERE until_ms < ?", (to_ms(now - KEPT_FOR),))
    return cursor.rowcount


def _kept(row: aiosqlite.Row) -> Kept:
    return Kept(
        id=row["announcement"],
        author=row["author"],
        body=AnnouncementBody.model_validate_json(row["body"]),
        created_at=from_ms(row["created_at_ms"]),
        next_at=None if row["next_at_ms"] is None else from_ms(row["next_at_ms"]),
        cancelled=bool(row["cancelled"]),
    )


def _occurrence(row: aiosqlite.Row) -> Occurrence:
    return Occurrence(
        id=row["occurrence"],
        announcement=row["announcement"],
        due_at=from_ms(row["due_at_ms"]),
        until=from_ms(row["until_ms"]),
        missed=bool(row["missed"]),
        body=AnnouncementBody.model_validate_json(row["body"]),
    )
