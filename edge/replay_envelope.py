"""Power reduced to its extremes over short stretches: what a picture can show of a month of samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

MOST_BUCKETS: Final = 60_000
"""Beyond that two neighbours become one: some 2,000 are left of each day of a month, a pixel's width."""


@dataclass(slots=True)
class Bucket:
    """The samples of one stretch: first and last moment and its extremes with theirs.

    Unix seconds and watts.
    """

    from_s: float
    to_s: float
    low_s: float
    low_w: float
    high_s: float
    high_w: float

    def take(self, later: Bucket) -> None:
        """Add what follows."""
        self.to_s = later.to_s
        if later.low_w < self.low_w:
            self.low_s, self.low_w = later.low_s, later.low_w
        if later.high_w > self.high_w:
            self.high_s, self.high_w = later.high_s, later.high_w

    def points(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the two extremes in the order of time."""
        low, high = (self.low_s, self.low_w), (self.high_s, self.high_w)
        return (low, high) if self.low_s <= self.high_s else (high, low)


class Envelope:
    """Buckets of equal length, as short as ``most`` of them allow; takes any number of samples."""

    def __init__(self, most: int = MOST_BUCKETS) -> None:
        self._most = most
        self._length_s = 1.0
        self._buckets: dict[int, Bucket] = {}

    @classmethod
    def of(cls, samples: Iterable[tuple[float, float]], most: int = MOST_BUCKETS) -> Self:
        """Reduce (Unix seconds, watts) in the order of time."""
        envelope = cls(most)
        for at_s, power_w in samples:
            envelope.add(at_s, power_w)
        return envelope

    def add(self, at_s: float, power_w: float) -> None:
        """Take a sample, not earlier than the one before."""
        self._put(Bucket(at_s, at_s, at_s, power_w, at_s, power_w))
        while len(self._buckets) > self._most:
            self._length_s *= 2
            finer = self._buckets.values()
            self._buckets = {}
            for bucket in finer:
                self._put(bucket)

    def buckets(self) -> list[Bucket]:
        """Return what there is, in the order of time; stretches without samples have none."""
        return list(self._buckets.values())

    def _put(self, bucket: Bucket) -> None:
        key = int(bucket.from_s // self._length_s)
        there = self._buckets.get(key)
        if there is None:
            self._buckets[key] = bucket
        else:
            there.take(bucket)
