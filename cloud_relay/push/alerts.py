"""Words to staff about pushes that are refused for a reason of ours: one a minute, with how many; pure."""

from __future__ import annotations

from collections import Counter
from typing import Final

EVERY_S: Final = 60.0
"""A wrong key refuses every push; a line for each would bury the first."""
LINES_MAX: Final = 1_000
"""Kinds of lines remembered: a subscription may name any host below a push service's name."""


class Alerts:
    """Counts what is to be said and says when; one line for each service and kind of answer."""

    def __init__(self) -> None:
        self._unsaid: Counter[tuple[str, str]] = Counter()
        self._said_s: dict[tuple[str, str], float] = {}

    def note(self, service: str, detail: str, now_s: float) -> int | None:
        """Count one; return how many are to be told of now, None: it was said within the minute."""
        key = (service, detail)
        self._unsaid[key] += 1
        said_s = self._said_s.get(key)
        if said_s is not None and now_s - said_s < EVERY_S:
            return None
        if len(self._said_s) >= LINES_MAX:
            self._said_s.clear()
            self._unsaid = Counter({key: self._unsaid[key]})
        self._said_s[key] = now_s
        return self._unsaid.pop(key)
