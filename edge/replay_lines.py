"""The lines of a recording, ``unix_s,watts``: which of them are samples, and what is wrong with the rest."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge.sources.payload import MAX_POWER_W, NEGATIVE_TOLERANCE_W

NAMED_BAD_LINES: Final = 20
"""Bad lines of a file that are named one by one; of the others only the number is told."""
LEAP_S: Final = 3_600.0
"""A line so far ahead of the one before, seconds, is believed when the next does not go back again."""
_LATEST_S: Final = 253_402_300_800.0
"""The year 10000, Unix seconds: the first moment that Python cannot write as a date."""
_GZIP_MAGIC: Final = b"\x1f\x8b"
_SHOWN_CHARS: Final = 60


@dataclass(slots=True)
class BadLines:
    """Lines that could not be used: how many, and the first of them by number (from 1) and reason."""

    count: int = 0
    named: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line_number: int, reason: str) -> None:
        """Count a line, and name it if it is among the first ``NAMED_BAD_LINES``."""
        self.count += 1
        if len(self.named) < NAMED_BAD_LINES:
            self.named.append((line_number, reason))


def samples(lines: Iterable[str], bad: BadLines) -> Iterator[tuple[float, float]]:
    """Yield the samples, Unix seconds and watts, in the order of time; what is none goes into ``bad``.

    A second line of the same moment is a duplicate and passed over, as the running edge does. Where time
    leaps ahead and goes back at the next line, the leap was wrong, and not all that comes after it.
    """
    last_s = -math.inf
    leap: tuple[int, float, float] | None = None
    for number, at_s, power_w in _numbers(lines, bad):
        if leap is not None and last_s < at_s:
            leap_number, leap_s, leap_w = leap
            leap = None
            if leap_s <= at_s:
                last_s = leap_s
                yield leap_s, leap_w
            else:
                bad.add(leap_number, f"is {leap_s - at_s:g} s ahead of the next line")
        if at_s <= last_s:
            if at_s < last_s:
                bad.add(number, f"goes back in time by {last_s - at_s:g} s")
        elif at_s - last_s > LEAP_S:
            leap = number, at_s, power_w
        else:
            last_s = at_s
            yield at_s, power_w
    if leap is not None:
        yield leap[1], leap[2]


def _numbers(lines: Iterable[str], bad: BadLines) -> Iterator[tuple[int, float, float]]:
    """Yield line number, Unix seconds and watts of the lines that have both."""
    for number, line in enumerate(lines, start=1):
        time_text, _, power_text = line.partition(",")
        try:
            at_s, power_w = float(time_text), float(power_text)
        except ValueError:
            if line.strip() and not (number == 1 and _is_header(line)):
                bad.add(number, f"not unix_s,watts: {line.strip()[:_SHOWN_CHARS]!a}")
            continue
        if not 0.0 <= at_s < _LATEST_S:
            bad.add(number, f"{at_s:g} is no time in Unix seconds")
        elif not -NEGATIVE_TOLERANCE_W <= power_w <= MAX_POWER_W:
            bad.add(number, f"{power_w:g} W is no power of a machine")
        else:
            yield number, at_s, power_w


def _is_header(line: str) -> bool:
    return "," in line and line.lstrip("\ufeff \t")[:1].isalpha()


class Lines:
    """The lines of a plain or gzipped file. A file that breaks off ends there, with ``error`` set."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.count = 0
        self.error = ""

    def __iter__(self) -> Iterator[str]:
        try:
            with self._path.open("rb") as raw:
                packed = raw.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC)
                data = gzip.GzipFile(fileobj=raw) if packed else raw
                with io.TextIOWrapper(data, encoding="utf-8", errors="replace") as text:
                    for line in text:
                        self.count += 1
                        yield line
        except (OSError, EOFError, zlib.error) as error:
            self.error = f"cannot be read after line {self.count}: {error}"
