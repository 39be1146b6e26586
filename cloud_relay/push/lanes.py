"""How many pushes go to one service at a time, so that none in trouble holds back another's; pure.

A lane has ``PLACES`` places while its service is well. Each answer that says that it is in trouble halves
them, each that it took gives one back: an outage costs one attempt at a time, and its end is noticed by
that one. All lanes together have ``PLACES_ALL``; past that each still has one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from cloud_relay.push.outcomes import Outcome, Result, answer_of

PLACES: Final = 40
"""Parallel pushes to one service that is well: one pooled connection each."""
PLACES_ALL: Final = 400
"""Parallel pushes in all: sockets, and attempts that a kill would repeat."""

HAND: Final = 2
"""Deliveries held ready for each place, so that none stands empty while answers are being kept."""

Item = TypeVar("Item")


@dataclass(slots=True)
class Lane(Generic[Item]):
    """One service. ``waiting``: taken from the queue for a place, oldest first."""

    places: float = PLACES
    in_flight: int = 0
    waiting: deque[Item] = field(default_factory=deque)

    def wanted(self) -> int:
        """Return how many more may be taken from the queue, so that no place stands empty meanwhile."""
        return max(0, HAND * int(self.places) - len(self.waiting))

    def free(self, in_flight_all: int) -> int:
        """Return how many may start, with ``in_flight_all`` under way in all lanes."""
        most = int(self.places) if in_flight_all < PLACES_ALL else 1
        return max(0, most - self.in_flight)

    def judge(self, result: Result) -> None:
        """Learn from one attempt."""
        if result.outcome is Outcome.SENT:
            self.places = min(float(PLACES), self.places + 1)
        elif result.detail and answer_of(result.detail).slows:
            self.places = max(1.0, self.places / 2)
