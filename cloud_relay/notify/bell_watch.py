"""Telling residents that a bell of theirs ends: their browser said when, and its app did not renew it.

The app renews by itself at any start in the two weeks before, so whoever is told has not opened it since.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Final, NoReturn

import aiosqlite

from cloud_relay.notify import bell_ends
from cloud_relay.notify.bell_ends import BellEnd
from cloud_relay.notify.planner import Planner, Told
from cloud_relay.notify.store import to_ms
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.wire.ids import Position
from laundryd.wire.notices import Notice, NoticeKind, derive

log = logging.getLogger(__name__)

WARNED_BEFORE: Final = timedelta(days=7)
"""Real time from being told to the end; the app says it as long before (``WARNED_BEFORE_MS``)."""
LOOK_EVERY_S: Final = 600.0
DAY: Final = timedelta(days=1)


def warned_at(end: BellEnd) -> datetime:
    """Return when the end is told: half way at the earliest, for a bell that lives a few days only."""
    return end.expires_at - min(WARNED_BEFORE, (end.expires_at - end.created_at) / 2)


def ending_notices(
    ends: Sequence[BellEnd], now: datetime, real_now: datetime, *, speed: float = 1.0
) -> list[tuple[BellEnd, Notice]]:
    """Return what is to be told of ``ends``; ``now`` is room time, ``speed`` room seconds a real second.

    Its cause is the subscription and its end: the same end is the same notice, however often it is looked at.
    """
    return [
        (
            end,
            derive(
                NoticeKind.BELL_ENDING,
                room=end.room,
                position=Position(epoch=_cause(end), offset=to_ms(end.expires_at)),
                machine=None,
                resident=end.resident,
                params={"name": end.name, "days": ceil((end.expires_at - real_now) / DAY)},
                at=now,
                useful_until=now + (end.expires_at - real_now) * speed,
            ),
        )
        for end in ends
        if warned_at(end) <= real_now
    ]


def _cause(end: BellEnd) -> str:
    return hashlib.sha256(end.subscription.encode()).hexdigest()[:32]


class BellWatch:
    """Looks at the ends of all subscriptions now and then; ``run`` it as a task."""

    def __init__(self, db: aiosqlite.Connection, clock: Clock, *, planner: Planner) -> None:
        self._db, self._clock, self._planner = db, clock, planner
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Look now: a subscription was renewed or taken away, so what was told of it is over."""
        self._changed.set()

    async def run(self) -> NoReturn:
        """Look for ever. Safe to cancel: an end is kept with its notice, or looked at again."""
        while True:
            self._changed.clear()
            try:
                await self.look()
            except sqlite3.Error as error:
                log.error("which bells end cannot be told yet: %s", error)  # noqa: TRY400 -- no traceback for a full disk
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Tell of what ends soon, each end once, and take back what was told of what goes on."""
        now, real_now = self._clock.now(), self._clock.real_now()
        told = Told()
        async with transaction(self._db) as db:
            if renewed := await bell_ends.drop_renewed(db):
                await self._planner.withdraw(db, renewed, told)
            ends = await bell_ends.untold(db, real_now, real_now + WARNED_BEFORE)
            if notices := ending_notices(ends, now, real_now, speed=self._clock.speed):
                await self._planner.plan(db, [notice for _, notice in notices], told)
                await bell_ends.keep(db, [(end, notice.id) for end, notice in notices])
        self._planner.tell(told)
