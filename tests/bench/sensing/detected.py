"""From the events of one replay to the cycles that were told, mistakes and corrections included."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol


class Told(Protocol):
    """One line of a replay; times in Unix seconds. ``edge.replay.ReplayEvent`` is one."""

    @property
    def event(self) -> str: ...
    @property
    def at(self) -> float: ...
    @property
    def started_at(self) -> float | None: ...
    @property
    def ended_at(self) -> float | None: ...
    @property
    def minutes_left(self) -> float | None: ...


@dataclass(slots=True)
class DetectedCycle:
    """One cycle as it was told."""

    started_s: float
    told_start_s: float
    ended_s: float = math.inf
    """What the last "finished" spoke of; infinite: it still runs."""
    finishes_s: list[float] = field(default_factory=list)
    """When each "finished" was told; all but the last were taken back by a "resumed"."""
    resumed: int = 0
    left: list[tuple[float, float | None]] = field(default_factory=list)
    """(told, minutes left) of each "minutes_left"; None: it said that it does not know."""
    ending_soon_s: list[float] = field(default_factory=list)
    """When each "ending_soon" was told."""

    @property
    def running(self) -> bool:
        """Whether it was never ended, or gone on with and not ended again."""
        return len(self.finishes_s) == self.resumed

    def overlap_s(self, from_s: float, to_s: float) -> float:
        """How long it ran between two moments, seconds; negative: it did not touch them."""
        return min(self.ended_s, to_s) - max(self.started_s, from_s)


@dataclass(slots=True)
class DetectedCycles:
    """All that one replay told, in its order."""

    cycles: list[DetectedCycle] = field(default_factory=list)
    disorder: list[str] = field(default_factory=list)
    """Events that cannot be: an end of nothing, a start while one runs. One sentence each."""


def detected_cycles(events: Iterable[Told]) -> DetectedCycles:
    """Pair the events. An event line is an event: a repeated one is disorder, not passed over."""
    told = DetectedCycles()
    last_at_s = -math.inf
    for event in events:
        last = told.cycles[-1] if told.cycles else None
        wrong = _wrong(event, last)
        if event.at < last_at_s:
            wrong = "goes back in time"
        last_at_s = max(last_at_s, event.at)
        if wrong:
            told.disorder.append(f"{event.event} at {event.at:.0f} {wrong}")
        if event.event == "started":
            started_s = event.at if event.started_at is None else event.started_at
            if last is not None and last.running:
                last.ended_s = started_s  # never told, but what follows is another one's
            told.cycles.append(DetectedCycle(started_s, event.at))
        elif last is not None:
            _apply(event, last)
    return told


def _wrong(event: Told, last: DetectedCycle | None) -> str:
    match event.event:
        case "started":
            return "while a cycle runs" if last is not None and last.running else ""
        case "finished" | "minutes_left" | "ending_soon":
            return "while none runs" if last is None or not last.running else ""
        case "resumed":
            return "with nothing to take back" if last is None or last.running else ""
        case _:
            return "is no event"


def _apply(event: Told, last: DetectedCycle) -> None:
    match event.event:
        case "finished" if last.running:
            last.finishes_s.append(event.at)
            last.ended_s = event.at if event.ended_at is None else event.ended_at
        case "resumed" if not last.running:
            last.resumed += 1
            last.ended_s = math.inf
        case "minutes_left":
            last.left.append((event.at, event.minutes_left))
        case "ending_soon":
            last.ending_soon_s.append(event.at)
