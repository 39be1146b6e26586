"""The durable queue of pushes: a row stays until its outcome is written, whatever is killed when.

A kill between a service's answer and our commit sends again, under the same Topic. One service that
hangs holds back nobody else: each has its own places.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn, Protocol
from urllib.parse import urlsplit

import aiosqlite

from cloud_relay.notify.store import from_ms, to_ms
from cloud_relay.push.outcomes import Outcome, Result, next_attempt
from cloud_relay.push.subscriptions import Subscription, Subscriptions, note
from cloud_relay.push.webpush import Sender
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.wire.delivery import DeliveryState, Why
from laundryd.wire.ids import NoticeId, ResidentId
from laundryd.wire.notices import NoticeCard

log = logging.getLogger(__name__)

IN_FLIGHT_A_SERVICE: Final = 20
"""Parallel pushes to one service: one pooled connection each."""
IN_FLIGHT_MAX: Final = 100
LOOK_AGAIN_S: Final = 30.0
"""The queue is looked at this often even without news, so that a clock that was set is noticed."""
RETRY_AFTER_FAULT_S: Final = 2.0


class Settled(Protocol):
    """Told, inside the queue's transaction, when every subscription of a notice has an outcome."""

    async def settled(
        self, db: aiosqlite.Connection, card: NoticeCard, *, state: DeliveryState, why: str
    ) -> None:
        """Note how the push of a notice ended."""
        ...


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
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.notice_id, self.subscription


class PushQueue:
    """Sends what is due; ``run`` it as a task.

    ``counts``: attempts by outcome, and ``refused`` ones also by kind, ``refused_http_403``.
    """

    def __init__(
        self,
        db: aiosqlite.Connection,
        clock: Clock,
        *,
        sender: Sender,
        subscriptions: Subscriptions,
    ) -> None:
        self._db = db
        self._clock = clock
        self._sender = sender
        self._subscriptions = subscriptions
        self._in_flight: dict[tuple[str, str], str] = {}
        self._changed = asyncio.Event()
        self.counts: Counter[str] = Counter()

    async def enqueue(
        self, db: aiosqlite.Connection, card: NoticeCard, resident: ResidentId
    ) -> int:
        """Queue one delivery a subscription, inside the caller's transaction; return how many."""
        subscriptions = await self._subscriptions.for_resident(resident)
        now_ms = to_ms(self._clock.real_now())
        await db.executemany(
            "INSERT INTO push_deliveries (notice_id, subscription, resident, service, card,"
            " next_at_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (card.id, one.id, resident, _service(one), card.model_dump_json(), now_ms)
                for one in subscriptions
            ],
        )
        return len(subscriptions)

    async def cancel(self, db: aiosqlite.Connection, notice_ids: Sequence[NoticeId]) -> None:
        """Drop what was not sent yet, inside the caller's transaction."""
        await db.executemany(
            "UPDATE push_deliveries SET outcome = ? WHERE notice_id = ? AND outcome IS NULL",
            [(Outcome.CANCELLED, notice_id) for notice_id in notice_ids],
        )

    def wake(self) -> None:
        """Look at the queue now."""
        self._changed.set()

    async def run(self, settled: Settled) -> NoReturn:
        """Send what is due, for ever. Safe to cancel: what was in flight is sent again after a start."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                try:
                    for delivery in await self._take_due():
                        tasks.create_task(self._attempt(delivery, settled))
                    wait_s = await self._until_next_s()
                except sqlite3.Error as error:
                    log.error("push queue: the database failed: %s; trying again", error)  # noqa: TRY400 -- no traceback for a full disk
                    wait_s = RETRY_AFTER_FAULT_S
                try:
                    async with asyncio.timeout(wait_s):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    async def send_due(self, settled: Settled) -> int:
        """Send what is due now and wait for the answers; return how many attempts that were."""
        due = await self._take_due()
        async with asyncio.TaskGroup() as tasks:
            for delivery in due:
                tasks.create_task(self._attempt(delivery, settled))
        return len(due)

    async def _attempt(self, delivery: Delivery, settled: Settled) -> None:
        try:
            subscription = await self._find(delivery)
            if subscription is None:
                result = Result(Outcome.GONE, "subscription_deleted")
            else:
                result = await self._send(delivery.card, subscription)
            self.counts[result.outcome] += 1
            if result.outcome is Outcome.REFUSED:
                self.counts[f"refused_{result.detail}"] += 1
            await note(self._subscriptions, delivery.subscription, result, self._clock.real_now())
            async with transaction(self._db) as db:
                await self._write(db, delivery, result, settled)
        except sqlite3.Error as error:
            # The row stands as it was, and is due: it goes again, under the same Topic.
            log.error("push queue: an outcome could not be kept: %s", error)  # noqa: TRY400 -- no traceback for a full disk
            await asyncio.sleep(RETRY_AFTER_FAULT_S)
        finally:
            del self._in_flight[delivery.key]
            self._changed.set()

    async def _send(self, card: NoticeCard, subscription: Subscription) -> Result:
        try:
            return await self._sender.send(card, subscription)
        except Exception as error:  # noqa: BLE001 -- one message's fault must not end everybody's queue
            # The kind only: its text might hold the endpoint.
            kind = type(error).__name__
            log.error("push to subscription %s failed in our own code: %s", subscription.id, kind)  # noqa: TRY400 -- the same
            return Result(Outcome.REFUSED, "internal")

    async def _find(self, delivery: Delivery) -> Subscription | None:
        subscriptions = await self._subscriptions.for_resident(delivery.resident)
        return next((one for one in subscriptions if one.id == delivery.subscription), None)

    async def _write(
        self, db: aiosqlite.Connection, delivery: Delivery, result: Result, settled: Settled
    ) -> None:
        attempts = delivery.attempts + 1
        now = self._clock.real_now()
        retry_at: datetime | None = None
        if result.outcome is Outcome.LATER:
            retry_at = next_attempt(result, attempts, now, random.random())  # noqa: S311 -- spreads load, no secret
        await db.execute(
            "UPDATE push_deliveries SET attempts = ?, detail = ?,"
            " next_at_ms = coalesce(?, next_at_ms), outcome = coalesce(outcome, ?)"
            " WHERE notice_id = ? AND subscription = ?",
            (attempts, result.detail, to_ms(retry_at) if retry_at else None,
             None if retry_at else result.outcome, *delivery.key),
        )  # fmt: skip
        if retry_at is None:
            await self._settle(db, delivery.card, settled)

    async def _settle(self, db: aiosqlite.Connection, card: NoticeCard, settled: Settled) -> None:
        rows = list(
            await db.execute_fetchall(
                "SELECT outcome, detail FROM push_deliveries WHERE notice_id = ?", (card.id,)
            )
        )
        outcomes = {row["outcome"] for row in rows}
        if None in outcomes or Outcome.CANCELLED in outcomes:
            return
        if Outcome.SENT in outcomes:
            state, why = DeliveryState.PUSHED, ""
        elif Outcome.EXPIRED in outcomes:
            state, why = DeliveryState.EXPIRED, Why.NOT_TAKEN
        else:
            state = DeliveryState.UNREACHABLE
            why = ", ".join(sorted({row["detail"] for row in rows if row["detail"]}))
        await settled.settled(db, card, state=state, why=why)

    async def _take_due(self) -> list[Delivery]:
        due: list[Delivery] = []
        # In a transaction, to see only rows that are committed: what is sent must stand in the queue.
        async with transaction(self._db) as db:
            # Service by service, so that the rows of one in trouble hide nobody else's.
            services = await db.execute_fetchall(
                "SELECT DISTINCT service FROM push_deliveries WHERE outcome IS NULL"
            )
            for row in services:
                places = IN_FLIGHT_MAX - len(self._in_flight) - len(due)
                due.extend(await self._due_of(db, row["service"], places))
        self._in_flight.update((delivery.key, delivery.service) for delivery in due)
        return due

    async def _due_of(self, db: aiosqlite.Connection, service: str, places: int) -> list[Delivery]:
        busy = sum(one == service for one in self._in_flight.values())
        free = min(IN_FLIGHT_A_SERVICE - busy, places)
        if free <= 0:
            return []
        rows = await db.execute_fetchall(
            "SELECT * FROM push_deliveries WHERE service = ? AND outcome IS NULL"
            " AND next_at_ms <= ? ORDER BY next_at_ms LIMIT ?",
            (service, to_ms(self._clock.real_now()), busy + free),
        )
        found = [one for row in rows if (one := _delivery(row)).key not in self._in_flight]
        return found[:free]

    async def _until_next_s(self) -> float:
        # What is due and found no place is woken by the attempt that ends.
        now = self._clock.real_now()
        rows = await self._db.execute_fetchall(
            "SELECT min(next_at_ms) AS next_at_ms FROM push_deliveries"
            " WHERE outcome IS NULL AND next_at_ms > ?",
            (to_ms(now),),
        )
        ms = next(iter(rows))["next_at_ms"]
        if ms is None:
            return LOOK_AGAIN_S
        return min((from_ms(ms) - now).total_seconds(), LOOK_AGAIN_S)


async def move(db: aiosqlite.Connection, shift: timedelta) -> None:
    """Move what is still to be sent by ``shift`` (real time), in the caller's transaction.

    The clock was set; the notices themselves were moved before.
    """
    ms = round(shift / timedelta(milliseconds=1))
    await db.execute(
        "UPDATE push_deliveries SET next_at_ms = next_at_ms + ?,"
        " card = (SELECT card FROM notices WHERE id = notice_id) WHERE outcome IS NULL",
        (ms,),
    )


def _service(subscription: Subscription) -> str:
    return urlsplit(subscription.endpoint).hostname or ""


def _delivery(row: aiosqlite.Row) -> Delivery:
    return Delivery(
        notice_id=row["notice_id"],
        subscription=row["subscription"],
        resident=row["resident"],
        service=row["service"],
        card=NoticeCard.model_validate_json(row["card"]),
        attempts=row["attempts"],
    )
