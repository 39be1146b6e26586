"""The queue of pushes in SQLite: the statements, and nothing that decides. All run in a transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import aiosqlite

from cloud_relay.notify.store import from_ms, to_ms
from cloud_relay.push.outcomes import Outcome
from laundryd.daemon.sqlite import execute_all
from laundryd.wire.ids import NoticeId, ResidentId
from laundryd.wire.notices import NoticeCard

Key = tuple[NoticeId, str]
"""What tells a delivery from all others: notice and subscription."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice on its way to one subscription."""

    notice_id: NoticeId
    subscription: str
    resident: ResidentId
    service: str
    card: NoticeCard
    attempts: int

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.notice_id, self.subscription

    def moved(self, shift: timedelta) -> Delivery:
        """Return it as useful for as long as before, after room time was set by ``shift``."""
        useful_until = self.card.useful_until + shift
        return replace(self, card=self.card.model_copy(update={"useful_until": useful_until}))


@dataclass(frozen=True, slots=True)
class Attempt:
    """What to keep of one attempt: when to try again, None: ``outcome`` stands."""

    key: Key
    attempts: int
    outcome: Outcome
    detail: str
    retry_at: datetime | None


async def insert(
    db: aiosqlite.Connection,
    card: NoticeCard,
    resident: ResidentId,
    subscriptions: Iterable[tuple[str, str]],
    now: datetime,
) -> int:
    """Queue a notice for subscriptions, each given with its service; return how many it was not yet."""
    text = card.model_dump_json()
    cursor = await db.executemany(
        "INSERT INTO push_deliveries (notice_id, subscription, resident, service, card,"
        " next_at_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(card.id, one, resident, service, text, to_ms(now)) for one, service in subscriptions],
    )
    return max(cursor.rowcount, 0)  # -1 where there was none


async def cancel(db: aiosqlite.Connection, notice_ids: Sequence[NoticeId]) -> None:
    """Give up what was not sent yet."""
    await db.executemany(
        "UPDATE push_deliveries SET outcome = ? WHERE notice_id = ? AND outcome IS NULL",
        [(Outcome.CANCELLED, notice_id) for notice_id in notice_ids],
    )


# One step of the index for each service, however much waits for it.
_SERVICES: Final = (
    "WITH RECURSIVE found(name) AS ("
    " SELECT min(service) FROM push_deliveries WHERE outcome IS NULL UNION ALL"
    " SELECT (SELECT min(service) FROM push_deliveries WHERE outcome IS NULL AND service > name)"
    " FROM found WHERE name IS NOT NULL)"
)


async def services(db: aiosqlite.Connection) -> list[str]:
    """Name every service that something waits for."""
    rows = await db.execute_fetchall(
        f"{_SERVICES} SELECT name FROM found WHERE name IS NOT NULL"  # noqa: S608 -- our own text
    )
    return [str(row["name"]) for row in rows]


async def due(
    db: aiosqlite.Connection, service: str, now: datetime, held: AbstractSet[Key], count: int
) -> list[Delivery]:
    """Return up to ``count`` deliveries of a service that are due and not ``held``, oldest first."""
    rows = await db.execute_fetchall(
        "SELECT * FROM push_deliveries WHERE service = ? AND outcome IS NULL"
        " AND next_at_ms <= ? ORDER BY next_at_ms LIMIT ?",
        (service, to_ms(now), len(held) + count),
    )
    fresh = (row for row in rows if (row["notice_id"], row["subscription"]) not in held)
    return [_delivery(row) for row, _ in zip(fresh, range(count), strict=False)]


async def next_due(db: aiosqlite.Connection, now: datetime) -> datetime | None:
    """Return when the next retry is due, None: none waits. What is due already has its turn."""
    rows = await db.execute_fetchall(
        f"{_SERVICES} SELECT min((SELECT min(next_at_ms) FROM push_deliveries"  # noqa: S608 -- our own text
        " WHERE service = name AND outcome IS NULL AND next_at_ms > ?)) AS next_at_ms FROM found",
        (to_ms(now),),
    )
    ms = next(iter(rows))["next_at_ms"]
    return None if ms is None else from_ms(ms)


_KEEP: Final = (
    "UPDATE push_deliveries SET attempts = ?, detail = ?,"
    " next_at_ms = coalesce(?, next_at_ms), outcome = coalesce(outcome, ?)"
    " WHERE notice_id = ? AND subscription = ?"
)


async def keep(db: aiosqlite.Connection, attempts: Iterable[Attempt]) -> None:
    """Keep what came of attempts; what was cancelled meanwhile stays cancelled."""
    rows = [
        (one.attempts, one.detail, to_ms(one.retry_at) if one.retry_at else None,
         None if one.retry_at else one.outcome, *one.key)
        for one in attempts
    ]  # fmt: skip
    await execute_all(db, [(_KEEP, rows)])


async def outcomes(
    db: aiosqlite.Connection, notice_ids: Iterable[NoticeId]
) -> dict[NoticeId, list[tuple[Outcome | None, str]]]:
    """Return outcome (None: not yet) and detail of every delivery of the notices."""
    rows = await db.execute_fetchall(
        "SELECT notice_id, outcome, detail FROM push_deliveries"
        " WHERE notice_id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(set(notice_ids))),),
    )
    found = defaultdict[NoticeId, list[tuple[Outcome | None, str]]](list)
    for row in rows:
        outcome = Outcome(row["outcome"]) if row["outcome"] is not None else None
        found[row["notice_id"]].append((outcome, row["detail"]))
    return found


async def move(db: aiosqlite.Connection, shift: timedelta) -> None:
    """Move what is still to be sent by ``shift`` (real time): the clock was set.

    The notices themselves were moved before.
    """
    ms = round(shift / timedelta(milliseconds=1))
    await db.execute(
        "UPDATE push_deliveries SET next_at_ms = next_at_ms + ?,"
        " card = (SELECT card FROM notices WHERE id = notice_id) WHERE outcome IS NULL",
        (ms,),
    )


def _delivery(row: aiosqlite.Row) -> Delivery:
    return Delivery(
        notice_id=row["notice_id"],
        subscription=row["subscription"],
        resident=row["resident"],
        service=row["service"],
        card=NoticeCard.model_validate_json(row["card"]),
        attempts=row["attempts"],
    )
