"""What a plug's finished cycles taught: bounded, compact, JSON-able."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

KEPT_CYCLES: Final = 24
"""Past cycles kept of a plug: the programmes of a house's machine, and some months of habit."""
LONGEST_BINS: Final = 1_440
"""No profile is longer, bins: half a day. Bounds what is kept to 70 KB a plug."""
SHORTEST_S: Final = 480.0
"""What ran shorter, seconds, teaches nothing: a drum that was only spun or drained."""

REST_SPREAD_W: Final = 2.0
"""How far a display's power strays from one cycle to the next, watts."""


@dataclass(frozen=True, slots=True)
class PastCycle:
    """One finished cycle. ``rest_w``: what it drew after its end, watts; None: not seen."""

    levels: bytes
    length_s: float
    rest_w: float | None = None


@dataclass(slots=True)
class Library:
    """The past cycles of one plug, the oldest first. ``revision`` grows with every change."""

    cycles: list[PastCycle] = field(default_factory=list)
    revision: int = 0

    def learn(self, levels: Sequence[int], length_s: float, rest_w: float | None) -> None:
        """Keep a finished cycle; one too short or too long to be a programme is passed over."""
        if length_s < SHORTEST_S or not 0 < len(levels) <= LONGEST_BINS:
            return
        self.cycles.append(PastCycle(bytes(levels), length_s, rest_w))
        del self.cycles[:-KEPT_CYCLES]
        self.revision += 1

    def longest_s(self) -> float | None:
        """Give the length of the longest past cycle, seconds; None: none is known."""
        return max((cycle.length_s for cycle in self.cycles), default=None)

    def rests_at(self, power_w: float) -> bool:
        """Say whether past cycles drew about ``power_w`` watts after their end."""
        return any(
            cycle.rest_w is not None and abs(cycle.rest_w - power_w) <= REST_SPREAD_W
            for cycle in self.cycles
        )
