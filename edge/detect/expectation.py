"""What is said about the end of a running cycle: smoothly, and only when something is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge.detect.whereabouts import Outlook

SAY_EVERY_S: Final = 60.0
"""How often minutes left are said, seconds."""
KNOWN_FROM: Final = 0.3
"""Below that confidence nothing is known."""
SOON_S: Final = 330.0
"""With so much left, seconds, the end is soon."""
SOON_LATEST_S: Final = 600.0
"""And only when it is likely to be no further away than this, seconds."""
LATER_SHARE: Final = 0.1
"""An end that moves away by less than this share of what is left is not worth a correction."""
LATER_MIN_S: Final = 120.0
"""Nor by less than this, seconds."""
LATER_TIMES: Final = 3
"""So many times in a row must it look later before minutes left go up."""
NEARER_SHARE: Final = 0.4
"""So much of the way to an earlier end is gone with every word."""
LEAST_LEFT_S: Final = 60.0
"""Nothing less is said before the end, seconds: it has not come yet."""
SPREAD_SHARE: Final = 0.5
"""A spread of eight in ten over so much of the whole length takes away half of the confidence."""


@dataclass(frozen=True, slots=True)
class Word:
    """What is to be said: the expected end, Unix seconds, how sure, and whether it is soon."""

    ends_s: float
    confidence: float
    is_soon: bool


@dataclass(slots=True)
class Expectation:
    """What was said of the running cycle. Unix seconds; None: nothing yet."""

    ends_s: float | None = None
    said_s: float | None = None
    later: int = 0
    soon_said: bool = False

    def look(self, now_s: float, started_s: float, outlook: Outlook) -> list[Word]:
        """Take a new outlook and say what is to be said of it; mostly nothing."""
        whole_s = max(1.0, now_s - started_s + outlook.left_s)
        spread = (outlook.most_s - outlook.least_s) / whole_s
        confidence = round(
            max(0.0, min(1.0, outlook.fit**0.5 * (1 - spread / (2 * SPREAD_SHARE)))), 2
        )
        if confidence < KNOWN_FROM:
            self.later = 0
            return []
        words = []
        if self.said_s is None or now_s - self.said_s >= SAY_EVERY_S:
            self._move(now_s, outlook.left_s)
            self.said_s = now_s
            words.append(self._word(now_s, confidence, is_soon=False))
        is_soon = outlook.left_s <= SOON_S and outlook.most_s <= SOON_LATEST_S
        if is_soon and not self.soon_said:
            self.soon_said = True
            self.ends_s = now_s + outlook.left_s
            words.append(self._word(now_s, confidence, is_soon=True))
        return words

    def _move(self, now_s: float, left_s: float) -> None:
        ends_s = now_s + left_s
        if self.ends_s is None:
            self.ends_s = ends_s
            return
        away_s = ends_s - self.ends_s
        if away_s <= 0:
            self.ends_s += NEARER_SHARE * away_s
            self.later = 0
        elif away_s < max(LATER_MIN_S, LATER_SHARE * left_s):
            self.later = 0
        else:
            self.later += 1
            if self.later >= LATER_TIMES:
                self.ends_s, self.later = ends_s, 0

    def _word(self, now_s: float, confidence: float, *, is_soon: bool) -> Word:
        ends_s = now_s if self.ends_s is None else self.ends_s
        return Word(max(ends_s, now_s + LEAST_LEFT_S), confidence, is_soon)
