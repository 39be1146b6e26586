"""What came in over a live connection and was not asked for yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

INBOX_MAX: Final = 10_000
"""Frames and events that are kept unread; the oldest go first. A test or a demo reads far sooner."""


@dataclass(frozen=True, slots=True)
class Received(Generic[Item]):
    """A frame or an event, and when it came in: ``time.monotonic()`` seconds."""

    item: Item
    received_s: float


@dataclass(slots=True)
class Inbox(Generic[Item]):
    """Unread items, oldest first."""

    items: deque[Received[Item]] = field(default_factory=lambda: deque(maxlen=INBOX_MAX))

    def take(self, wanted: Callable[[Item], bool]) -> Received[Item] | None:
        """Take the oldest item that is wanted out, None if there is none."""
        for index, received in enumerate(self.items):
            if wanted(received.item):
                del self.items[index]
                return received
        return None
