"""Codes that people read and type, and a limit on how often one may try."""

from __future__ import annotations

import hashlib
import secrets
from collections import deque
from typing import Final

ALPHABET: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Without I, L, O, U, 0 and 1, which are read for one another or make words."""
LENGTH: Final = 8
"""30^8 codes, 39 bits: with the rate limits guessing one takes longer than any code lives."""


def new_code() -> str:
    """Make a fresh code, ``ABCD-EFGH``."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def normalise(text: str) -> str:
    """Return what was typed without case, blanks and dashes; codes are compared in this form."""
    return "".join(text.upper().replace("-", " ").split())


def digest(code: str) -> str:
    """Return what is kept of a code: SHA-256 in hex of its normal form."""
    return hashlib.sha256(normalise(code).encode()).hexdigest()


class RateLimit:
    """At most ``limit`` tries in any ``window_s`` seconds for each key. Pure: time is an argument."""

    KEYS_MAX: Final = 10_000
    """Keys kept; past it those with the oldest tries are forgotten, so memory is bounded."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._tries: dict[str, deque[float]] = {}

    def take(self, key: str, now_s: float) -> float | None:
        """Count one try of ``key`` at ``now_s``; None when allowed, else seconds until the next may be."""
        tries = self._tries.pop(key, deque())
        # The same sum as in the answer: rounded otherwise it could say to wait for no time at all.
        while tries and tries[0] + self._window_s <= now_s:
            tries.popleft()
        allowed = len(tries) < self._limit
        if allowed:
            tries.append(now_s)
        self._tries[key] = tries  # put back as the newest key
        if len(self._tries) > self.KEYS_MAX:
            del self._tries[next(iter(self._tries))]
        return None if allowed else tries[0] + self._window_s - now_s

    def give_back(self, key: str, taken_s: float) -> None:
        """Take back the try of ``key`` that was counted at ``taken_s``: it is not to be held against it."""
        tries = self._tries.get(key)
        if tries is not None and taken_s in tries:
            tries.remove(taken_s)
