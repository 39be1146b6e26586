"""One load of laundry as power over time, and the ways in which it can be interrupted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random
from typing import Final

Run = tuple[float, float]
"""(seconds, watts above the machine's standby floor)"""

WORK_W: Final = 20.0
"""Above it the references take a machine to be at work, watts."""


def seeded(name: str) -> Random:
    """Return the source of everything that varies: the same name draws the same numbers for ever."""
    return Random(name)  # noqa: S311 - laundry is no secret


@dataclass(frozen=True, slots=True)
class Load:
    """One load from switching on; ``ready_s``: seconds from there until the laundry can be taken out.

    What is drawn after ``ready_s`` is tumbling or a lit display.
    """

    runs: tuple[Run, ...]
    ready_s: float

    @property
    def length_s(self) -> float:
        return sum(length for length, _ in self.runs)

    @property
    def first_work_s(self) -> float:
        """The first moment over ``WORK_W``, seconds from switching on."""
        return min(begin for begin, _ in self._work())

    @property
    def last_work_s(self) -> float:
        """The last moment over ``WORK_W``, tumbling included."""
        return max(end for _, end in self._work())

    def cut(self, at_s: float) -> Load:
        """Stop it there, as somebody does who switches the machine off or opens the door."""
        return Load(tuple(_until(self.runs, at_s)), min(self.ready_s, at_s))

    def interrupted(self, at_s: float, runs: Sequence[Run]) -> Load:
        """Put ``runs`` (a soak, a pause) into it; before the end the load is ready so much later."""
        before, after = tuple(_until(self.runs, at_s)), tuple(_since(self.runs, at_s))
        longer_s = sum(length for length, _ in runs) if at_s < self.ready_s else 0.0
        return replace(self, runs=(*before, *runs, *after), ready_s=self.ready_s + longer_s)

    def followed_by(self, runs: Iterable[Run]) -> Load:
        """Draw ``runs`` after it: a display, a door's light."""
        return replace(self, runs=(*self.runs, *runs))

    def then(self, other: Load) -> Load:
        """Go on with another programme of the same load, as a washer-dryer dries what it washed."""
        runs = tuple(_until(self.runs, self.ready_s))
        return Load((*runs, *other.runs), self.ready_s + other.ready_s)

    def _work(self) -> list[tuple[float, float]]:
        ends = accumulate(length for length, _ in self.runs)
        return [
            (end - length, end)
            for end, (length, watts) in zip(ends, self.runs, strict=True)
            if watts > WORK_W
        ]


def rest(length_s: float, watts: float = 0.0) -> tuple[Run, ...]:
    """Return a soak or a resident's pause: nothing but perhaps a lit display."""
    return ((length_s, watts),)


def sparse_turns(
    gap_s: float, count: int, *, turn_s: float = 12.0, turn_w: float = 140.0
) -> tuple[Run, ...]:
    """Return a soak in which the drum turns now and then: ``count`` turns, a gap before and after each."""
    gap: Run = (gap_s, 0.0)
    return (gap, *((turn_s, turn_w), gap) * count)


def _until(runs: Iterable[Run], at_s: float) -> Iterable[Run]:
    left_s = at_s
    for length, watts in runs:
        if left_s <= 0:
            return
        yield min(length, left_s), watts
        left_s -= length


def _since(runs: Iterable[Run], at_s: float) -> Iterable[Run]:
    passed_s = 0.0
    for length, watts in runs:
        if passed_s + length > at_s:
            yield min(length, passed_s + length - at_s), watts
        passed_s += length
