"""The queue of pushes in SQLite: the statements, and nothing that decides. All run in a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import aiosqlite

from cloud_relay.notify.store import from_ms, to_ms
from cloud_relay.push.outcomes import Outcome
from laundryd.daemon.sqlite import execute_all, in_one_turn
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
        if not shift:
            return self
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
_FOUND: Final = (
    "WITH RECURSIVE found(name) AS ("
    " SELECT min(service) FROM push_deliveries WHERE outcome IS NULL UNION ALL"
    " SELECT (SELECT min(service) FROM push_deliveries WHERE outcome IS NULL AND service > name)"
    " FROM found WHERE name IS NOT NULL)"
)
_SERVICES: Final = f"{_FOUND} SELECT name FROM found WHERE name IS NOT NULL"  # noqa: S608 -- our own text
_NEXT_DUE: Final = (
    f"{_FOUND} SELECT min((SELECT min(next_at_ms) FROM push_deliveries"  # noqa: S608 -- the same
    " WHERE service = name AND outcome IS NULL AND next_at_ms > ?)) AS next_at_ms FROM found"
)
# From the index alone: most that are due are held already.
_DUE: Final = (
    "SELECT notice_id, subscription FROM push_deliveries WHERE service = ? AND outcome IS NULL"
    " AND next_at_ms <= ? ORDER BY next_at_ms LIMIT ?"
)
_DELIVERIES: Final = (
    "SELECT d.* FROM json_each(?) AS name CROSS JOIN push_deliveries AS d"
    " ON d.notice_id = json_extract(name.value, '$[0]')"
    " AND d.subscription = json_extract(name.value, '$[1]') ORDER BY name.key"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one service may be given: ``held`` are its deliveries that are taken already."""

    count: int
    held: AbstractSet[Key]


@dataclass(frozen=True, slots=True)
class Taken:
    """What is due. ``services``: all that something waits for. ``next_at``: the next retry, None: none."""

    deliveries: list[Delivery]
    services: list[str]
    next_at: datetime | None


async def take(
    db: aiosqlite.Connection, now: datetime, wanted: Mapping[str, Wanted], of_others: Wanted
) -> Taken:
    """Read what is due and not held, the oldest first, service by service.

    So the rows of one in trouble hide nobody else's. ``of_others``: of services that ``wanted`` does not
    name. ``next_at`` leaves out what is due: that has its turn.
    """
    now_ms = to_ms(now)

    def read(connection: sqlite3.Connection) -> tuple[list[sqlite3.Row], list[str], int | None]:
        services = [str(name) for (name,) in connection.execute(_SERVICES)]
        rows: list[sqlite3.Row] = []
        for service in services:
            one = wanted.get(service, of_others)
            if one.count:
                names = connection.execute(_DUE, (service, now_ms, len(one.held) + one.count))
                fresh = [name for name in map(tuple, names) if name not in one.held]
                rows += connection.execute(_DELIVERIES, (json.dumps(fresh[: one.count]),))
        ((next_at_ms,),) = connection.execute(_NEXT_DUE, (now_ms,))
        return rows, services, next_at_ms

    rows, services, next_at_ms = await in_one_turn(db, read)
    next_at = None if next_at_ms is None else from_ms(next_at_ms)
    return Taken([_delivery(row) for row in rows], services, next_at)


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


async def release_quiet(db: aiosqlite.Connection, resident: ResidentId, now: datetime) -> None:
    """Let what waits for the end of a resident's quiet hours have its turn now."""
    await db.execute(
        "UPDATE push_deliveries SET next_at_ms = ? WHERE outcome IS NULL AND detail = 'quiet_hours'"
        " AND resident = ?",
        (to_ms(now), resident),
    )


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


def _delivery(row: sqlite3.Row) -> Delivery:
    return Delivery(
        notice_id=row["notice_id"],
        subscription=row["subscription"],
        resident=row["resident"],
        service=row["service"],
        card=NoticeCard.model_validate_json(row["card"]),
        attempts=row["attempts"],
    )
