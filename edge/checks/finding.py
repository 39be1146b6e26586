"""One line of ``laundryd edge check``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. Only ``FAIL`` makes the command fail."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """``what`` was looked at, what was ``found``, and what to do about it (``remedy``; None: nothing)."""

    level: Level
    what: str
    found: str
    remedy: str | None = None

    def line(self) -> str:
        """Write it for people; control characters, which strangers' messages may hold, are left out."""
        said = f"{self.found}; {self.remedy}" if self.remedy else self.found
        return "".join(one for one in f"{self.level:4}  {self.what}: {said}" if one.isprintable())

    def as_json(self) -> str:
        """Write it for programs, on one line."""
        return json.dumps(asdict(self), ensure_ascii=False)


def ok(what: str, found: str) -> Finding:
    """Make a finding that asks for nothing."""
    return Finding(Level.OK, what, found)


def warn(what: str, found: str, remedy: str) -> Finding:
    """Make a finding with which the room works, and less well than it could."""
    return Finding(Level.WARN, what, found, remedy)


def fail(what: str, found: str, remedy: str) -> Finding:
    """Make a finding that must be mended before the room works as its settings say."""
    return Finding(Level.FAIL, what, found, remedy)


def has_failed(findings: Iterable[Finding]) -> bool:
    """Say whether any of them must be mended."""
    return any(one.level is Level.FAIL for one in findings)
