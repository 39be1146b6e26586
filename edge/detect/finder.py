"""Finding cycles in one machine's power, in Unix seconds and watts.

A value holds until the next one, but not longer than ``SILENT_AFTER_S``: plugs that publish on change
say nothing while nothing changes, and a plug that is gone says nothing either. So ``advance`` can tell a
start or an end without a new sample, and a silence tells neither.

Samples must come in the order of time; one at or before the last is ignored. Time that passes is judged
on a grid of the cycle's own, so how often ``advance`` is called changes nothing but when things are told.
"""

from __future__ import annotations

import math

from edge.detect.course import COMPLETE, INCOMPLETE, UNSURE, Course, Seam, Verdict
from edge.detect.ends import rest_needed_s, verdict_on
from edge.detect.expectation import Expectation
from edge.detect.library import Library
from edge.detect.marks import End, Left, Mark, Resumed, Start
from edge.detect.profile import UNKNOWN, Heating, heating_of, hot_level, level_of, power_of
from edge.detect.rising import Rising
from edge.detect.rules import (
    BIN_S,
    HEAT_MIN_W,
    HEAT_SHARE,
    REPEATS_NEVER,
    RESUME_S,
    RULES,
    SILENCE_MIN_S,
    SOAK_S,
    SILENCE_PACES,
    SILENT_AFTER_S,
    STEADY_TURN_S,
    TUMBLING_S,
)
from edge.detect.shifting import shift_times
from edge.detect.state import FinderState
from edge.detect.whereabouts import Whereabouts
from laundryd.wire.machines import MachineKind

NOTHING: list[Mark] = []
_PACE_SHARE = 0.05
_REPEATS_SHARE = 0.02
_SEAM_WORK_S = 360.0
_SEAM_REST_S = 180.0
_UNTOLD_S = 720.0
_HOT_BINS = 2


class Finder:
    """Applies the rules of a kind of machine to one machine's power. No clock and no I/O of its own."""

    def __init__(
        self, kind: MachineKind, state: FinderState | None = None, library: Library | None = None
    ) -> None:
        self._kind, self._rule = kind, RULES[kind]
        self.state = FinderState() if state is None else state
        self.library = Library() if library is None else library
        self._heating = Heating(0, None, is_drying=False)
        self._whereabouts = Whereabouts(())
        self._set_thresholds()
        self._look_back()
        self._wake_s = -math.inf

    @property
    def started_s(self) -> float | None:
        """Start of the cycle that was told to run; None: none runs."""
        course = self.state.course
        return None if course is None or _is_ended(course) else course.started_s

    def sample(self, at_s: float, power_w: float) -> list[Mark]:
        """Take a sample, Unix seconds and watts, and say what it shows; mostly nothing."""
        state = self.state
        last_s = state.last_s
        if last_s is None:
            self._take(at_s, power_w, 0.0)
            return self.advance(at_s)
        gap_s = at_s - last_s
        if gap_s <= 0:
            return NOTHING
        if at_s < self._wake_s and gap_s <= SILENCE_MIN_S:
            self._take(at_s, power_w, gap_s)
            return NOTHING
        marks = self.advance(at_s)
        if gap_s > SILENT_AFTER_S:
            marks = marks + self._after_silence(at_s, gap_s)
            gap_s = 0.0
        self._take(at_s, power_w, gap_s)
        return marks + self.advance(at_s)

    def advance(self, now_s: float) -> list[Mark]:
        """Say what the passing of time alone shows; mostly nothing. The same moment twice is harmless."""
        state = self.state
        if state.last_s is None:
            return NOTHING
        limit_s = min(now_s, state.last_s + SILENT_AFTER_S)
        if state.gone_s is not None:
            limit_s = min(limit_s, state.gone_s)
        marks: list[Mark] = []
        while (due_s := self._next_s()) is not None and due_s <= limit_s:
            self._hold_until(due_s)
            rising_due_s = self._rising_due_s()
            if rising_due_s is not None and rising_due_s <= due_s:
                marks += self._risen(due_s)
            if state.course is not None and state.course.next_beat_s() <= due_s:
                marks += self._beat(due_s)
        self._wake_s = math.inf if due_s is None else due_s
        if state.rising.rising_s is not None:
            self._wake_s = -math.inf
        return marks

    def due_s(self) -> float | None:
        """When ``advance`` would next have something to do if no sample comes before; None: never."""
        due_s, state = self._next_s(), self.state
        if due_s is None or state.last_s is None or due_s > state.last_s + SILENT_AFTER_S:
            return None
        return None if state.gone_s is not None and due_s > state.gone_s else due_s

    def gone(self, at_s: float) -> None:
        """Take note that the plug is gone: nothing is concluded until it is heard again."""
        if self.state.gone_s is None:
            self.state.gone_s = at_s

    def shift(self, delta_s: float) -> None:
        """Move every time that is kept by ``delta_s`` seconds."""
        shift_times(self.state, delta_s)
        self._wake_s = -math.inf

    def _next_s(self) -> float | None:
        rising_s, course = self._rising_due_s(), self.state.course
        if course is None:
            return rising_s
        beat_s = course.next_beat_s()
        return beat_s if rising_s is None else min(beat_s, rising_s)

    def _rising_due_s(self) -> float | None:
        state = self.state
        if state.rising.rising_s is None or state.last_s is None:
            return None
        due_s = state.rising.due_s(
            state.last_s, self._rule, is_active=state.last_w >= self._active_w
        )
        return due_s if due_s is None else max(due_s, state.rising.rising_s)

    def _hold_until(self, at_s: float) -> None:
        state = self.state
        if at_s > state.held_s:
            if state.course is not None:
                state.course.hold(state.last_w, at_s - state.held_s)
            state.held_s = at_s

    def _take(self, at_s: float, power_w: float, gap_s: float) -> None:
        state = self.state
        course, was_active = (
            state.course,
            state.last_w >= self._active_w and state.last_s is not None,
        )
        is_active = power_w >= self._active_w
        if course is None:
            if is_active or state.rising.rising_s is not None:
                self._wake_s = -math.inf
                state.rising.take(
                    at_s,
                    gap_s,
                    was_active_w=state.last_w if was_active else None,
                    is_active=is_active,
                    rule=self._rule,
                )
            elif state.floor.learn(state.last_w, gap_s):
                self._set_thresholds()
            state.held_s = at_s
        else:
            course.bin_ws += state.last_w * (at_s - state.held_s)
            course.bin_s += at_s - state.held_s
            state.held_s = at_s
            if course.seam is not None and course.seam.is_told and course.seam.resumed_s is None:
                if is_active or state.rising.rising_s is not None:
                    self._wake_s = -math.inf
                    state.rising.take(
                        at_s,
                        gap_s,
                        was_active_w=state.last_w if was_active else None,
                        is_active=is_active,
                        rule=self._rule,
                    )
            else:
                self._running(course, at_s, power_w, gap_s, was_active=was_active)
        state.pace_s += (min(gap_s, SILENCE_MIN_S * 2) - state.pace_s) * _PACE_SHARE
        state.repeats += ((power_w == state.last_w) - state.repeats) * _REPEATS_SHARE
        state.last_s, state.last_w, state.gone_s = at_s, power_w, None

    def _running(
        self, course: Course, at_s: float, power_w: float, gap_s: float, *, was_active: bool
    ) -> None:
        if power_w >= self._active_w:
            if not was_active and at_s - course.over_s > self._rule.burst_gap_s:
                self._after_rest(course, at_s)
                course.burst_s, course.burst_on_s = at_s, 0.0
            course.work(at_s, gap_s if was_active else 0.0, self._rule, self.state.pace_s)
            return
        if course.low_s is None:
            course.low_s = at_s
        elif gap_s > self._silence_s():
            course.hole_s += gap_s
        if power_w > self._still_w:
            course.still_s = None
        elif course.still_s is None:
            course.still_s = at_s

    def _after_rest(self, course: Course, at_s: float) -> None:
        """Note a rest after which another load may have begun."""
        ended_s = course.calm_until(at_s)
        if self._is_drying():
            ended_s = course.worked_s
        rest_s, seam = at_s - ended_s, course.seam
        if rest_s < self._rule.seam_rest_s:
            return
        if seam is not None and seam.resumed_s is not None:
            if ended_s == seam.ended_s:
                seam.resumed_s = at_s
                return
            if rest_s < seam.resumed_s - seam.ended_s:
                return
        verdict = self._verdict(course)
        if verdict != INCOMPLETE:
            course.seam = Seam(ended_s, verdict, is_told=False, resumed_s=at_s)

    def _risen(self, at_s: float) -> list[Mark]:
        state = self.state
        rising = state.rising
        if state.last_w < self._active_w:
            rising.rising_s = None
            course = state.course
            if (
                course is not None
                and course.seam is not None
                and course.seam.verdict != COMPLETE
                and not self._is_drying()
                and rising.over_s - course.seam.ended_s < SOAK_S
            ):
                course.seam.turned_s = rising.over_s
            return NOTHING
        if self._only_tumbles(at_s):
            rising.asked_s = at_s
            return NOTHING
        started_s = rising.first_turn_s if rising.first_turn_s is not None else at_s
        marks: list[Mark] = []
        course = state.course
        if course is not None and course.seam is not None:
            seam = course.seam
            if at_s - seam.since_s() <= RESUME_S + self._rule.start_s:
                seam.resumed_s = max(started_s, seam.ended_s)
                self._works_again(course, rising)
                state.rising = Rising()
                return self._decide(course, at_s)
            self._close(course)
        state.course = course = Course(started_s, started_s)
        self._fill(course, rising, at_s)
        self._works_again(course, rising)
        state.rising = Rising()
        self._open(course)
        marks.append(Start(started_s))
        return marks

    def _only_tumbles(self, at_s: float) -> bool:
        """Say whether what turns after a dryer's end is neither a new load nor the rest of the last."""
        state, rising = self.state, self.state.rising
        if (
            state.tumble_until_s is None
            or at_s >= state.tumble_until_s
            or state.last_w >= state.tumble_w
            or rising.rising_s is None
        ):
            return False
        seam = state.course.seam if state.course is not None else None
        if seam is None or seam.verdict == COMPLETE:
            return True
        if seam.verdict == INCOMPLETE:
            return False
        return rising.on_s < max(STEADY_TURN_S, self._rule.burst_duty * (at_s - rising.rising_s))

    def _works_again(self, course: Course, rising: Rising) -> None:
        course.over_s = course.worked_s = rising.over_s
        course.burst_s = course.over_s if rising.rising_s is None else rising.rising_s
        course.burst_on_s = rising.on_s
        course.low_s = course.still_s = None
        course.hole_s = 0.0

    def _fill(self, course: Course, rising: Rising, at_s: float) -> None:
        """Give a course that was told late the bins that it has had."""
        mean_w = (
            rising.wh * 3600 / max(rising.on_s, 1.0) * rising.on_s / max(1.0, at_s - course.grid_s)
        )
        while course.next_beat_s() <= at_s:
            course.bin_s = 0.0
            course.hold(mean_w, BIN_S)
            course.beat()
        course.bin_s = course.bin_ws = 0.0
        course.hold(mean_w, max(0.0, at_s - course.grid_s - len(course.levels) * BIN_S))

    def _open(self, course: Course) -> None:
        self.state.expectation = Expectation()
        self._look_back()

    def _look_back(self) -> None:
        """Work out from a course's bins what is derived from them."""
        course = self.state.course
        self._whereabouts = Whereabouts(self.library.cycles)
        self._heating = Heating(0, None, is_drying=False)
        if course is not None:
            for level in course.levels:
                self._whereabouts.step(level)
            self._heat(course)

    def _heat(self, course: Course) -> None:
        self._heating = heating_of(course.levels, self._rule, self._kind)

    def _is_drying(self) -> bool:
        return self._heating.is_drying or self._kind is MachineKind.DRYER

    def _verdict(self, course: Course) -> Verdict:
        ended_s = course.worked_s if self._is_drying() else course.over_s
        return verdict_on(
            course.ended_levels(ended_s),
            self._heating,
            self._whereabouts,
            self._rule,
            self._kind,
        )

    def _beat(self, at_s: float) -> list[Mark]:
        course = self.state.course
        assert course is not None
        level = course.beat()
        if level is not None:
            self._whereabouts.step(level)
            self._heat(course)
            if self._is_drying() and self._heating.last == len(course.levels) - 1:
                course.worked_s = max(course.worked_s, course.over_s)
        seam = course.seam
        if seam is not None and seam.is_told:
            if seam.resumed_s is None:
                if at_s >= seam.since_s() + RESUME_S and self.state.rising.rising_s is None:
                    self._close(course)
                return NOTHING
            marks: list[Mark] = []
            if level is not None:
                marks += self._decide(course, at_s)
            if course.seam is seam and self._rests_enough(course, at_s):
                course.seam = None
                marks.append(Resumed(course.started_s, seam.ended_s))
                marks += self._finish(course, at_s)
            return marks
        if self._rests_enough(course, at_s):
            return self._finish(course, at_s)
        if level is None:
            return NOTHING
        if seam is not None:
            marks = self._judge_seam(course, seam, at_s)
            if marks:
                return marks
        return self._look_ahead(course, at_s)

    def _rests_enough(self, course: Course, at_s: float) -> bool:
        is_drying = self._is_drying()
        if not is_drying and course.low_s is None:
            return False
        rest_s = at_s - (course.worked_s if is_drying else course.over_s)
        if rest_s < min(self._rule.end_known_s, self._rule.end_late_s):
            return False
        last_s = self.state.last_s or at_s
        silent_s = at_s - last_s if at_s - last_s > self._silence_s() else 0.0
        return rest_s >= rest_needed_s(
            course,
            self._heating,
            self._whereabouts,
            self.library,
            self._rule,
            is_drying=is_drying,
            rest_power_w=self.state.last_w,
            silent_s=silent_s,
            pace_s=self.state.pace_s,
        )

    def _finish(self, course: Course, at_s: float) -> list[Mark]:
        is_drying = self._is_drying()
        ended_s = course.worked_s if is_drying else course.over_s
        course.seam = Seam(ended_s, self._verdict(course), is_told=True)
        self.state.rising = Rising()
        self.state.expectation = Expectation()
        if self._kind is MachineKind.DRYER:
            self._expect_tumbling(course, ended_s)
        return [End(course.started_s, ended_s)]

    def _expect_tumbling(self, course: Course, ended_s: float) -> None:
        self.state.tumble_until_s = ended_s + TUMBLING_S
        self.state.tumble_w = power_of(hot_level(course.levels))

    def _decide(self, course: Course, at_s: float) -> list[Mark]:
        """Say whether what works after a told end is the same load."""
        seam = course.seam
        assert seam is not None and seam.resumed_s is not None
        if seam.verdict == COMPLETE:
            return self._anew(course, seam)
        if seam.verdict == UNSURE:
            if self._heated_since(course, seam.resumed_s):
                if self._kind is not MachineKind.WASHER_DRYER:
                    return self._anew(course, seam)
            else:
                is_hot = self.state.last_w >= (self.state.tumble_w or self._rule.heat_w)
                untold_s = _UNTOLD_S
                if self._is_drying():
                    untold_s = STEADY_TURN_S * 2 if is_hot else 0.0
                if at_s - seam.resumed_s < untold_s:
                    return NOTHING
        # Should it turn out to be another load after all, the seam is still there to part them.
        course.seam = Seam(seam.ended_s, seam.verdict, is_told=False, resumed_s=seam.resumed_s)
        if seam.verdict == INCOMPLETE:
            course.seam = None
        self.state.tumble_until_s = None
        return [Resumed(course.started_s, seam.ended_s)]

    def _judge_seam(self, course: Course, seam: Seam, at_s: float) -> list[Mark]:
        """Say whether what works after a rest that was no end is another load."""
        resumed_s = seam.resumed_s if seam.resumed_s is not None else at_s
        is_hot = self._heated_since(course, resumed_s)
        is_new = is_hot and (
            seam.verdict == COMPLETE
            or (
                self._kind is not MachineKind.WASHER_DRYER
                and resumed_s - seam.ended_s >= _SEAM_REST_S
            )
        )
        if (
            not is_new
            and seam.verdict == COMPLETE
            and not self._is_drying()
            and at_s - resumed_s >= _SEAM_WORK_S
        ):
            anew = self._whereabouts.begins_anew(course.levels, course.index_of(resumed_s))
            is_new = anew
        if is_new:
            return [End(course.started_s, seam.ended_s), *self._anew(course, seam)]
        if at_s - resumed_s > RESUME_S:
            course.seam = None
        return NOTHING

    def _heated_since(self, course: Course, since_s: float) -> bool:
        hot = hot_level(course.levels) if self._is_drying() else level_of(self._rule.heat_w)
        levels = course.levels[course.index_of(since_s) :]
        return sum(hot <= one != UNKNOWN for one in levels) >= _HOT_BINS

    def _anew(self, course: Course, seam: Seam) -> list[Mark]:
        """Part a course at its seam: learn the first load, and go on with the second."""
        assert seam.resumed_s is not None
        first_bin = course.index_of(seam.resumed_s)
        self._learn(course, seam.ended_s)
        grid_s = course.grid_s + first_bin * BIN_S
        course.levels = course.levels[first_bin:]
        course.beats -= first_bin * round(BIN_S / 10)
        course.grid_s, course.started_s, course.seam, course.is_cut = (
            grid_s,
            seam.resumed_s,
            None,
            False,
        )
        self.state.tumble_until_s = None
        self._open(course)
        return [Start(course.started_s)]

    def _close(self, course: Course) -> None:
        assert course.seam is not None
        self._learn(course, course.seam.ended_s)
        self.state.course = None
        self._look_back()

    def _learn(self, course: Course, ended_s: float) -> None:
        if course.is_cut:
            return
        ended = course.ended_levels(ended_s)
        after = course.levels[len(ended) + 1 : len(ended) + 9]
        known = sorted(one for one in after if one != 255)
        self.library.learn(
            ended, ended_s - course.grid_s, power_of(known[len(known) // 2]) if known else None
        )

    def _look_ahead(self, course: Course, at_s: float) -> list[Mark]:
        if not self.library.cycles:
            return NOTHING
        outlook = self._whereabouts.outlook()
        if outlook is None:
            return NOTHING
        return [
            Left(course.started_s, word.ends_s, word.confidence, word.is_soon)
            for word in self.state.expectation.look(at_s, course.started_s, outlook)
        ]

    def _after_silence(self, at_s: float, gap_s: float) -> list[Mark]:
        state, rule = self.state, self._rule
        state.rising = Rising()
        course = state.course
        marks: list[Mark] = []
        if course is not None:
            longest_s = max(rule.longest_silence_s, 0)
            is_over = gap_s > longest_s or at_s - course.started_s > rule.longest_s
            if is_over:
                course.is_cut = course.is_cut or course.seam is None or not course.seam.is_told
                if not _is_ended(course):
                    marks = self._finish(course, at_s)
                course.seam = course.seam or Seam(course.over_s, UNSURE, is_told=True)
                self._close(course)
            else:
                course.is_cut = course.is_cut or not _is_ended(course)
                course.bin_s = course.bin_ws = 0.0
                while course.next_beat_s() <= at_s:
                    level = course.beat()
                    if level is not None:
                        self._whereabouts.step(level)
                course.low_s = course.still_s = None
                course.over_s = max(course.over_s, course.over_s)
        state.held_s = at_s
        return marks

    def _silence_s(self) -> float:
        """Give how long a silence is none yet."""
        if self.state.repeats < REPEATS_NEVER:
            return SILENT_AFTER_S
        return max(SILENCE_MIN_S, SILENCE_PACES * self.state.pace_s)

    def _set_thresholds(self) -> None:
        floor_w, rule = self.state.floor.floor_w or 0.0, self._rule
        self._active_w = max(rule.active_w, floor_w + rule.active_over_floor_w)
        self._still_w = max(rule.still_w, floor_w + rule.still_over_floor_w)


def _is_ended(course: Course) -> bool:
    return course.seam is not None and course.seam.is_told
