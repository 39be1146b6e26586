"""Something that is no load draws on after one: a lamp, a second device behind the plug, a stuck relay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edge.detect.profile import UNKNOWN, level_of, power_of
from edge.detect.rules import BIN_S

PLATEAU_S: Final = 5_400.0
"""So long does no load draw the same, seconds: a soak's drum turns, a fan's heater comes and goes."""
PLATEAU_MAX_W: Final = 60.0
"""Nor does what draws more count as left over, watts: drums turn with 80 W and more."""
PLATEAU_SHARE: Final = 0.1
"""Nor more than such a share of the strongest bin of the load."""
_SPREAD_LEVELS: Final = 2
"""How far, in levels, about 7 % each, its bins lie apart at most."""
OVER_PLATEAU_W: Final = 10.0
"""What draws so much more than a plateau is work again, watts."""


def plateau_bins(levels: Sequence[int]) -> int:
    """Say how many of a course's last bins draw the same, little, without end; 0: they do not."""
    length = round(PLATEAU_S / BIN_S)
    if len(levels) <= length:
        return 0
    last = levels[-length:]
    low, high = min(last), max(last)
    if high == UNKNOWN or high - low > _SPREAD_LEVELS or high > level_of(PLATEAU_MAX_W):
        return 0
    peak_w = power_of(max(level for level in levels if level != UNKNOWN))
    if power_of(high) > PLATEAU_SHARE * peak_w:
        return 0
    count = length
    while count < len(levels) and abs(levels[-count - 1] - low) <= _SPREAD_LEVELS:
        count += 1
    return count
