"""The shape of a cycle: its mean power in bins of half a minute, on a scale of equal ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge.detect.rules import BIN_S, COOLED_S, DRYING_AGAIN_S, HEAT_MIN_W, HEAT_SHARE, CycleRule

STEPS_PER_OCTAVE: Final = 20
_OFFSET_W: Final = 5.0
"""Below it the scale is about linear, watts: the noise of standing still shall weigh nothing."""
UNKNOWN: Final = 255
"""The level of a bin in which the plug was not heard."""
_HIGHEST: Final = 254
_DRY_FROM_START_BINS: Final = 80


def level_of(power_w: float) -> int:
    """Give the level of a power in watts, 0 to 254."""
    if power_w <= 0:
        return 0
    return min(_HIGHEST, round(STEPS_PER_OCTAVE * math.log2(1 + power_w / _OFFSET_W)))


def power_of(level: int) -> float:
    """Give the power of a level, watts."""
    return float(_OFFSET_W * (2 ** (level / STEPS_PER_OCTAVE) - 1))


@dataclass(frozen=True, slots=True)
class Heating:
    """Where in a cycle it was hot. Bins are counted from 0; ``last`` None: it never heated."""

    bins: int
    last: int | None
    is_drying: bool
    """It heats as a dryer does: again after a long while without, or for most of the time."""

    def since_s(self, length: int) -> float:
        """Seconds from the end of the heating to the end of a cycle of ``length`` bins; inf: never."""
        return math.inf if self.last is None else (length - 1 - self.last) * BIN_S


def heating_of(levels: Sequence[int], rule: CycleRule, *, as_dryer: bool) -> Heating:
    """Find the heating in a cycle's bins."""
    if as_dryer:
        peak = max((level for level in levels if level != UNKNOWN), default=0)
        hot = level_of(max(HEAT_MIN_W, HEAT_SHARE * power_of(peak)))
    else:
        hot = level_of(rule.heat_w)
    count, last, is_drying = 0, None, False
    rest_bins = DRYING_AGAIN_S / BIN_S
    again = 0
    for index, level in enumerate(levels):
        if hot <= level != UNKNOWN:
            if last is not None and index - last > rest_bins:
                again = 1
            elif again:
                again += 1
            is_drying = is_drying or again >= COOLED_S / BIN_S
            count, last = count + 1, index
    return Heating(count, last, is_drying or count >= _DRY_FROM_START_BINS)
