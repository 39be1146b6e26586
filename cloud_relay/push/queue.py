"""The durable queue of pushes: a row stays until its outcome is written, whatever is killed when.

A kill between a service's answer and our commit sends again, under the same Topic. One service that is
in trouble holds back nobody else: each has a lane of its own (``lanes.py``). What is taken from the
database, and what came of it, is read and written many at a time.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NoReturn, Protocol

import aiosqlite

from cloud_relay.notify.neighbours import Wishes
from cloud_relay.notify.wishes import wish
from cloud_relay.push import store
from cloud_relay.push.alerts import Alerts
from cloud_relay.push.lanes import PLACES, Lane
from cloud_relay.push.outcomes import Outcome, Result, answer_of, next_attempt, result_of
from cloud_relay.push.store import Attempt, Delivery, Key
from cloud_relay.push.subscriptions import Attempted, Subscription, Subscriptions
from cloud_relay.push.webpush import Sender, attempt
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.wire.delivery import DeliveryState, Why
from laundryd.wire.ids import NoticeId, ResidentId
from laundryd.wire.notices import NoticeCard
from laundryd.wire.preferences import Choice

log = logging.getLogger(__name__)

LOOK_AGAIN_S: Final = 30.0
"""The queue is looked at this often even without news, so that a clock that was set is noticed."""
RETRY_AFTER_FAULT_S: Final = 2.0
GATHER_S: Final = 0.05
GATHER_MAX: Final = PLACES
"""While others are under way, answers wait for each other, so long or so many: one commit keeps them all."""
PAST_USE_S: Final = 0.01
"""Past the end of a notice's use, when it is judged for the last time; the database keeps milliseconds."""
STALE_AFTER_S: Final = 2.0
"""Taken longer ago than this and without a place yet: read anew first, the bell may be off by now."""

Ended = tuple[NoticeCard, DeliveryState, str]
"""A notice, what became of its push, and why."""
_Taken = tuple[Delivery, Subscription | None, float]
_Done = tuple[Delivery, Result, datetime]


class Settled(Protocol):
    """Told, inside the queue's transaction, when a first push service took a notice, or none will."""

    async def settled(self, db: aiosqlite.Connection, ended: Sequence[Ended]) -> None:
        """Note how the pushes of notices ended."""
        ...


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
        wishes: Wishes,
    ) -> None:
        self._db = db
        self._clock = clock
        self._sender = sender
        self._subscriptions = subscriptions
        self._wishes = wishes
        self._lanes: dict[str, Lane[_Taken]] = {}
        # By service, taken from the database and not written back yet: waiting, in flight, or done.
        self._held = defaultdict[str, set[Key]](set)
        self._done: list[_Done] = []
        self._in_flight = 0
        self._dropped: set[NoticeId] = set()
        # How far room time was set since the start, as the clock watch said.
        self._set_by = timedelta()
        self._alerts = Alerts()
        self._changed = asyncio.Event()
        self._many = asyncio.Event()
        self.counts: Counter[str] = Counter()

    async def enqueue(
        self, db: aiosqlite.Connection, card: NoticeCard, resident: ResidentId
    ) -> int:
        """Queue one delivery a subscription, inside the caller's transaction; return how many are new."""
        return await self._add(db, card, resident)

    async def cancel(self, db: aiosqlite.Connection, notice_ids: Sequence[NoticeId]) -> None:
        """Drop what was not sent yet, inside the caller's transaction."""
        await store.cancel(db, notice_ids)
        # Those in a lane go back to the database, which knows, also when this is rolled back.
        self._dropped.update(
            one.notice_id
            for lane in self._lanes.values()
            for one, _, _ in lane.waiting
            if one.notice_id in notice_ids
        )

    async def wishes_changed(self, db: aiosqlite.Connection, resident: ResidentId) -> None:
        """Let what waits for the end of the resident's quiet hours go by their new ones, if any.

        In the caller's transaction; ``wake`` after it.
        """
        await store.release_quiet(db, resident, self._clock.real_now())

    @property
    def is_busy(self) -> bool:
        """Whether something is under way, or answered and not committed yet."""
        return self._held_count() > 0

    def wake(self) -> None:
        """Look at the queue now."""
        self._changed.set()

    def clock_set(self, shift: timedelta, real_shift: timedelta) -> None:
        """Take note that room time was set by ``shift`` and real time by ``real_shift``.

        What is kept in the database has moved with it; here all that is held moves.
        """
        self._set_by += shift
        for lane in self._lanes.values():
            for place, (delivery, subscription, taken_s) in enumerate(lane.waiting):
                lane.waiting[place] = (delivery.moved(shift), subscription, taken_s)
        self._done = [
            (delivery.moved(shift), result, at + real_shift) for delivery, result, at in self._done
        ]
        self._changed.set()

    async def run(self, settled: Settled) -> NoReturn:
        """Send what is due, for ever. Safe to cancel: what was in flight is sent again after a start."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                try:
                    next_at = await self._exchange(settled)
                except sqlite3.Error as error:
                    # The rows stand as they were, and what was answered is kept here meanwhile.
                    log.error("push queue: the database failed: %s; trying again", error)  # noqa: TRY400 -- no traceback for a full disk
                    await asyncio.sleep(RETRY_AFTER_FAULT_S)
                    continue
                self._start(tasks)
                try:
                    async with asyncio.timeout(self._until_s(next_at)):
                        await self._changed.wait()
                except TimeoutError:
                    continue
                await self._gather()

    async def _gather(self) -> None:
        self._many.clear()
        if self._done and self._in_flight and len(self._done) < GATHER_MAX:
            try:
                async with asyncio.timeout(GATHER_S):
                    await self._many.wait()
            except TimeoutError:
                return

    async def send_due(self, settled: Settled) -> int:
        """Send what is due now and wait for the answers; return how many attempts that were."""
        await self._exchange(settled)
        before = self._held_count()
        while self._held_count():
            async with asyncio.TaskGroup() as tasks:
                self._start(tasks)
            await self._exchange(settled, takes=False)
        return before

    def _start(self, tasks: asyncio.TaskGroup) -> None:
        for lane in self._lanes.values():
            while (taken := self._next(lane)) is not None:
                tasks.create_task(self._serve(*taken, lane, tasks))
        if not any(lane.waiting for lane in self._lanes.values()):
            self._dropped.clear()

    def _next(self, lane: Lane[_Taken]) -> tuple[Delivery, Subscription | None] | None:
        """Give a place of ``lane`` to who waits longest; None: there is none free, or nobody waits."""
        while lane.waiting and lane.free(self._in_flight):
            delivery, subscription, taken_s = lane.waiting.popleft()
            is_stale = self._clock.monotonic_s() - taken_s > STALE_AFTER_S
            if is_stale or delivery.notice_id in self._dropped:
                self._release(delivery)
                self._changed.set()
                continue
            lane.in_flight += 1
            self._in_flight += 1
            return delivery, subscription
        return None

    async def _serve(
        self,
        delivery: Delivery,
        subscription: Subscription | None,
        lane: Lane[_Taken],
        tasks: asyncio.TaskGroup,
    ) -> None:
        # The same task goes on with the next one: a new task for each push costs as much as its HTTP head.
        taken: tuple[Delivery, Subscription | None] | None = (delivery, subscription)
        while taken is not None:
            await self._attempt(*taken, lane)
            taken = self._next(lane)
            # Nobody else gets a place by it, unless this lane has won one or let one go.
            if taken is None or lane.free(self._in_flight):
                self._start(tasks)

    async def _attempt(
        self, delivery: Delivery, subscription: Subscription | None, lane: Lane[_Taken]
    ) -> None:
        set_by = self._set_by
        try:
            if subscription is None:
                result = result_of("subscription_deleted")
            elif delivery.card.useful_until <= self._clock.now():
                result = result_of("not_useful")
            elif (unwished := self._unwished(delivery)) is not None:
                result = unwished
            else:
                result = await attempt(self._sender, delivery.card, subscription)
                self._count(delivery, result)
                lane.judge(result)
            delivery = delivery.moved(self._set_by - set_by)
            self._done.append((delivery, result, self._clock.real_now()))
            if len(self._done) >= GATHER_MAX or self._in_flight == 1:
                self._many.set()
        finally:
            lane.in_flight -= 1
            self._in_flight -= 1
            self._changed.set()

    def _unwished(self, delivery: Delivery) -> Result | None:
        """Look at the resident's wishes just before sending: it may have waited hours for its service."""
        card, now = delivery.card, self._clock.real_now()
        wished = wish(card.kind, self._wishes.of(delivery.resident), now, urgent=card.urgent)
        if wished.choice is not Choice.APP_AND_PUSH:
            return result_of("not_wished")
        if wished.quiet_until is not None:
            return result_of("quiet_hours", (wished.quiet_until - now).total_seconds())
        return None

    def _count(self, delivery: Delivery, result: Result) -> None:
        self.counts[result.outcome] += 1
        if result.outcome is Outcome.REFUSED:
            self.counts[f"refused_{result.detail}"] += 1
        if not result.detail or not answer_of(result.detail).alert:
            return
        count = self._alerts.note(delivery.service, result.detail, self._clock.monotonic_s())
        if count is not None:
            log.error(
                "%s refuses our pushes (%s, %d times since last said; now subscription %s, which is"
                " kept): %s docs/pushes.md says what to do",
                delivery.service, result.detail, count, delivery.subscription,
                answer_of(result.detail).about,
            )  # fmt: skip

    async def _exchange(self, settled: Settled, *, takes: bool = True) -> datetime | None:
        """Write what is done, and take what is due unless told otherwise, in one transaction.

        Return when the next retry is due, None: none waits, or nothing was taken.
        """
        done: list[_Done] = []
        taken, next_at = list[tuple[Delivery, Subscription | None]](), None
        try:
            # In a transaction also to see only rows that are committed: what is sent must stand there.
            async with transaction(self._db) as db:
                # Not before our turn: the clock may be set meanwhile, and what is done moved.
                done, self._done = self._done, []
                await self._write(db, done, settled)
                if takes:
                    taken, next_at = await self._take(db)
        except BaseException:
            self._done = done + self._done
            raise
        for delivery, _, _ in done:
            self._release(delivery)
        now_s = self._clock.monotonic_s()
        for delivery, subscription in taken:
            self._held[delivery.service].add(delivery.key)
            lane = self._lanes[delivery.service]
            lane.waiting.append((delivery, subscription, now_s))
        return next_at

    def _release(self, delivery: Delivery) -> None:
        self._held[delivery.service].discard(delivery.key)

    def _held_count(self) -> int:
        return sum(len(keys) for keys in self._held.values())

    async def _write(
        self, db: aiosqlite.Connection, done: Sequence[_Done], settled: Settled
    ) -> None:
        if not done:
            return
        attempts = [self._judged(*one) for one in done]
        await store.keep(db, attempts)
        await self._subscriptions.attempted(
            db,
            [
                Attempted(delivery.subscription, result.outcome, result.detail, at)
                for delivery, result, at in done
                if answer_of(result.detail).asked
            ],
        )
        over = {
            delivery.notice_id: delivery
            for (delivery, _, _), attempt in zip(done, attempts, strict=True)
            if attempt.retry_at is None
        }
        now_sent = Counter(
            delivery.notice_id for delivery, result, _ in done if result.outcome is Outcome.SENT
        )
        ended: list[Ended] = []
        for notice_id, outcomes in (await store.outcomes(db, over)).items():
            end = end_of(outcomes)
            if end is None or sum(one is Outcome.SENT for one, _ in outcomes) > now_sent[notice_id]:
                continue  # there is no end yet, or the first device has made it
            card, resident = over[notice_id].card, over[notice_id].resident
            # A browser may have changed its subscription while the one before waited.
            if end[0] is DeliveryState.UNREACHABLE and await self._add(db, card, resident):
                continue
            ended.append((card, *end))
        if ended:
            await settled.settled(db, ended)

    async def _add(self, db: aiosqlite.Connection, card: NoticeCard, resident: ResidentId) -> int:
        subscriptions = await self._subscriptions.for_resident(resident)
        named = [(one.id, one.service) for one in subscriptions]
        return await store.insert(db, card, resident, named, self._clock.real_now())

    def _judged(self, delivery: Delivery, result: Result, now: datetime) -> Attempt:
        attempts, outcome, retry_at = delivery.attempts + 1, result.outcome, None
        if outcome is Outcome.LATER:
            left = delivery.card.useful_until - self._clock.now()
            left_s = left.total_seconds() / self._clock.speed
            retry_at = next_attempt(result, attempts, now, random.random(), left_s=left_s)  # noqa: S311 -- spreads load, no secret
            if retry_at is None and left_s > 0:
                # It is not given up before its use is over: until then a page that comes is told.
                retry_at = self._clock.real_now() + timedelta(seconds=left_s + PAST_USE_S)
            outcome = Outcome.LATER if retry_at is not None else Outcome.EXPIRED
        return Attempt(delivery.key, attempts, outcome, result.detail, retry_at)

    async def _take(
        self, db: aiosqlite.Connection
    ) -> tuple[list[tuple[Delivery, Subscription | None]], datetime | None]:
        # Copies: attempts end while the database is asked.
        wanted = {
            name: store.Wanted(lane.wanted(), frozenset(self._held[name]))
            for name, lane in self._lanes.items()
        }
        others = store.Wanted(Lane[_Taken]().wanted(), frozenset())
        taken = await store.take(db, self._clock.real_now(), wanted, others)
        for service in taken.services:
            self._lanes.setdefault(service, Lane())
        for idle in [name for name, lane in self._lanes.items() if name not in taken.services]:
            if not (self._lanes[idle].in_flight or self._lanes[idle].waiting):
                del self._lanes[idle], self._held[idle]
        if not taken.deliveries:
            return [], taken.next_at
        found = await self._subscriptions.by_id([one.subscription for one in taken.deliveries])
        return [(one, found.get(one.subscription)) for one in taken.deliveries], taken.next_at

    def _until_s(self, next_at: datetime | None) -> float:
        # What is due and found no place is woken by the attempt that ends.
        if next_at is None:
            return LOOK_AGAIN_S
        return min((next_at - self._clock.real_now()).total_seconds(), LOOK_AGAIN_S)


def end_of(
    outcomes: Iterable[tuple[Outcome | None, str]],
) -> tuple[DeliveryState, str] | None:
    """Say what became of a notice from all its deliveries; None: not yet, or the resident saw it.

    The first device that is told ends it, though another one's service is in trouble: a page that comes
    meanwhile must not tell it a second time.
    """
    rows = list(outcomes)
    kinds = {outcome for outcome, _ in rows}
    if Outcome.CANCELLED in kinds:
        return None
    if Outcome.SENT in kinds:
        return DeliveryState.PUSHED, ""
    if None in kinds:
        return None
    details = sorted({detail for _, detail in rows if detail})
    if "not_wished" in details:
        return DeliveryState.APP_ONLY, Why.WISHED
    if Outcome.EXPIRED in kinds:
        return DeliveryState.EXPIRED, Why.NOT_TAKEN
    return DeliveryState.UNREACHABLE, ", ".join(details)
