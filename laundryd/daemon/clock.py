"""Time, in one place: room time that decisions are made in, and real time that protocols run on."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from laundryd.wire.times import whole_milliseconds

LONGEST_SLEEP_S = 60.0
"""A sleeper looks at the clock at least this often, so that a set clock is noticed within a minute."""


class Clock:
    """Room time and real time.

    In production both are the same. The demo and tests may let room time run ``speed`` times as fast,
    from the common moment ``epoch_s`` (Unix seconds) at which both agreed; programs that were given the
    same two numbers agree with each other.
    """

    def __init__(self, speed: float = 1.0, epoch_s: float | None = None) -> None:
        self.speed = speed
        self._epoch_s = time.time() if epoch_s is None else epoch_s

    def now(self) -> datetime:
        """Room time now: aware UTC, whole milliseconds."""
        return self._room_time(time.time())

    def real_now(self) -> datetime:
        """Real time now: aware UTC, whole milliseconds. For tokens, HTTP and the protocols' own timers."""
        return whole_milliseconds(datetime.fromtimestamp(time.time(), UTC))

    def monotonic_s(self) -> float:
        """Real seconds that only grow; for measuring how long something took."""
        return time.monotonic()

    async def sleep_until(self, moment: datetime) -> None:
        """Sleep until room time has reached ``moment``. Safe to cancel."""
        while (left_s := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 -- see below
            # There is no event for the passing of time.
            await asyncio.sleep(min(left_s / self.speed, LONGEST_SLEEP_S))

    def _room_time(self, real_s: float) -> datetime:
        room_s = self._epoch_s + (real_s - self._epoch_s) * self.speed
        return whole_milliseconds(datetime.fromtimestamp(room_s, UTC))
