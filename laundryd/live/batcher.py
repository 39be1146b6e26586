"""When events go out: a lone one at once, a burst gathered. Pure, with the time as an argument."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Batcher(Generic[T]):
    """Gathers one room's events.

    An item goes at once if nothing was sent in the last ``window_s`` seconds. Otherwise it waits until
    that span is over, or until ``batch_max`` items wait. So no item waits longer than ``window_s`` and a
    burst makes at most one frame a window, or one per ``batch_max``. The order is kept.
    """

    __slots__ = ("_batch_max", "_held", "_sent_s", "_window_s")

    def __init__(self, window_s: float, batch_max: int) -> None:
        self._window_s = window_s
        self._batch_max = batch_max
        self._held: list[T] = []
        self._sent_s: float | None = None

    @property
    def due_s(self) -> float | None:
        """The moment at which ``take`` should be called; None while nothing waits."""
        if not self._held or self._sent_s is None:
            return None
        return self._sent_s + self._window_s

    def add(self, item: T, now_s: float) -> list[T]:
        """Take ``item`` in and return what should be sent now, oldest first; often nothing."""
        quiet = self._sent_s is None or now_s - self._sent_s >= self._window_s
        self._held.append(item)
        if quiet or len(self._held) >= self._batch_max:
            return self.take(now_s)
        return []

    def take(self, now_s: float) -> list[T]:
        """Return everything that waits, oldest first, as sent at ``now_s``."""
        taken, self._held = self._held, []
        if taken:
            self._sent_s = now_s
        return taken
