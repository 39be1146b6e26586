"""How long a rest must last to be an end, and what a cycle looked like before it."""

from __future__ import annotations

from typing import Final

from edge.detect.course import COMPLETE, DOUBTFUL, INCOMPLETE, UNSURE, Course, Verdict
from edge.detect.library import Library
from edge.detect.profile import Heating
from edge.detect.rules import COOLED_LONG_S, COOLED_S, CycleRule
from edge.detect.whereabouts import Whereabouts

SURELY_OVER: Final = 0.8
SURELY_NOT_OVER: Final = 0.1
KNOWN_FIT: Final = 0.4
"""How well past cycles must fit to believe them that the cycle is not over."""


def verdict_on(
    course_bins: int,
    heating: Heating,
    whereabouts: Whereabouts,
    rule: CycleRule,
    *,
    is_drying: bool,
) -> Verdict:
    """Say whether a cycle that rests looks complete."""
    if whereabouts.over >= SURELY_OVER:
        return COMPLETE
    if is_drying:
        if not has_cooled(course_bins, heating) or is_known_to_go_on(whereabouts):
            return INCOMPLETE
        return COMPLETE if heating.since_s(course_bins) >= COOLED_LONG_S else UNSURE
    if not is_late(course_bins, heating, rule):
        return INCOMPLETE
    return DOUBTFUL if is_known_to_go_on(whereabouts) else UNSURE


def is_known_to_go_on(whereabouts: Whereabouts) -> bool:
    """Say whether past cycles went on from here."""
    return whereabouts.fit >= KNOWN_FIT and whereabouts.over <= SURELY_NOT_OVER


def has_cooled(course_bins: int, heating: Heating) -> bool:
    """Say whether a dryer turned without heating for long enough."""
    return heating.last is not None and heating.since_s(course_bins) >= COOLED_S


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
    is_drying: bool,
    rest_power_w: float,
    silent_s: float,
) -> float:
    """Say how long the present rest of a cycle must last to be its end, seconds.

    ``silent_s``: for how long the plug has not been heard beyond what is usual for it.
    """
    is_over = whereabouts.over >= SURELY_OVER
    worked_bins = course.index_of(course.over_s) + 1
    if is_over:
        needed_s = rule.end_known_s
    elif has_cooled(worked_bins, heating) if is_drying else is_late(worked_bins, heating, rule):
        needed_s = rule.end_late_s
    else:
        needed_s = rule.end_s
    if is_drying:
        return needed_s
    is_steady = course.still_s is not None or library.rests_at(rest_power_w)
    if not is_steady:
        needed_s = rule.end_known_unsteady_s if is_over else rule.end_unsteady_s
    unheard_s = course.hole_s + silent_s
    if unheard_s:
        needed_s = max(needed_s, min(rule.end_unsteady_s, needed_s + unheard_s))
    known_rest_s = whereabouts.rest_left_s()
    if known_rest_s and not is_over:
        needed_s += known_rest_s + rule.known_rest_s
    return needed_s
