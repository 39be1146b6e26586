"""What was measured of each sender, the bars, and the table that shows both. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

REFERENCE: Final = "web-push"
TIMES_LEAST: Final = 3.0
"""Pushes per CPU second, ours over web-push's."""
STALL_MOST_MS: Final = 30.0
"""The 99th percentile of how late our event loop is."""


@dataclass(frozen=True)
class Figures:
    """The medians of one sender's rounds."""

    per_cpu_s: float
    per_wall_s: float
    stall_p99_ms: float
    stall_max_ms: float

    @classmethod
    def of(cls, rounds: Sequence[Mapping[str, float]]) -> Figures:
        """Take the medians of what the rounds said of themselves."""
        return cls(
            per_cpu_s=median(one["pushes"] / one["cpu_s"] for one in rounds),
            per_wall_s=median(one["pushes"] / one["wall_s"] for one in rounds),
            stall_p99_ms=median(one["stall_p99_ms"] for one in rounds),
            stall_max_ms=median(one["stall_max_ms"] for one in rounds),
        )


def table(ours: Figures, theirs: Figures, naked_per_cpu_s: float) -> str:
    """Write everything that was measured."""
    times = ours.per_cpu_s / theirs.per_cpu_s
    rows = (
        ("pushes a CPU second", ours.per_cpu_s, theirs.per_cpu_s, f"{times:.2f} x, >= {TIMES_LEAST:.1f}"),
        ("  of the naked cryptography's, %", 100 * ours.per_cpu_s / naked_per_cpu_s,
         100 * theirs.per_cpu_s / naked_per_cpu_s, f"naked: {naked_per_cpu_s:,.0f}"),
        ("pushes a second", ours.per_wall_s, theirs.per_wall_s, ""),
        ("event loop late, p99, ms", ours.stall_p99_ms, theirs.stall_p99_ms, f"< {STALL_MOST_MS:.0f}"),
        ("event loop late, most, ms", ours.stall_max_ms, theirs.stall_max_ms, ""),
    )  # fmt: skip
    head = f"{'':34}{'relay':>10}{REFERENCE:>12}   bar"
    lines = [f"{what:34}{ours:>10,.1f}{theirs:>12,.1f}   {bar}" for what, ours, theirs, bar in rows]
    return "\n".join([head, *lines])


def missed(ours: Figures, theirs: Figures) -> Iterator[str]:
    """Say which bars were missed."""
    times = ours.per_cpu_s / theirs.per_cpu_s
    if not times >= TIMES_LEAST:
        yield f"MISSED: pushes a CPU second: {times:.2f} x {REFERENCE}, >= {TIMES_LEAST:.1f} is the bar"
    if not ours.stall_p99_ms < STALL_MOST_MS:
        yield (
            f"MISSED: event loop late, p99: {ours.stall_p99_ms:.1f} ms, < {STALL_MOST_MS:.0f} is the bar"
        )


def results(ours: Figures, theirs: Figures) -> Iterator[str]:
    """Write what has a bar as the benchmarks' lines of JSON."""
    for what, unit, mine, other in (
        ("pushes", "pushes/CPU s", ours.per_cpu_s, theirs.per_cpu_s),
        ("event loop late, p99", "ms", ours.stall_p99_ms, theirs.stall_p99_ms),
    ):
        yield json.dumps(
            {
                "what": what,
                "value": mine,
                "unit": unit,
                "reference": REFERENCE,
                "ratio": mine / max(other, 1e-9),
            }
        )
