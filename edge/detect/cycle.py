"""Finding cycles in one machine's power: the rule itself, in Unix seconds and watts.

A value holds until the next one, but not longer than ``SILENT_AFTER_S``: plugs that publish on change
say nothing while nothing changes, and a plug that is gone says nothing either. So ``tick`` can tell a
start or an end without a new sample, and a silence tells neither.

Samples must come in the order of time; one at or before the last is ignored. When a clock is set back,
samples are ignored until it has caught up; when it jumps ahead, that is a silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import ConfigDict

from edge.detect.rules import (
    FLOOR_CEILING_W,
    FLOOR_STEP_S,
    FLOOR_TIME_CONSTANT_S,
    SILENT_AFTER_S,
    CycleRule,
)

SECONDS_PER_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Start:
    """A cycle began at ``started_s``."""

    started_s: float


@dataclass(frozen=True, slots=True)
class End:
    """The cycle that began at ``started_s`` was last at work at ``ended_s``."""

    started_s: float
    ended_s: float


Mark = Start | End


@dataclass(slots=True)
class CycleState:
    """What is remembered of one machine between samples. Times are Unix seconds; None: not so now."""

    # How a kept state is checked when it is read again.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(allow_inf_nan=False)

    last_s: float | None = None
    """The last sample's time, and its value."""
    last_w: float = 0.0
    floor_w: float | None = None
    """The learned standby floor; None: never seen standing still."""
    rising_s: float | None = None
    """First active sample of what may become a cycle; with how many, how long and how much since."""
    rising_count: int = 0
    rising_over_s: float = 0.0
    rising_wh: float = 0.0
    first_turn_s: float | None = None
    """First active sample of the turns just before, to which a start is set back (see ``set_back_s``)."""
    over_s: float = 0.0
    """Last active sample; meaningful while rising or running."""
    started_s: float | None = None
    """Start of the running cycle."""
    worked_s: float = 0.0
    """While running: last sample of work that counts (see ``burst_s``)."""
    burst_s: float = 0.0
    """While running: first sample of the present burst."""
    below_s: float | None = None
    """While running: first sample below the active threshold since it last worked."""
    quiet_s: float | None = None
    """While running: the same for the quiet threshold."""


class CycleFinder:
    """Applies one rule to one machine's power. No clock and no I/O of its own."""

    __slots__ = ("_active_w", "_quiet_w", "_rule", "state")

    def __init__(self, rule: CycleRule, state: CycleState | None = None) -> None:
        self._rule = rule
        self.state = CycleState() if state is None else state
        self._set_thresholds()

    def sample(self, at_s: float, power_w: float) -> list[Mark]:
        """Take a sample, Unix seconds and watts, and say what it shows; mostly nothing."""
        state = self.state
        last_s = state.last_s
        if last_s is not None and at_s <= last_s:
            return []
        marks = self.tick(at_s)
        gap_s = 0.0 if last_s is None else at_s - last_s
        if gap_s > SILENT_AFTER_S:
            marks += self._after_silence(at_s)
            gap_s = 0.0
        if state.started_s is not None:
            self._running(at_s, power_w)
        elif power_w >= self._active_w or state.rising_s is not None:
            self._rising(at_s, power_w, gap_s)
        else:
            self._learn_floor(power_w, gap_s)
        state.last_s, state.last_w = at_s, power_w
        marks += self.tick(at_s)
        return marks

    def tick(self, now_s: float) -> list[Mark]:
        """Say what the passing of time alone shows; mostly nothing. The same moment twice is harmless."""
        due_s = self.due_s()
        if due_s is None or now_s < due_s:
            return []
        state = self.state
        if state.last_s is None or now_s - state.last_s > SILENT_AFTER_S:
            return []
        if state.started_s is not None:
            end = End(state.started_s, state.worked_s)
            self._reset()
            return [end]
        if state.last_w < self._active_w:
            self._reset()
            return []
        return [self._begin()]

    def due_s(self) -> float | None:
        """When ``tick`` would next have something to do if no sample comes before; None: never."""
        state, rule = self.state, self._rule
        if state.started_s is not None:
            if state.below_s is None or state.last_w >= self._active_w:
                return None
            plateau_s = state.below_s + rule.plateau_s
            return (
                plateau_s if state.quiet_s is None else min(plateau_s, state.quiet_s + rule.end_s)
            )
        if state.rising_s is None or state.last_s is None:
            return None
        if state.last_w < self._active_w:
            return state.over_s + rule.start_dip_s
        if state.rising_wh >= rule.start_energy_wh and state.rising_count > 1:
            return state.rising_s + rule.start_s
        lone_s = rule.lone_sample_s if state.rising_count == 1 else rule.start_s
        return state.last_s + lone_s - state.rising_over_s

    def _running(self, at_s: float, power_w: float) -> None:
        state, rule = self.state, self._rule
        if power_w >= self._active_w:
            if state.last_w < self._active_w and at_s - state.over_s > rule.burst_gap_s:
                state.burst_s = at_s
            state.over_s = at_s
            if at_s - state.burst_s >= rule.burst_s:
                state.worked_s = at_s
                state.below_s = state.quiet_s = None
            return
        if state.below_s is None:
            state.below_s = at_s
        if power_w >= self._quiet_w:
            state.quiet_s = None
        elif state.quiet_s is None:
            state.quiet_s = at_s

    def _rising(self, at_s: float, power_w: float, gap_s: float) -> None:
        state = self.state
        if state.rising_s is None:
            state.rising_s = at_s
            if state.first_turn_s is None or at_s - state.first_turn_s > self._rule.set_back_s:
                state.first_turn_s = at_s
            state.rising_count, state.rising_over_s, state.rising_wh = 0, 0.0, 0.0
        elif state.last_w >= self._active_w:
            state.rising_over_s += gap_s
            state.rising_wh += state.last_w * gap_s / SECONDS_PER_HOUR
        if power_w >= self._active_w:
            state.rising_count += 1
            state.over_s = at_s

    def _begin(self) -> Start:
        state = self.state
        started_s = state.over_s if state.first_turn_s is None else state.first_turn_s
        state.rising_s = state.first_turn_s = None
        state.started_s = state.burst_s = started_s
        state.worked_s = state.over_s
        state.below_s = state.quiet_s = None
        return Start(started_s)

    def _after_silence(self, at_s: float) -> list[Mark]:
        """Forget what the silence made unknown: how long it had been quiet, or what was rising."""
        state = self.state
        state.below_s = state.quiet_s = None
        if state.started_s is None:
            state.rising_s = None
        elif at_s - state.started_s > self._rule.longest_s:
            end = End(state.started_s, state.worked_s)
            self._reset()
            return [end]
        return []

    def _reset(self) -> None:
        state = self.state
        state.started_s = state.rising_s = state.below_s = state.quiet_s = None

    def _learn_floor(self, power_w: float, gap_s: float) -> None:
        state = self.state
        if state.floor_w is None:
            state.floor_w = min(power_w, FLOOR_CEILING_W)
        else:
            weight = min(gap_s, FLOOR_STEP_S) / FLOOR_TIME_CONSTANT_S
            state.floor_w += (min(power_w, FLOOR_CEILING_W) - state.floor_w) * weight
        self._set_thresholds()

    def _set_thresholds(self) -> None:
        floor_w, rule = self.state.floor_w or 0.0, self._rule
        self._active_w = max(rule.active_w, floor_w + rule.active_over_floor_w)
        self._quiet_w = max(rule.quiet_w, floor_w + rule.quiet_over_floor_w)
