"""What a course's bins tell, kept up to date bin by bin: heating, place in the programme, completeness."""

from __future__ import annotations

from typing import Final

from edge.detect.course import Course, Verdict
from edge.detect.ends import rest_needed_s, verdict_on
from edge.detect.library import Library
from edge.detect.profile import UNKNOWN, heating_of, level_of
from edge.detect.rules import BIN_S, DRY_AT_ONCE_S, HEAT_MIN_W, RULES
from edge.detect.whereabouts import Whereabouts
from laundryd.wire.machines import MachineKind

HOT_BINS: Final = 2
"""So many bins of heating are no chance."""


class Insight:
    """Derived from a course and the library alone, so it need not be kept: it is worked out again."""

    __slots__ = ("_kind", "_library", "_rule", "heating", "whereabouts")

    def __init__(self, kind: MachineKind, library: Library, course: Course | None) -> None:
        self._kind, self._rule, self._library = kind, RULES[kind], library
        self.whereabouts = Whereabouts(library.cycles)
        self.heating = heating_of((), self._rule, kind)
        if course is not None:
            for level in course.levels:
                self.whereabouts.step(level)
            self.heating = heating_of(course.levels, self._rule, kind)

    def step(self, course: Course, level: int) -> None:
        """Take a course's newest bin."""
        self.whereabouts.step(level)
        self.heating = heating_of(course.levels, self._rule, self._kind)
        if self.heating.is_drying and self.heating.last == len(course.levels) - 1:
            # However short its turns are: a dryer that heats works.
            course.worked_s, course.idle_s = max(course.worked_s, course.over_s), None

    def last_work_s(self, course: Course) -> float:
        """When a course last did work that counts, Unix seconds."""
        return course.worked_s if self.heating.is_drying else course.over_s

    def resting_since_s(self, course: Course) -> float | None:
        """Since when a course does no work that counts, Unix seconds; None: it works."""
        return course.idle_s if self.heating.is_drying else course.low_s

    def verdict(self, course: Course, ended_s: float) -> Verdict:
        """Say whether a course that rests since ``ended_s`` looks complete."""
        levels = course.ended_levels(ended_s)
        return verdict_on(levels, self.heating, self.whereabouts, self._rule, self._kind)

    def rests_enough(
        self, course: Course, at_s: float, *, power_w: float, silent_s: float, slow_s: float
    ) -> bool:
        """Say whether a course has rested long enough by ``at_s`` to be over."""
        since_s = self.resting_since_s(course)
        if since_s is None:
            return False
        rest_s = at_s - since_s
        if rest_s < min(self._rule.end_known_s, self._rule.end_late_s):
            return False
        return rest_s >= rest_needed_s(
            course,
            self.heating,
            self.whereabouts,
            self._library,
            self._rule,
            rest_power_w=power_w,
            silent_s=silent_s,
            slow_s=slow_s,
        )

    def heated_since(self, course: Course, since_s: float) -> bool:
        """Say whether a course has heated since a moment."""
        # The drum of a dryer alone draws less, and another programme may heat less than the last.
        hot = level_of(HEAT_MIN_W if self.heating.is_drying else self._rule.heat_w)
        return _count(course, since_s, None, hot) >= HOT_BINS

    def heats_at_once(self, course: Course, since_s: float) -> bool:
        """Say whether what follows a rest dries: a wash lets the water in before it heats."""
        return _count(course, since_s, DRY_AT_ONCE_S, level_of(HEAT_MIN_W)) >= HOT_BINS

    def begins_anew(self, course: Course, since_s: float) -> bool:
        """Say whether a course since a moment looks like the beginning of a past one."""
        return self.whereabouts.begins_anew(course.levels, course.index_of(since_s))


def _count(course: Course, since_s: float, for_s: float | None, least: int) -> int:
    first = course.index_of(since_s)
    last = None if for_s is None else first + round(for_s / BIN_S)
    return sum(least <= one != UNKNOWN for one in course.levels[first:last])
