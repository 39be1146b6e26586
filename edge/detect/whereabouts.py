"""Where in its programme a machine is, as far as past cycles of the same plug can tell.

A hidden Markov model: the machine is at a bin of one of the past cycles, mostly one bin further with
every bin that passes, sometimes none or two (water runs in slowly, a cold tap heats longer), rarely
somewhere else near by; or it is over. What it draws says how likely each of these is. So two programmes
that begin alike are told apart when they part, and a shared ending counts from where it begins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge.detect.library import PastCycle
from edge.detect.profile import STEPS_PER_OCTAVE, UNKNOWN, level_of
from edge.detect.rules import BIN_S

COMPARED_CYCLES: Final = 12
"""The newest of the past cycles are compared: more cost time and tell little."""
STAY: Final = 0.12
"""Chance that a bin passes without the programme moving on; the same for moving on by two."""
MOVE: Final = 1 - 2 * STAY
ASTRAY: Final = 0.008
"""Chance that it is elsewhere than thought: another programme, a phase left out."""
ASTRAY_BINS: Final = 20
"""How far from the time that passed it may be, bins; and a share of that time more."""
ASTRAY_SHARE: Final = 0.25
NEAR_END_BINS: Final = 6
NEAR_END_OVER: Final = 0.03
"""Chance in a bin so near the end to be over already."""
PAUSE: Final = 0.005
"""Chance that it pauses in a bin: a soak that was not there before, a door opened. It goes on from there."""
END_SHARE: Final = 0.85
"""Astray it gets among the last bins of a past cycle only after so much of that one's time."""
MATCH_STEPS: Final = STEPS_PER_OCTAVE * 0.7
"""Levels by which two runs of a programme differ within the same bin, on the average."""
MISMATCH: Final = 0.07
"""Likelihood, against 1 of an equal bin, of a bin that does not look alike at all."""
ANEW_BETTER: Final = 8.0
"""A beginning must be so much more likely than going on, in natural logarithms; and fit so well."""
ANEW_FIT: Final = 0.45
FIT_BINS: Final = 8.0
"""How many bins how well it fits is averaged over."""
_WIDTH: Final = 256
_KERNEL: Final = tuple(
    MISMATCH + (1 - MISMATCH) * math.exp(-abs(index - _WIDTH) / MATCH_STEPS)
    for index in range(2 * _WIDTH)
)
_LIKELY: Final = 0.002
_LEAST: Final = 1e-12
_REST_LEVEL: Final = level_of(20.0)


@dataclass(frozen=True, slots=True)
class Outlook:
    """How long it may still take, seconds: the median, and the range that eight in ten are in.

    ``fit``: how well the present cycle looks like past ones, 0 to 1.
    """

    left_s: float
    least_s: float
    most_s: float
    fit: float


class Whereabouts:
    """The belief where a running cycle is among past ones, from its bins in their order."""

    __slots__ = ("_beliefs", "_bins", "_cycles", "_paused", "fit", "logs", "over")

    def __init__(self, cycles: Sequence[PastCycle]) -> None:
        self._cycles = tuple(cycles[-COMPARED_CYCLES:])
        self._beliefs: list[list[float]] = []
        self._paused: list[list[float]] | None = None
        self._bins = 0
        self.fit = 0.5 if cycles else 0.0
        self.over = 0.0
        """Chance that the cycle is over."""
        self.logs: list[float] = []
        """How likely each bin was after those before it, natural logarithm."""
        share = 1 / max(1, len(self._cycles))
        for cycle in self._cycles:
            # Before its first bin: one bin ahead of it is where it begins.
            self._beliefs.append([share / 3] * min(3, len(cycle.levels)))
            self._beliefs[-1] += [0.0] * (len(cycle.levels) - len(self._beliefs[-1]))

    def step(self, level: int) -> None:
        """Take the next bin of the running cycle."""
        is_unknown, rests = level == UNKNOWN, level <= _REST_LEVEL
        if self._paused is not None and not rests:
            self._go_on()
        paused = self._pause() if rests else None
        over = self.over
        if self._bins:
            over += self._run_out()
            moved = self._move()
        else:
            moved = self._beliefs
        self._bins += 1
        if not is_unknown:
            likelihoods = _KERNEL[_WIDTH - level : 2 * _WIDTH - level]
            moved = [
                [one * likelihoods[there] for one, there in zip(ahead, cycle.levels, strict=True)]
                for ahead, cycle in zip(moved, self._cycles, strict=True)
            ]
            over *= 1.0 if rests else MISMATCH
        total = sum(map(sum, moved)) + over
        if paused is not None:
            total += sum(map(sum, paused))
        self.logs.append(math.log(max(total, _LEAST)))
        if total <= 0:
            return
        scale = 1 / total
        self._beliefs = [[one * scale for one in belief] for belief in moved]
        self._paused = paused and [[one * scale for one in held] for held in paused]
        self.over = over * scale
        if not is_unknown:
            self.fit += (min(1.0, total) - self.fit) / FIT_BINS

    def _move(self) -> list[list[float]]:
        """Let a bin pass: each past cycle's belief one further, none, or two; a little of it astray."""
        bins = self._bins + 1
        spread = ASTRAY_BINS + ASTRAY_SHARE * bins
        low, high = max(0, int(bins - spread)), int(bins + spread)
        cells = sum(max(0, min(high, len(one)) - low) for one in self._beliefs)
        astray = ASTRAY / max(1, cells)
        moved = []
        for belief in self._beliefs:
            behind, two_behind = [0.0, *belief], [0.0, 0.0, *belief]
            ahead = [
                STAY * (here + two) + MOVE * one
                for here, one, two in zip(belief, behind, two_behind, strict=False)
            ]
            highest = min(high, len(ahead))
            if bins < END_SHARE * len(ahead):
                highest = min(highest, len(ahead) - NEAR_END_BINS)
            for cell in range(low, highest):
                ahead[cell] += astray
            moved.append(ahead)
        return moved

    def _run_out(self) -> float:
        """Give the chance that it gets over in a bin."""
        over = 0.0
        for belief in self._beliefs:
            over += (MOVE + STAY) * belief[-1]
            if len(belief) > NEAR_END_BINS:
                over += STAY * belief[-2] + NEAR_END_OVER * sum(belief[-NEAR_END_BINS:])
        return over

    def _go_on(self) -> None:
        """Let it work again: it goes on from where it paused."""
        if self._paused is not None:
            self._beliefs = [
                [one + held for one, held in zip(belief, paused, strict=True)]
                for belief, paused in zip(self._beliefs, self._paused, strict=True)
            ]
            self._paused = None

    def _pause(self) -> list[list[float]]:
        if self._paused is None:
            return [[PAUSE * one for one in belief] for belief in self._beliefs]
        return [
            [held + PAUSE * one for held, one in zip(paused, belief, strict=True)]
            for paused, belief in zip(self._paused, self._beliefs, strict=True)
        ]

    def outlook(self) -> Outlook | None:
        """Say how long it may still take, if it is not over; None: nobody knows."""
        found = [
            (cycle.length_s - (index + 1) * BIN_S, belief)
            for cycle, beliefs in zip(self._cycles, self._beliefs, strict=True)
            for index, belief in enumerate(beliefs)
            if belief > _LIKELY
        ]
        weight = sum(belief for _, belief in found)
        if weight <= 0:
            return None
        found.sort()
        quantiles, reached = [], 0.0
        wanted = [0.1 * weight, 0.5 * weight, 0.9 * weight]
        for left_s, belief in found:
            reached += belief
            while wanted and reached >= wanted[0] - 1e-12:
                quantiles.append(max(0.0, left_s))
                wanted.pop(0)
        least_s, left_s, most_s = quantiles
        return Outlook(left_s, least_s, most_s, self.fit)

    def begins_anew(self, levels: Sequence[int], first: int) -> bool:
        """Say whether the bins from ``first`` on look like a beginning, and not like going on.

        ``levels``: all bins taken so far.
        """
        fresh = Whereabouts(self._cycles)
        for level in levels[first:]:
            fresh.step(level)
        better = sum(fresh.logs) - sum(self.logs[first:])
        return better >= ANEW_BETTER and fresh.fit >= ANEW_FIT

    def rest_left_s(self) -> float:
        """Say how long past cycles rested from here, seconds, if most of the belief is in a rest; else 0."""
        resting, longest = 0.0, 0
        for cycle, beliefs in zip(self._cycles, self._beliefs, strict=True):
            for index, belief in enumerate(beliefs):
                if belief > _LIKELY and cycle.levels[index] <= _REST_LEVEL:
                    resting += belief
                    length = 0
                    for level in cycle.levels[index:]:
                        if level > _REST_LEVEL:
                            break
                        length += 1
                    longest = max(longest, length)
        return longest * BIN_S if resting > 0.6 else 0.0  # noqa: PLR2004 -- most of it
