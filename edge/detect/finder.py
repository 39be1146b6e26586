"""Finding cycles in one machine's power, in Unix seconds and watts.

A value holds until the next one, but not longer than ``SILENT_AFTER_S``: plugs that publish on change
say nothing while nothing changes, and a plug that is gone says nothing either. So ``advance`` can tell a
start or an end without a new sample, and a silence tells neither.

Samples must come in the order of time; one at or before the last is ignored. Time that passes is judged
on a grid of the cycle's own, so how often ``advance`` is called changes nothing but when things are told.
"""

from __future__ import annotations

import math
from typing import Final

from edge.detect.course import COMPLETE, INCOMPLETE, UNSURE, Course, Seam
from edge.detect.expectation import Expectation
from edge.detect.insight import Insight
from edge.detect.library import Library
from edge.detect.marks import End, Left, Mark, Resumed, Start
from edge.detect.plateau import OVER_PLATEAU_W, plateau_bins
from edge.detect.profile import UNKNOWN, power_of
from edge.detect.rising import Rising
from edge.detect.rules import (
    BIN_S,
    CUT_S,
    HEARD_REST_S,
    HEAT_MIN_W,
    REPEATS_NEVER,
    REST_PACES,
    RESUME_S,
    RULES,
    SECONDS_PER_HOUR,
    SILENCE_MIN_S,
    SILENCE_PACES,
    SILENT_AFTER_S,
    SOAK_S,
    STEADY_TURN_S,
    TUMBLING_S,
    USUAL_PACE_S,
    WEAK_S,
    WEAK_W,
)
from edge.detect.seams import Answer, after_told_end, seam_after_rest, within_course
from edge.detect.shifting import shift_times
from edge.detect.state import FinderState
from laundryd.wire.machines import MachineKind

NOTHING: Final[list[Mark]] = []
_PACE_SHARE: Final = 0.05
_REPEATS_SHARE: Final = 0.02
"""How much one sample moves what is usual for the plug."""
_REST_BINS: Final = 8
"""So many bins after an end show what the machine draws at rest."""


class Finder:
    """Applies the rules of a kind of machine to one machine's power. No clock and no I/O of its own."""

    __slots__ = (
        "_active_w",
        "_insight",
        "_kind",
        "_rule",
        "_still_w",
        "_wake_s",
        "library",
        "state",
    )

    def __init__(
        self, kind: MachineKind, state: FinderState | None = None, library: Library | None = None
    ) -> None:
        self._kind, self._rule = kind, RULES[kind]
        self.state = FinderState() if state is None else state
        self.library = Library() if library is None else library
        self._insight = Insight(kind, self.library, self.state.course)
        # Before this moment nothing comes due, and a sample is only added up.
        self._wake_s = -math.inf
        self._set_thresholds()

    @property
    def started_s(self) -> float | None:
        """Start of the cycle that was told to run; None: none runs."""
        course = self.state.course
        return None if course is None or course.is_ended() else course.started_s

    def sample(self, at_s: float, power_w: float) -> list[Mark]:
        """Take a sample, Unix seconds and watts, and say what it shows; mostly nothing."""
        state = self.state
        if state.last_s is None:
            self._take(at_s, power_w, 0.0)
            return self.advance(at_s)
        gap_s = at_s - state.last_s
        if gap_s <= 0:
            return NOTHING
        if at_s < self._wake_s and gap_s <= SILENCE_MIN_S and state.gone_s is None:
            self._take(at_s, power_w, gap_s)
            return NOTHING
        marks = self.advance(at_s)
        if gap_s > SILENT_AFTER_S or state.gone_s is not None:
            marks = marks + self._after_silence(at_s, gap_s)
            gap_s = 0.0
        self._take(at_s, power_w, gap_s)
        return marks + self.advance(at_s)

    def advance(self, now_s: float) -> list[Mark]:
        """Say what the passing of time alone shows; mostly nothing. The same moment twice is harmless."""
        limit_s = min(now_s, self._heard_until_s())
        marks: list[Mark] = []
        while (due_s := self._next_s()) <= limit_s:
            self._hold_until(due_s)
            if self._rising_due_s() <= due_s:
                marks += self._risen(due_s)
            course = self.state.course
            if course is not None and course.next_beat_s() <= due_s:
                marks += self._beat(course, due_s)
        self._wake_s = -math.inf if self.state.rising.rising_s is not None else due_s
        return marks

    def due_s(self) -> float | None:
        """When ``advance`` would next have something to do if no sample comes before; None: never."""
        due_s = self._next_s()
        return due_s if due_s <= self._heard_until_s() and due_s < math.inf else None

    def gone(self, at_s: float) -> bool:
        """Take note that the plug is gone: nothing is concluded until it is heard again.

        False: it was gone before.
        """
        if self.state.gone_s is not None:
            return False
        self.state.gone_s = at_s
        return True

    def back(self) -> None:
        """Take note that it was not gone: what it said last has stood all the time."""
        self.state.gone_s = None
        self._wake_s = -math.inf

    def shift(self, delta_s: float) -> None:
        """Move every time that is kept by ``delta_s`` seconds."""
        shift_times(self.state, delta_s)
        self._wake_s = -math.inf

    def _heard_until_s(self) -> float:
        """Until when the last sample may be believed to last."""
        state = self.state
        if state.last_s is None:
            return -math.inf
        silent_s = state.last_s + SILENT_AFTER_S
        return silent_s if state.gone_s is None else min(silent_s, state.gone_s)

    def _next_s(self) -> float:
        course = self.state.course
        rising_s = self._rising_due_s()
        return rising_s if course is None else min(course.next_beat_s(), rising_s)

    def _rising_due_s(self) -> float:
        state = self.state
        if state.rising.rising_s is None or state.last_s is None:
            return math.inf
        is_active = state.last_w >= self._active_w
        return state.rising.due_s(state.last_s, self._rule, is_active=is_active)

    def _hold_until(self, at_s: float) -> None:
        state = self.state
        if at_s > state.held_s:
            if state.course is not None:
                state.course.hold(state.last_w, at_s - state.held_s)
            state.held_s = at_s

    def _take(self, at_s: float, power_w: float, gap_s: float) -> None:
        state = self.state
        course = state.course
        was_active = state.last_s is not None and state.last_w >= self._active_w
        if state.left_on_w is not None and power_w < state.left_on_w - OVER_PLATEAU_W:
            # It was switched off, or never was but a cycle's own.
            state.left_on_w = None
            self._set_thresholds()
        if course is None and state.rest_s <= self._rule.start_dip_s:
            # A rest no longer than that is a drum's, in a load that began before the plug was heard.
            state.rest_s = 0.0 if was_active else state.rest_s + gap_s
        self._hold_until(at_s)
        state.held_s = at_s
        if course is not None and not course.is_resting():
            self._running(course, at_s, power_w, gap_s, was_active=was_active)
        elif power_w >= self._active_w or state.rising.rising_s is not None:
            self._wake_s = -math.inf
            state.rising.take(
                at_s,
                gap_s,
                was_w=state.last_w if was_active else None,
                is_active=power_w >= self._active_w,
                rule=self._rule,
            )
        elif course is None and state.floor.learn(state.last_w, gap_s):
            self._set_thresholds()
        state.pace_s += (min(gap_s, 2 * SILENCE_MIN_S) - state.pace_s) * _PACE_SHARE
        state.repeats += ((power_w == state.last_w) - state.repeats) * _REPEATS_SHARE
        state.last_s, state.last_w, state.gone_s = at_s, power_w, None

    def _running(
        self, course: Course, at_s: float, power_w: float, gap_s: float, *, was_active: bool
    ) -> None:
        if power_w >= self._active_w:
            if not was_active and at_s - course.over_s > self._rule.burst_gap_s:
                if not course.is_ended():
                    seam_after_rest(course, self._insight, at_s, self._rule.seam_rest_s)
                course.burst_s, course.burst_on_s = at_s, 0.0
            course.work(at_s, gap_s if was_active else 0.0, self._rule, self.state.pace_s)
            return
        if course.idle_s is None:
            course.idle_s = at_s
        if course.low_s is None:
            course.low_s = at_s
            if was_active and self.state.repeats < REPEATS_NEVER:
                # On change: the value before held until now.
                course.over_s = at_s
        elif gap_s > self._silence_s():
            course.hole_s += gap_s
        if power_w > self._still_w:
            course.still_s = None
        elif course.still_s is None:
            course.still_s = at_s

    def _risen(self, at_s: float) -> list[Mark]:
        """Make a start of what has been rising, or forget it."""
        state, rising, course = self.state, self.state.rising, self.state.course
        if state.last_w < self._active_w:
            rising.rising_s = None
            if course is not None:
                self._turned(course, rising.over_s)
            return NOTHING
        if self._is_weak(rising) or self._only_tumbles(at_s):
            rising.asked_s = at_s
            return NOTHING
        started_s = at_s if rising.first_turn_s is None else rising.first_turn_s
        state.rising = Rising()
        if course is not None and course.seam is not None:
            seam = course.seam
            if at_s - seam.since_s() <= RESUME_S + self._rule.start_s:
                seam.resumed_s = max(started_s, seam.ended_s)
                course.work_since(rising)
                return self._goes_on(course, seam, at_s)
            self._close(course, seam.ended_s)
        state.course = course = Course(started_s, started_s)
        course.is_cut = course.is_headless = state.rest_s <= self._rule.start_dip_s
        state.rest_s = 0.0
        course.fill(rising.wh * SECONDS_PER_HOUR, at_s)
        course.work_since(rising)
        self._open()
        return [Start(started_s)]

    def _is_weak(self, rising: Rising) -> bool:
        """Say whether what rose is no more than a light or a pump may draw, so far."""
        peak_w = max(rising.peak_w, self.state.last_w)
        return peak_w < self._active_w + WEAK_W and rising.on_s < WEAK_S

    def _turned(self, course: Course, over_s: float) -> None:
        """Let a drum that turns now and then keep a soak from being forgotten."""
        seam = course.seam
        if seam is None or seam.verdict == COMPLETE or seam.dried:
            return
        if over_s - seam.ended_s < SOAK_S:
            seam.turned_s = over_s

    def _only_tumbles(self, at_s: float) -> bool:
        """Say whether what turns after a dryer's end is neither a new load nor the rest of the last."""
        state, rising = self.state, self.state.rising
        if state.tumble_until_s is None or at_s >= state.tumble_until_s:
            return False
        if state.last_w >= state.tumble_w or rising.rising_s is None:
            return False
        seam = None if state.course is None else state.course.seam
        if seam is None or seam.verdict == COMPLETE:
            return True
        if seam.verdict == INCOMPLETE:
            return False
        return rising.on_s < max(STEADY_TURN_S, self._rule.burst_duty * (at_s - rising.rising_s))

    def _beat(self, course: Course, at_s: float) -> list[Mark]:
        """Judge a course at a moment of its grid."""
        level = course.beat()
        if level is not None:
            self._insight.step(course, level)
        seam = course.seam
        if seam is not None and seam.is_told:
            return self._beat_after_end(course, seam, at_s, is_bin=level is not None)
        if self._rests_enough(course, at_s):
            return self._finish(course)
        if level is None:
            return NOTHING
        if bins := plateau_bins(course.levels):
            return self._leave_on(course, bins)
        if seam is not None and seam.resumed_s is not None:
            answer = within_course(
                course,
                seam,
                self._insight,
                resumed_s=seam.resumed_s,
                at_s=at_s,
                kind=self._kind,
                slow_s=self._slow_s(),
            )
            if answer is Answer.NEW:
                return [End(course.started_s, seam.ended_s), *self._part(course, seam)]
            if answer is Answer.SAME:
                course.seam = None
        return self._look_ahead(course, at_s)

    def _beat_after_end(
        self, course: Course, seam: Seam, at_s: float, *, is_bin: bool
    ) -> list[Mark]:
        if seam.resumed_s is None:
            if at_s >= seam.since_s() + RESUME_S and self.state.rising.rising_s is None:
                self._close(course, seam.ended_s)
            return NOTHING
        marks = self._goes_on(course, seam, at_s) if is_bin else NOTHING
        if course.is_ended() and self._rests_enough(course, at_s):
            # Too short for a load of its own: it was the rest of the last.
            return [Resumed(course.started_s, seam.ended_s), *self._finish(course)]
        return marks

    def _goes_on(self, course: Course, seam: Seam, at_s: float) -> list[Mark]:
        """Say, as soon as it can be said, whether work after a told end is of the same load."""
        resumed_s = at_s if seam.resumed_s is None else seam.resumed_s
        heats = self.state.last_w >= self._hot_w()
        answer = after_told_end(
            course,
            seam,
            self._insight,
            resumed_s=resumed_s,
            at_s=at_s,
            kind=self._kind,
            heats=heats,
        )
        if answer is Answer.OPEN:
            return NOTHING
        if answer is Answer.NEW:
            return self._part(course, seam)
        # Should it turn out to be another load after all, the seam is still there to part them.
        seam.is_told = False
        if seam.verdict == INCOMPLETE:
            course.seam = None
        self.state.tumble_until_s = None
        self.state.expectation = Expectation()
        return [Resumed(course.started_s, seam.ended_s)]

    def _hot_w(self) -> float:
        return HEAT_MIN_W if self._insight.heating.is_drying else self._rule.heat_w

    def _rests_enough(self, course: Course, at_s: float) -> bool:
        state = self.state
        silent_s = 0.0 if state.last_s is None else at_s - state.last_s
        if silent_s > self._silence_s() and self._heard_rest_s(course) < HEARD_REST_S:
            return False
        return self._insight.rests_enough(
            course,
            at_s,
            power_w=state.last_w,
            silent_s=silent_s if silent_s > self._silence_s() else 0.0,
            slow_s=self._slow_s(),
        )

    def _heard_rest_s(self, course: Course) -> float:
        """Say how much of a course's rest was heard, seconds; all of it from a plug that says changes."""
        state = self.state
        since_s = self._insight.resting_since_s(course)
        if state.repeats < REPEATS_NEVER or since_s is None or state.last_s is None:
            return math.inf
        return state.last_s - since_s

    def _finish(self, course: Course) -> list[Mark]:
        ended_s = self._insight.last_work_s(course)
        verdict, dried = self._insight.verdict(course, ended_s), self._insight.heating.is_drying
        if course.is_headless and verdict == INCOMPLETE:
            # What would speak for its end may have been before it was heard.
            verdict = UNSURE
        course.seam = Seam(ended_s, verdict, is_told=True, dried=dried)
        self.state.rising, self.state.expectation = Rising(), Expectation()
        self.state.rest_s = self._rule.end_s
        if self._kind is MachineKind.DRYER:
            self.state.tumble_until_s = ended_s + TUMBLING_S
            self.state.tumble_w = self._hot_w()
        return [End(course.started_s, ended_s)]

    def stop(self) -> list[Mark]:
        """End the running cycle: somebody saw that it is over. What is drawn now is no load's."""
        course = self.state.course
        return NOTHING if course is None or course.is_ended() else self._leave_on(course, 0)

    def _leave_on(self, course: Course, bins: int) -> list[Mark]:
        """End a course with the last ``bins`` of it, in which something that is no load draws on."""
        ended_s = course.grid_s + (len(course.levels) - bins) * BIN_S
        course.over_s = course.worked_s = max(course.started_s, ended_s)
        course.is_cut = True
        marks = self._finish(course)
        self._close(course, course.over_s)
        self.state.left_on_w = self.state.last_w
        self._set_thresholds()
        return marks

    def _part(self, course: Course, seam: Seam) -> list[Mark]:
        """Part a course at its seam: learn the first load, and go on with the second."""
        started_s = seam.ended_s if seam.resumed_s is None else seam.resumed_s
        self._learn(course, seam.ended_s)
        course.begin_at(started_s)
        self.state.tumble_until_s = None
        self._open()
        return [Start(started_s)]

    def _open(self) -> None:
        self.state.expectation = Expectation()
        self._insight = Insight(self._kind, self.library, self.state.course)

    def _close(self, course: Course, ended_s: float) -> None:
        self._learn(course, ended_s)
        self.state.course = None
        self._open()

    def _learn(self, course: Course, ended_s: float) -> None:
        if course.is_cut:
            return
        levels = course.ended_levels(ended_s)
        after = course.levels[len(levels) + 1 : len(levels) + 1 + _REST_BINS]
        known = sorted(one for one in after if one != UNKNOWN)
        rest_w = power_of(known[len(known) // 2]) if known else None
        self.library.learn(levels, ended_s - course.grid_s, rest_w)

    def _look_ahead(self, course: Course, at_s: float) -> list[Mark]:
        outlook = self._insight.whereabouts.outlook()
        if outlook is None:
            return NOTHING
        words = self.state.expectation.look(at_s, course.started_s, outlook)
        return [
            Left(course.started_s, word.ends_s, word.confidence, word.is_soon) for word in words
        ]

    def _after_silence(self, at_s: float, gap_s: float) -> list[Mark]:
        """Forget what the silence made unknown: how long it had been quiet, or what was rising."""
        state, course = self.state, self.state.course
        state.rising = Rising()
        marks: list[Mark] = []
        says_changes = state.repeats < REPEATS_NEVER and state.last_w < self._active_w
        if course is None:
            state.rest_s = state.rest_s + gap_s if says_changes else 0.0
            # A plug that publishes on change may be silent all the time that a machine stands still.
            if state.last_w < self._active_w and state.floor.learn(state.last_w, SILENT_AFTER_S):
                self._set_thresholds()
        elif gap_s > self._rule.longest_silence_s or at_s - course.started_s > self._longest_s():
            if not course.is_ended():
                # Its end was not seen, so it teaches nothing.
                course.is_cut = True
                marks = self._finish(course)
            elif course.seam is not None and course.seam.resumed_s is not None:
                course.is_cut = True
            self._close(course, course.over_s if course.seam is None else course.seam.ended_s)
            state.rest_s = gap_s if says_changes else 0.0
        else:
            course.is_cut = course.is_cut or (gap_s > CUT_S and not course.is_ended())
            if course.seam is not None and course.seam.verdict != COMPLETE:
                course.seam.unheard_s += gap_s
            for level in course.unheard_until(at_s):
                self._insight.step(course, level)
        state.held_s = at_s
        return marks

    def _longest_s(self) -> float:
        known_s = self.library.longest_s()
        if known_s is None:
            return self._rule.longest_s
        return min(self._rule.longest_s, 1.5 * known_s + RESUME_S)

    def _slow_s(self) -> float:
        """Give for how long a turning drum may be caught at rest, seconds."""
        if self.state.repeats < REPEATS_NEVER:
            # One that publishes on change misses no turn, however rarely it reports.
            return 0.0
        return REST_PACES * max(0.0, self.state.pace_s - USUAL_PACE_S)

    def _silence_s(self) -> float:
        """Give how long a silence is none yet, seconds."""
        if self.state.repeats < REPEATS_NEVER:
            return SILENT_AFTER_S
        return max(SILENCE_MIN_S, SILENCE_PACES * self.state.pace_s)

    def _set_thresholds(self) -> None:
        floor_w, rule = self.state.floor.floor_w or 0.0, self._rule
        self._active_w = max(rule.active_w, floor_w + rule.active_over_floor_w)
        if self.state.left_on_w is not None:
            self._active_w = max(self._active_w, self.state.left_on_w + OVER_PLATEAU_W)
        self._still_w = max(rule.still_w, floor_w + rule.still_over_floor_w)
