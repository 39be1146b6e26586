"""How long a rest must last to be an end, and what a cycle looked like before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edge.detect.course import COMPLETE, DOUBTFUL, INCOMPLETE, UNSURE, Course, Verdict
from edge.detect.library import Library
from edge.detect.profile import Heating, level_of
from edge.detect.rules import BIN_S, COOLED_LONG_S, COOLED_S, CycleRule
from edge.detect.whereabouts import Whereabouts
from laundryd.wire.machines import MachineKind

SURELY_OVER: Final = 0.8
SURELY_NOT_OVER: Final = 0.1
KNOWN_FIT: Final = 0.4
"""How well past cycles must fit to believe them that the cycle is not over."""


_SPIN_STEPS: Final = 8
"""Levels by which a spin's bins differ."""
_SPIN_BINS: Final = 2
SPUN_FROM_S: Final = 900.0
"""No wash is over sooner, seconds."""


def verdict_on(
    levels: Sequence[int],
    heating: Heating,
    whereabouts: Whereabouts,
    rule: CycleRule,
    kind: MachineKind,
) -> Verdict:
    """Say whether a cycle of these bins, which rests now, looks complete."""
    course_bins = len(levels)
    if whereabouts.over >= SURELY_OVER:
        return COMPLETE
    if heating.is_drying:
        if not has_cooled(course_bins, heating) or is_known_to_go_on(whereabouts):
            return INCOMPLETE
        # A washer-dryer that dried does not begin to dry again: what follows is a wash.
        is_long = heating.since_s(course_bins) >= COOLED_LONG_S
        return COMPLETE if is_long or kind is MachineKind.WASHER_DRYER else UNSURE
    if not (is_late(course_bins, heating, rule) or has_spun(levels, heating, rule)):
        return INCOMPLETE
    return DOUBTFUL if is_known_to_go_on(whereabouts) else UNSURE


def is_known_to_go_on(whereabouts: Whereabouts) -> bool:
    """Say whether past cycles went on from here."""
    return whereabouts.fit >= KNOWN_FIT and whereabouts.over <= SURELY_NOT_OVER


def has_cooled(course_bins: int, heating: Heating) -> bool:
    """Say whether a dryer turned without heating for long enough."""
    return heating.last is not None and heating.since_s(course_bins) >= COOLED_S


def has_spun(levels: Sequence[int], heating: Heating, rule: CycleRule) -> bool:
    """Say whether a washer spun just now, at its fastest, and has not heated for a while."""
    lately = levels[-round(rule.spun_s / BIN_S) :]
    if len(levels) * BIN_S < SPUN_FROM_S or heating.since_s(len(levels)) < rule.spun_s:
        return False
    hot = level_of(rule.heat_w)
    fastest = max((level for level in levels if level < hot), default=0)
    spins = max(level_of(rule.spin_w), fastest - _SPIN_STEPS)
    return sum(spins <= one < hot for one in lately) >= _SPIN_BINS


def is_late(course_bins: int, heating: Heating, rule: CycleRule) -> bool:
    """Say whether a washer heated, and long ago."""
    return heating.last is not None and heating.since_s(course_bins) >= rule.late_s


def rest_needed_s(
    course: Course,
    heating: Heating,
    whereabouts: Whereabouts,
    library: Library,
    rule: CycleRule,
    *,
    rest_power_w: float,
    silent_s: float,
    slow_s: float,
) -> float:
    """Say how long the present rest of a cycle must last to be its end, seconds.

    ``silent_s``: for how long the plug has not been heard beyond what is usual for it; ``slow_s``: for
    how long its reports may catch a turning drum at rest.
    """
    is_over, is_drying = whereabouts.over >= SURELY_OVER, heating.is_drying
    worked_bins = course.index_of(course.over_s) + 1
    if is_over:
        needed_s = rule.end_known_s
    elif has_cooled(worked_bins, heating) if is_drying else is_late(worked_bins, heating, rule):
        needed_s = rule.end_late_s
    elif not is_drying and has_spun(course.levels[:worked_bins], heating, rule):
        needed_s = rule.end_spun_s
    else:
        needed_s = rule.end_s
    if is_drying:
        # Its drum turns nearly all the time: half as many reports in a row find it at rest.
        return needed_s + slow_s / 2
    is_steady = course.still_s is not None or library.rests_at(rest_power_w)
    if not is_steady:
        needed_s = rule.end_known_unsteady_s if is_over else rule.end_unsteady_s
    unheard_s = course.hole_s + silent_s
    if unheard_s:
        limit_s = rule.end_unsteady_s if is_over else rule.end_unheard_s
        needed_s = max(needed_s, min(limit_s, needed_s + unheard_s))
    known_rest_s = whereabouts.rest_left_s()
    if known_rest_s and not is_over:
        needed_s += known_rest_s + rule.known_rest_s
    return needed_s + slow_s
