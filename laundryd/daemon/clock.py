"""Time, in one place: room time that decisions are made in, and real time that protocols run on."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from typing_extensions import override

from laundryd.daemon.steady import Anchor, Judged, Sight, first, judge, judge_relay, passed
from laundryd.wire.times import to_rfc3339

log = logging.getLogger(__name__)

LONGEST_SLEEP_S = 60.0
"""A sleeper looks at the clock at least this often, so that a set clock is noticed within a minute."""

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_HELD_UP_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock was set. ``anchor`` is where to go on; ``shift`` is room time's, whole milliseconds."""

    anchor: Anchor
    shift: timedelta


class Clock:
    """Room time and real time, as the computer's clock shows them.

    In production both are the same. The demo and tests may let room time run ``speed`` times as fast,
    from the common moment ``epoch_s`` (Unix seconds) at which both agreed; programs that were given the
    same two numbers agree with each other.
    """

    def __init__(self, speed: float = 1.0, epoch_s: float | None = None) -> None:
        self.speed = speed
        self._epoch_s = time.time() if epoch_s is None else epoch_s

    def now(self) -> datetime:
        """Room time now: aware UTC, whole milliseconds."""
        room_s = self._epoch_s + (self._real_s() - self._epoch_s) * self.speed
        return _moment(room_s)

    def real_now(self) -> datetime:
        """Real time now: aware UTC, whole milliseconds. For tokens, HTTP and the protocols' own timers."""
        return _moment(self._real_s())

    def monotonic_s(self) -> float:
        """Real seconds that only grow; for measuring how long something took."""
        return time.monotonic()

    async def sleep_until(self, moment: datetime) -> None:
        """Sleep until room time has reached ``moment``. Safe to cancel."""
        while (left_s := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 -- see below
            # There is no event for the passing of time.
            await asyncio.sleep(min(left_s / self.speed, LONGEST_SLEEP_S))

    def begin(self, kept: Anchor | None) -> timedelta:
        """Go on from what ``anchor`` gave before a restart; return by how much room time was set."""
        del kept  # it shows what the computer shows
        return timedelta()

    def anchor(self) -> Anchor | None:
        """Return what ``begin`` needs after a restart; None for a clock that keeps nothing."""
        return None

    def look(self) -> Jump | None:
        """Look whether the computer's clock was set since the last look; then ``follow`` it."""
        return None

    def follow(self, jump: Jump) -> None:
        """Go on from ``jump``, once all deadlines are moved."""
        del jump

    def heard_from_relay(self, relay_at: datetime) -> None:
        """Take the relay's time (real time), which counts while the computer's clock is not set."""
        del relay_at

    def _real_s(self) -> float:
        return time.time()


class SteadyClock(Clock):
    """A clock that nobody can set behind our back: it goes on steadily until ``follow`` is called.

    For a program with deadlines: it looks often, moves its deadlines by what ``look`` found, and
    follows in the same step. ``sight`` reads the computer's clocks.
    """

    def __init__(
        self,
        speed: float = 1.0,
        epoch_s: float | None = None,
        sight: Callable[[], Sight] | None = None,
    ) -> None:
        self._sight = sight or look_at_computer
        self._anchor = first(self._sight())
        self._relay: tuple[float, float] | None = None
        super().__init__(speed, self._anchor.steady_s if epoch_s is None else epoch_s)

    @override
    def begin(self, kept: Anchor | None) -> timedelta:
        if kept is None:
            return timedelta()
        judged = judge(kept, self._sight())
        self._anchor = judged.anchor
        if self._anchor.unset:
            log.warning(
                "the computer's clock is not set: going on at %s, until it is or the relay is heard",
                to_rfc3339(self.real_now()),
            )
        return self._shift(judged)

    @override
    def anchor(self) -> Anchor:
        return passed(self._anchor, self._sight())

    @override
    def look(self) -> Jump | None:
        seen = self._sight()
        judged = judge(self._anchor, seen)
        if self._relay is not None and not judged.shift_s:
            relay_s, heard_boot_s = self._relay
            judged = judge_relay(judged.anchor, relay_s + seen.boot_s - heard_boot_s)
        shift = self._shift(judged)
        if shift:
            return Jump(judged.anchor, shift)
        self._anchor = judged.anchor
        return None

    @override
    def follow(self, jump: Jump) -> None:
        log.warning("the computer's clock was set: all deadlines are moved by %s", jump.shift)
        self._anchor = jump.anchor

    @override
    def heard_from_relay(self, relay_at: datetime) -> None:
        self._relay = relay_at.timestamp(), self._sight().boot_s

    @override
    def _real_s(self) -> float:
        return passed(self._anchor, self._sight()).steady_s

    def _shift(self, judged: Judged) -> timedelta:
        return timedelta(milliseconds=round(judged.shift_s * self.speed * 1_000))


def _moment(unix_s: float) -> datetime:
    # As ``whole_milliseconds`` of it, for half the price: whoever asks for the time asks often.
    return datetime.fromtimestamp(round(unix_s * 1_000_000) // 1_000 / 1_000, UTC)


def look_at_computer() -> Sight:
    """Read both clocks at one moment; a computer without a boot clock has a new boot at each start."""
    while True:
        before_s = _boot_s()
        wall_s = time.time()
        if (boot_s := _boot_s()) - before_s < _HELD_UP_S:  # else we were held up between the two
            return Sight(wall_s, boot_s, _boot_id())


def _boot_s() -> float:
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@functools.cache
def _boot_id() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return f"unknown, process started at {time.time()}"
