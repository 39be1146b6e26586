"""The clocks of the simulated computers: they show the loop's time, each with its own error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from typing_extensions import override

from laundryd.daemon.clock import SteadyClock
from laundryd.daemon.steady import Sight

START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Watch:
    """A computer's wall clock. ``ahead_s``: by how much it is wrong. ``boots``: how often it started."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._begun_s = loop.time()
        self.ahead_s = 0.0
        self.boots = 1

    def monotonic_s(self) -> float:
        """Seconds that only grow."""
        return self._loop.time()

    def wall_s(self) -> float:
        """Unix seconds as this computer shows them."""
        return START.timestamp() + self._loop.time() - self._begun_s + self.ahead_s

    def sight(self) -> Sight:
        """Both clocks at one moment."""
        return Sight(self.wall_s(), self._loop.time() - self._begun_s, f"boot-{self.boots}")


class ComputerClock(SteadyClock):
    """A program's clock: its own judgement of its computer's."""

    def __init__(self, watch: Watch) -> None:
        self._monotonic_s: Callable[[], float] = watch.monotonic_s
        super().__init__(sight=watch.sight)

    @override
    def monotonic_s(self) -> float:
        return self._monotonic_s()
