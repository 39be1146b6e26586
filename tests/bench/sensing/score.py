"""Judges one replay by the reference cycles of its trace. Pure; times in Unix seconds.

A detected cycle covers a reference when it ran for at least ``TOLERANCE_S`` of its time from start to
ready: references are true to a minute or two, so that little may spill over into the neighbour. One
that covers none but touches some work or tumbling belongs to that reference, and so splits it; one that
touches none is invented.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Final

from tests.bench.sensing.detected import DetectedCycle, Told, detected_cycles

TOLERANCE_S: Final = 120.0
"""How true the references are, seconds ("to a minute or two")."""
LEARNED_FROM: Final = 4
"""From a plug's cycle of this number on, minutes left and "ending soon" count."""
ENDING_SOON_MIN: Final = (2.0, 10.0)
"""The first "ending soon" is good so many minutes before the laundry is ready."""
NO_ANSWER: Final = 1.0
"""The error, as a share of the cycle, of minutes left that were never told."""


@dataclass(frozen=True, slots=True)
class ReferenceCycle:
    """One cycle as it truly was. ``flag``: why it is left out of a score; empty: it counts.

    ``last_over_20w_s`` may lie after ``ready_s``: that is tumbling with the laundry done.
    """

    first_over_20w_s: float
    last_over_20w_s: float
    ready_s: float
    flag: str = ""

    @property
    def length_s(self) -> float:
        """From the start until the laundry can be taken out, seconds."""
        return self.ready_s - self.first_over_20w_s


@dataclass(slots=True)
class Score:
    """What was right and wrong; of one plug, or of several added up. Counts are of references."""

    cycles: int = 0
    """References that count, those without a flag."""
    missed: int = 0
    """References that no detected cycle covers."""
    invented: int = 0
    """Detected cycles that touch no reference."""
    split: int = 0
    """References that more than one detected cycle belongs to."""
    merged: int = 0
    """Detected cycles that cover more than one reference."""
    early: int = 0
    """References told finished over ``TOLERANCE_S`` before ready, or whose end had to be taken back."""
    early_strict: int = 0
    """The same without tolerance."""
    never_ended: int = 0
    """Covered references whose last detected cycle has no end."""
    resumed: int = 0
    """Ends taken back."""
    disorder: int = 0
    """Events that cannot be, as an end of nothing."""
    told_min: list[float] = field(default_factory=list)
    """Of each reference whose end was told: how many minutes after it was ready."""
    start_told_min: list[float] = field(default_factory=list)
    """Of each covered reference: how many minutes after its first work its start was told."""
    left_errors: list[float] = field(default_factory=list)
    """From the fourth cycle on: error of the predicted end at half time, as a share of the cycle."""
    left_missing: int = 0
    """Of these, how many said nothing by half time; their error is ``NO_ANSWER``."""
    soon_leads_min: list[float | None] = field(default_factory=list)
    """From the fourth cycle on: first "ending soon", minutes before ready; None: never said."""

    def __add__(self, other: Score) -> Score:
        added = {
            one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)
        }
        return Score(**added)

    @property
    def said_left(self) -> bool:
        """Whether minutes left were ever told by half time of a cycle that counts for it."""
        return len(self.left_errors) > self.left_missing

    @property
    def soon_share(self) -> float:
        """The share of good "ending soon", of those from the fourth cycle on; NaN: there are none."""
        if not self.soon_leads_min:
            return math.nan
        low_min, high_min = ENDING_SOON_MIN
        good = [
            lead for lead in self.soon_leads_min if lead is not None and low_min <= lead <= high_min
        ]
        return len(good) / len(self.soon_leads_min)


def score(references: Sequence[ReferenceCycle], events: Iterable[Told]) -> Score:
    """Score one plug's whole replay; ``references`` in the order of time, flagged ones included."""
    told = detected_cycles(events)
    result = Score(disorder=len(told.disorder), resumed=sum(one.resumed for one in told.cycles))
    belonging: list[list[DetectedCycle]] = [[] for _ in references]
    covering: list[list[DetectedCycle]] = [[] for _ in references]
    for cycle in told.cycles:
        covered = [index for index, one in enumerate(references) if _covers(cycle, one)]
        for index in covered:
            covering[index].append(cycle)
        if sum(not references[index].flag for index in covered) > 1:
            result.merged += 1
        covered = covered or _touched(cycle, references)
        if not covered:
            result.invented += 1
        for index in covered:
            belonging[index].append(cycle)
    for number, reference in enumerate(references, start=1):
        if not reference.flag:
            _judge(result, reference, number, belonging[number - 1], covering[number - 1])
    return result


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least ``share`` of the values do not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def _covers(cycle: DetectedCycle, reference: ReferenceCycle) -> bool:
    needed_s = min(TOLERANCE_S, reference.length_s / 2)
    return cycle.overlap_s(reference.first_over_20w_s, reference.ready_s) >= needed_s


def _touched(cycle: DetectedCycle, references: Sequence[ReferenceCycle]) -> list[int]:
    """The one reference that a cycle touches most, if any."""
    overlaps = [
        cycle.overlap_s(one.first_over_20w_s, max(one.ready_s, one.last_over_20w_s))
        for one in references
    ]
    most = max(range(len(overlaps)), key=overlaps.__getitem__, default=None)
    return [] if most is None or overlaps[most] < 0 else [most]


def _judge(
    result: Score,
    reference: ReferenceCycle,
    number: int,
    belonging: Sequence[DetectedCycle],
    covering: Sequence[DetectedCycle],
) -> None:
    result.cycles += 1
    result.split += len(belonging) > 1
    taken_back = any(cycle.resumed for cycle in belonging)
    finishes_s = [at_s for cycle in belonging for at_s in cycle.finishes_s]
    result.early += taken_back or any(at < reference.ready_s - TOLERANCE_S for at in finishes_s)
    result.early_strict += taken_back or any(at < reference.ready_s for at in finishes_s)
    if covering:
        result.start_told_min.append((covering[0].told_start_s - reference.first_over_20w_s) / 60)
        if covering[-1].running:
            result.never_ended += 1
        else:
            result.told_min.append((covering[-1].finishes_s[-1] - reference.ready_s) / 60)
    else:
        result.missed += 1
    if number >= LEARNED_FROM:
        _judge_foresight(result, reference, covering)


def _judge_foresight(
    result: Score, reference: ReferenceCycle, covering: Sequence[DetectedCycle]
) -> None:
    half_s = reference.first_over_20w_s + reference.length_s / 2
    told = [one for cycle in covering for one in cycle.left if one[0] <= half_s]
    # Of a merged cycle only what was said while this load ran.
    told = [one for one in told if one[0] >= reference.first_over_20w_s]
    at_s, minutes = told[-1] if told else (half_s, None)
    if minutes is None:
        result.left_missing += 1
        result.left_errors.append(NO_ANSWER)
    else:
        off_s = abs(at_s + 60 * minutes - reference.ready_s)
        result.left_errors.append(off_s / reference.length_s)
    soon_s = [
        at for one in covering for at in one.ending_soon_s if at >= reference.first_over_20w_s
    ]
    result.soon_leads_min.append((reference.ready_s - soon_s[0]) / 60 if soon_s else None)
