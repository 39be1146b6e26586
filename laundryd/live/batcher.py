"""When events go out: lone and urgent ones at once, a burst gathered. Pure, with the time as an argument."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Batcher(Generic[T]):
    """Gathers one room's events.

    An item goes at once if nothing was sent in the last ``window_s`` seconds, or if it is urgent and one
    of the first ``urgent_max`` such in a window: then with all that waits before it. Otherwise it waits
    until that span is over, or until ``batch_max`` items wait. So no item waits longer than ``window_s``,
    and a burst makes at most ``1 + urgent_max`` frames a window, or one per ``batch_max``. The order is
    kept.
    """

    __slots__ = (
        "_batch_max",
        "_held",
        "_sent_s",
        "_urgent",
        "_urgent_max",
        "_urgent_since_s",
        "_window_s",
    )

    def __init__(self, window_s: float, batch_max: int, urgent_max: int = 0) -> None:
        self._window_s = window_s
        self._batch_max = batch_max
        self._urgent_max = urgent_max
        self._urgent = 0
        self._urgent_since_s = float("-inf")
        self._held: list[T] = []
        self._sent_s: float | None = None

    @property
    def due_s(self) -> float | None:
        """The moment at which ``take`` should be called; None while nothing waits."""
        if not self._held or self._sent_s is None:
            return None
        return self._sent_s + self._window_s

    def add(self, item: T, now_s: float, *, urgent: bool = False) -> list[T]:
        """Take ``item`` in and return what should be sent now, oldest first; often nothing."""
        quiet = self._sent_s is None or now_s - self._sent_s >= self._window_s
        self._held.append(item)
        if quiet or len(self._held) >= self._batch_max or (urgent and self._may_hurry(now_s)):
            return self.take(now_s)
        return []

    def take(self, now_s: float) -> list[T]:
        """Return everything that waits, oldest first, as sent at ``now_s``."""
        taken, self._held = self._held, []
        if taken:
            self._sent_s = now_s
        return taken

    def _may_hurry(self, now_s: float) -> bool:
        if now_s - self._urgent_since_s >= self._window_s:
            self._urgent, self._urgent_since_s = 0, now_s
        self._urgent += 1
        return self._urgent <= self._urgent_max
