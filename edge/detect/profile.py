"""The shape of a cycle: its mean power in bins of half a minute, on a scale of equal ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from edge.detect.rules import (
    BIN_S,
    DRYING_AGAIN_S,
    DRYING_SHARE,
    DRYING_WINDOW_S,
    HEAT_MIN_W,
    HEAT_SHARE,
    CycleRule,
)
from laundryd.wire.machines import MachineKind

STEPS_PER_OCTAVE: Final = 20
_OFFSET_W: Final = 5.0
"""Below it the scale is about linear, watts: the noise of standing still shall weigh nothing."""
UNKNOWN: Final = 255
"""The level of a bin in which the plug was not heard."""
_HIGHEST: Final = 254
_DRY_FROM_START_BINS: Final = 80
"""No water takes so many bins to heat."""
THERMOSTAT_BINS: Final = (40, 60)
"""So many bins from the first warm one show a thermostat, if there is one."""
THERMOSTAT_SHARE: Final = 0.7
"""What draws less than this share of their peak does not heat all the time."""
THERMOSTAT_FALLS: Final = 5
"""So often must it have let go."""


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
    """It dries: it is a dryer, or a washer-dryer that heats again after its wash, or without end."""

    def since_s(self, length: int) -> float:
        """Seconds from the end of the heating to the end of a cycle of ``length`` bins; inf: never."""
        return math.inf if self.last is None else (length - 1 - self.last) * BIN_S


def heating_of(levels: Sequence[int], rule: CycleRule, kind: MachineKind) -> Heating:
    """Find the heating in a cycle's bins."""
    known = [0 if level == UNKNOWN else level for level in levels]
    if kind is MachineKind.DRYER:
        return _heating(known, 0, is_drying=True)
    hot = level_of(rule.heat_w)
    first_dry = _drying_from(known, hot) if kind is MachineKind.WASHER_DRYER else None
    if first_dry is not None:
        return _heating(known, first_dry, is_drying=True)
    hot_bins = [index for index, level in enumerate(known) if level >= hot]
    return Heating(len(hot_bins), hot_bins[-1] if hot_bins else None, is_drying=False)


def hot_level(levels: Sequence[int]) -> int:
    """Give the level from which on a dryer of these bins heats."""
    peak = max((level for level in levels if level != UNKNOWN), default=0)
    return level_of(max(HEAT_MIN_W, HEAT_SHARE * power_of(peak)))


def _heating(known: Sequence[int], first: int, *, is_drying: bool) -> Heating:
    hot = hot_level(known[first:])
    hot_bins = [index for index in range(first, len(known)) if known[index] >= hot]
    return Heating(len(hot_bins), hot_bins[-1] if hot_bins else None, is_drying)


def _dries_from_start(known: Sequence[int]) -> bool:
    """Say whether it began with a thermostat's heating: water is heated without a break."""
    warm = level_of(HEAT_MIN_W)
    first = next((index for index, level in enumerate(known) if level >= warm), len(known))
    for length in THERMOSTAT_BINS:
        part = known[first : first + length]
        if len(part) < length:
            return False
        hot = level_of(THERMOSTAT_SHARE * power_of(max(part)))
        are_hot = [level >= hot for level in part]
        falls = sum(before and not after for before, after in pairwise(are_hot))
        if falls >= THERMOSTAT_FALLS and sum(are_hot) >= DRYING_SHARE * length:
            return True
    return False


def _drying_from(known: Sequence[int], hot: int) -> int | None:
    """Give the bin from which on a washer-dryer has dried; None: it has not yet."""
    if _dries_from_start(known):
        return 0
    warm = level_of(HEAT_MIN_W)
    window, warm_count, hot_count = round(DRYING_WINDOW_S / BIN_S), 0, 0
    washed_until: int | None = None
    for index, level in enumerate(known):
        warm_count += level >= warm
        hot_count += level >= hot
        left = index - window
        if left >= 0:
            warm_count -= known[left] >= warm
            if known[left] >= hot:
                washed_until = left
        is_after_wash = washed_until is None or left - washed_until > DRYING_AGAIN_S / BIN_S
        # The first heating of a wash fills a window too: only what heats past it dries.
        begins = left >= 0 and (washed_until is not None or hot_count == 0)
        if begins and is_after_wash and warm_count >= DRYING_SHARE * window:
            return left
        if hot_count >= _DRY_FROM_START_BINS:
            return 0
    return None
