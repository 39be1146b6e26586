"""One machine's detector: readings and time in, signals out, and a state that survives a restart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from edge.detect.finder import Finder
from edge.detect.kept import DetectorStateError, learned_from, learned_to, state_from, state_to
from edge.detect.marks import End, Left, Mark, Resumed, Start
from edge.detect.rules import CUT_S
from edge.detect.signals import (
    CycleFinished,
    CycleResumed,
    CycleStarted,
    EndingSoon,
    MinutesLeft,
    Signal,
)
from edge.sources.reading import Reading
from laundryd.wire.machines import MachineKind

__all__ = ["Detector", "DetectorStateError"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Detector:
    """Finds the cycles of one machine of a ``kind``. Pure: no clock, no I/O, nothing random.

    Call ``feed`` with every reading and ``tick`` about once a second: a plug that publishes on change
    says nothing when a wash is over. Both may give the signals that are due.
    """

    def __init__(self, kind: MachineKind, finder: Finder | None = None) -> None:
        self._finder = Finder(kind) if finder is None else finder
        self._kind = kind

    def feed(self, reading: Reading) -> list[Signal]:
        """Take a reading. One without power, or not later than the last, shows nothing.

        A reading from the past is a duplicate, out of order, or from before a clock was set back.
        """
        if reading.power_w is None or not math.isfinite(reading.power_w):
            return []
        at_s = _unix_s(reading.at)
        marks = self._finder.sample(at_s, reading.power_w)
        return _signals(marks, reading.at, at_s) if marks else []

    def tick(self, now: datetime) -> list[Signal]:
        """Say what has come due by ``now`` (aware UTC); the same moment twice says nothing twice."""
        now_s = _unix_s(now)
        marks = self._finder.advance(now_s)
        return _signals(marks, now, now_s) if marks else []

    def stop(self, at: datetime) -> list[Signal]:
        """Take somebody's word, at ``at``, that the running cycle is over; nothing when none runs.

        It teaches nothing, and what the machine draws now is taken for no load: what draws more is one.
        """
        return _signals(self._finder.stop(), at, _unix_s(at))

    def gone(self, at: datetime) -> bool:
        """Take note that the plug is gone since ``at``, by its will or its broker's: that ends nothing.

        Until it is heard again nothing is concluded from its last value. False: it was gone before.
        """
        return self._finder.gone(_unix_s(at))

    def absent(self, until: datetime) -> None:
        """Take note that nobody listened from the last reading until now, ``until``.

        After a short absence its last value stands; after a longer one nothing is concluded from it.
        """
        last_s = self._finder.state.last_s
        if last_s is not None and _unix_s(until) - last_s > CUT_S:
            self._finder.gone(last_s)

    def back(self) -> None:
        """Take note that the plug was not gone after all: its last value has stood meanwhile."""
        self._finder.back()

    def shift(self, delta_s: float) -> None:
        """Move every time that is kept: the clock was set, ``delta_s`` seconds ahead (negative: back)."""
        self._finder.shift(delta_s)

    @property
    def started_at(self) -> datetime | None:
        """Start of the running cycle; None: none runs."""
        started_s = self._finder.started_s
        return None if started_s is None else _moment(started_s)

    @property
    def learned_revision(self) -> int:
        """A number that changes when ``dump_learned`` does; it begins anew with every detector."""
        return self._finder.library.revision

    def dump(self) -> dict[str, object]:
        """Give the running state, JSON-able and some KB at most.

        With what was learned, a detector loaded from both goes on as this one would.
        """
        return state_to(self._kind, self._finder.state)

    def dump_learned(self) -> dict[str, object]:
        """Give what past cycles taught, JSON-able, at most 100 KB; it changes with a finished cycle."""
        return learned_to(self._kind, self._finder.library)

    @classmethod
    def load(
        cls,
        kind: MachineKind,
        kept: Mapping[str, object] | None,
        learned: Mapping[str, object] | None = None,
    ) -> Self:
        """Go on from what ``dump`` and ``dump_learned`` gave; None: nothing is kept of that.

        Raises:
            DetectorStateError: one is of another version or kind of machine, or damaged.

        """
        library = None if learned is None else learned_from(kind, learned)
        state = None if kept is None else state_from(kind, kept)
        return cls(kind, Finder(kind, state, library))


def _signals(marks: Sequence[Mark], at: datetime, at_s: float) -> list[Signal]:
    """Make signals of marks; an end that was expected before ``at`` is not worth telling any more."""
    return [_signal(mark, at) for mark in marks if not isinstance(mark, Left) or mark.ends_s > at_s]


def _signal(mark: Mark, at: datetime) -> Signal:
    match mark:
        case Start():
            return CycleStarted(at, _moment(mark.started_s))
        case End():
            return CycleFinished(at, _moment(mark.started_s), _moment(mark.ended_s))
        case Resumed():
            return CycleResumed(at, _moment(mark.started_s), _moment(mark.ended_s))
        case Left():
            say = EndingSoon if mark.is_soon else MinutesLeft
            return say(at, _moment(mark.started_s), _moment(mark.ends_s), mark.confidence)


def _unix_s(moment: datetime) -> float:
    return (moment - _EPOCH) / timedelta(seconds=1)


def _moment(unix_s: float) -> datetime:
    return _EPOCH + timedelta(milliseconds=round(unix_s * 1000))
