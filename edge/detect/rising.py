"""What may become a cycle: active samples after a rest, until they are a start or are forgotten."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from edge.detect.rules import SECONDS_PER_HOUR, CycleRule

ASK_AGAIN_S: Final = 10.0
"""Seconds between two looks at what is too weak for a load but does not stop."""


@dataclass(slots=True)
class Rising:
    """The active samples seen since a machine stood still. Unix seconds; None: none.

    ``rising_s``: the first of them; with how many, for how long, how much and how
    strongly since. ``first_turn_s``: the
    first of the turns just before, to which a start is set back. ``asked_s``: when it was last found too
    weak to be a new load.
    """

    rising_s: float | None = None
    count: int = 0
    on_s: float = 0.0
    wh: float = 0.0
    peak_w: float = 0.0
    first_turn_s: float | None = None
    over_s: float = 0.0
    asked_s: float | None = None

    def take(
        self, at_s: float, gap_s: float, *, was_w: float | None, is_active: bool, rule: CycleRule
    ) -> None:
        """Take a sample; ``was_w``: the one before, watts, if it was active; else None."""
        if self.rising_s is None:
            if not is_active:
                return
            self.rising_s = at_s
            if self.first_turn_s is None or at_s - self.first_turn_s > rule.set_back_s:
                self.first_turn_s = at_s
            self.count, self.on_s, self.wh, self.asked_s = 0, 0.0, 0.0, None
            self.peak_w = 0.0
        elif was_w is not None:
            self.on_s += gap_s
            self.wh += was_w * gap_s / SECONDS_PER_HOUR
            self.peak_w = max(self.peak_w, was_w)
        if is_active:
            self.count += 1
            self.over_s = at_s

    def due_s(self, last_s: float, rule: CycleRule, *, is_active: bool) -> float:
        """When this becomes a start, or is forgotten, if no sample comes before; infinite: never."""
        if self.rising_s is None:
            return math.inf
        if not is_active:
            return self.over_s + rule.start_dip_s
        if self.asked_s is not None:
            return self.asked_s + ASK_AGAIN_S
        if self.wh >= rule.start_energy_wh and self.count > 1:
            return self.rising_s + rule.start_s
        needed_s = rule.lone_sample_s if self.count == 1 else rule.start_s
        return last_s + needed_s - self.on_s
