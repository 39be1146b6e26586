"""The bars of sensing, and the table that sets ours beside the rival rules. Pure: scores in, text out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tests.bench.sensing.score import Score, percentile

TOLD_P50_MIN: Final = 4.0
"""Told after the machine was done: at the median, minutes."""
TOLD_P95_MIN: Final = 10.0
"""The same at the 95th percentile."""
LEFT_ERROR: Final = 0.10
"""Minutes left at half time, from the fourth cycle on: below this share of the cycle at the median."""
SOON_SHARE: Final = 0.8
"""At least this share of first "ending soon" 2 to 10 minutes before the end, from the fourth cycle on."""
NONE_OF: Final = ("missed", "invented", "split", "merged", "early", "never_ended", "disorder")
"""Counts of a ``Score`` that must be 0."""

_HEADER: Final = (
    "missed",
    "invented",
    "split",
    "merged",
    "early",
    "strict",
    "never",
    "p50",
    "p95",
    "max",
    "left",
    "unsaid",
    "soon",
)
LEGEND: Final = (
    "Each plug from its first sample, with nothing known before and nothing fitted to it.",
    "early: told finished over 2 min before ready, or taken back; strict: any second before.",
    "never: never told finished. p50, p95, max: told so many minutes after ready.",
    "left: error of the minutes left at half time, median share of the cycle; unsaid: how many said none;",
    "soon: share of first 'ending soon' 2 to 10 min before ready. Both from each plug's 4th cycle on.",
)


def missed_bars(ours: Score) -> list[str]:
    """Return a sentence for each bar that is not met; one that nothing was measured for is not met."""
    return list(_missed_bars(ours))


def table(rows: Iterable[tuple[str, Score]]) -> Iterator[str]:
    """Yield the lines of a plain table, one for each named score."""
    cells: list[tuple[str, ...]] = [("", "cycles", *_HEADER)]
    cells += [(name, str(one.cycles), *_cells(one)) for name, one in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        yield _line(row, widths)


def _missed_bars(ours: Score) -> Iterator[str]:
    if not ours.cycles:
        yield "no cycle was scored"
    for name in NONE_OF:
        if count := getattr(ours, name):
            yield f"{name.replace('_', ' ')}: {count}, and none may be"
    p50_min, p95_min = percentile(ours.told_min, 0.5), percentile(ours.told_min, 0.95)
    if not p50_min <= TOLD_P50_MIN:
        yield f"told {p50_min:.1f} min after ready at the median; at most {TOLD_P50_MIN:g}"
    if not p95_min <= TOLD_P95_MIN:
        yield f"told {p95_min:.1f} min after ready at p95; at most {TOLD_P95_MIN:g}"
    error = percentile(ours.left_errors, 0.5)
    if not error < LEFT_ERROR:
        yield f"minutes left off by {error:.1%} of the cycle at half time; under {LEFT_ERROR:.0%}"
    if not ours.soon_share >= SOON_SHARE:
        yield f"ending soon 2 to 10 min before: {ours.soon_share:.0%}; at least {SOON_SHARE:.0%}"


def _cells(one: Score) -> tuple[str, ...]:
    counts = (one.missed, one.invented, one.split, one.merged, one.early, one.early_strict)
    told_min = [percentile(one.told_min, share) for share in (0.5, 0.95, 1.0)]
    return (
        *map(str, (*counts, one.never_ended)),
        *(_number(value, ".1f") for value in told_min),
        _number(percentile(one.left_errors, 0.5), ".1%") if one.said_left else "-",
        str(one.left_missing) if one.left_errors else "-",
        _number(one.soon_share, ".0%"),
    )


def _number(value: float, shape: str) -> str:
    return "-" if math.isnan(value) else format(value, shape)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *others = (
        text.ljust(width) if index == 0 else text.rjust(width)
        for index, (text, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join((name, *others)).rstrip()
