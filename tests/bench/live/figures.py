"""What was measured of each server, the bars, and the table that shows both. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

REFERENCE: Final = "Socket.IO"


class Figures:
    """The rounds of one server, by the name of what was measured."""

    def __init__(self) -> None:
        self._rounds: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value: float) -> None:
        """Take one round's figure."""
        self._rounds[name].append(value)

    def add_waits(self, name: str, waits_s: Sequence[float]) -> None:
        """Take how long each delivery of a round took, seconds, as its p50 and p99 in milliseconds."""
        ordered = sorted(waits_s)
        self.add(f"{name}_p50", ordered[len(ordered) // 2] * 1_000)
        self.add(f"{name}_p99", ordered[int(len(ordered) * 0.99)] * 1_000)

    def median(self, name: str) -> float:
        """Return the median of all rounds."""
        return median(self._rounds[name])

    def spread(self, name: str) -> tuple[float, float]:
        """Return the least and the most of all rounds."""
        return min(self._rounds[name]), max(self._rounds[name])


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    what: str
    unit: str


ROWS: Final = (
    Row("lone", "lone events", "deliveries/CPU s"),
    Row("single", "  one after the other", "deliveries/CPU s"),
    Row("lone_p50", "  p50", "ms"),
    Row("lone_p99", "  p99", "ms"),
    Row("burst", "bursts of 50 a room", "deliveries/CPU s"),
    Row("burst_p50", "  p50", "ms"),
    Row("burst_p99", "  p99", "ms"),
    Row("memory", "memory a connection", "KiB"),
    Row("storm", "reconnect storm", "CPU s"),
    Row("storm_wall", "  until all are back", "s"),
)


@dataclass(frozen=True)
class Bar:
    """How many times the reference's figure ours must be at least, or may be at most."""

    name: str
    least: float | None = None
    most: float | None = None

    def is_missed(self, ratio: float) -> bool:
        """Say whether ``ratio``, ours over theirs, is on the wrong side."""
        return (self.least is not None and ratio < self.least) or (
            self.most is not None and ratio > self.most
        )

    @property
    def words(self) -> str:
        """The bar in words."""
        return f">= {self.least:.1f}" if self.least is not None else f"<= {self.most:.1f}"


BARS: Final = (
    Bar("lone", least=1.0),
    Bar("burst", least=5.0),
    Bar("memory", most=0.8),
    Bar("storm", most=0.8),
)
_BARS: Final = {bar.name: bar for bar in BARS}
_ROWS: Final = {row.name: row for row in ROWS}


def ratio(name: str, ours: Figures, theirs: Figures) -> float:
    """Return our median over theirs."""
    return ours.median(name) / theirs.median(name)


def missed(bar: Bar, ours: Figures, theirs: Figures) -> str | None:
    """Say how a bar was missed; None when it was met."""
    found = ratio(bar.name, ours, theirs)
    if not bar.is_missed(found):
        return None
    return f"MISSED: {_ROWS[bar.name].what}: {found:.2f} x {REFERENCE}, {bar.words} is the bar"


def results(ours: Figures, theirs: Figures) -> Iterator[str]:
    """Write what has a bar as the benchmarks' lines of JSON."""
    for bar in BARS:
        row = _ROWS[bar.name]
        yield json.dumps(
            {
                "what": row.what,
                "value": ours.median(bar.name),
                "unit": row.unit,
                "reference": REFERENCE,
                "ratio": ratio(bar.name, ours, theirs),
            }
        )


def table(ours: Figures, theirs: Figures) -> str:
    """Write everything that was measured: medians, with the least and the most of the rounds."""
    head = f"{'':22}{'relay':>28}{REFERENCE:>28}   times   bar"
    return "\n".join([head, *(_line(row, ours, theirs) for row in ROWS)])


def _line(row: Row, ours: Figures, theirs: Figures) -> str:
    bar = _BARS.get(row.name)
    return (
        f"{row.what:22}{_cell(row.name, ours)}{_cell(row.name, theirs)}"
        f"{ratio(row.name, ours, theirs):8.2f}   {bar.words if bar else '':8}{row.unit}"
    )


def _cell(name: str, figures: Figures) -> str:
    digits = 0 if figures.median(name) >= 1_000 else 2
    least, most = figures.spread(name)
    spread = f"({least:,.{digits}f}-{most:,.{digits}f})"
    return f"{figures.median(name):>10,.{digits}f} {spread:<17}"
