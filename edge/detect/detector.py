"""One machine's detector: readings and time in, signals out, and a state that survives a restart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from pydantic import TypeAdapter, ValidationError

from edge.detect.cycle import CycleFinder, CycleState, Mark, Start
from edge.detect.rules import RULES
from edge.detect.signals import CycleFinished, CycleStarted, Signal
from edge.sources.reading import Reading
from laundryd.wire.machines import MachineKind

STATE_VERSION: Final = 1
"""Raised when a kept state no longer means the same; another version is refused, not guessed at."""

DetectorState = dict[str, float | int | str | None]
"""What ``dump`` gives: flat, JSON-able, times in Unix seconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STATE: Final = TypeAdapter(CycleState)
_STATE_FIELDS: Final = {field.name for field in fields(CycleState)}


class DetectorStateError(ValueError):
    """A kept detector state cannot be used; begin with a new detector."""


class Detector:
    """Finds the cycles of one machine of a ``kind``. Pure: no clock, no I/O, nothing random.

    Call ``feed`` with every reading and ``tick`` about once a second: a plug that publishes on change
    says nothing when a wash is over. Both may give the signals that are due.
    """

    def __init__(self, kind: MachineKind, state: CycleState | None = None) -> None:
        self._finder = CycleFinder(RULES[kind], state)
        self._kind = kind

    def feed(self, reading: Reading) -> list[Signal]:
        """Take a reading. One without power, or not later than the last, shows nothing.

        A reading from the past is a duplicate, out of order, or from before a clock was set back.
        """
        if reading.power_w is None or not math.isfinite(reading.power_w):
            return []
        marks = self._finder.sample(_unix_s(reading.at), reading.power_w)
        return [_signal(mark, reading.at) for mark in marks] if marks else []

    def tick(self, now: datetime) -> list[Signal]:
        """Say what has come due by ``now`` (aware UTC); the same moment twice says nothing twice."""
        marks = self._finder.tick(_unix_s(now))
        return [_signal(mark, now) for mark in marks] if marks else []

    @property
    def started_at(self) -> datetime | None:
        """Start of the running cycle; None: none runs."""
        started_s = self._finder.state.started_s
        return None if started_s is None else _moment(started_s)

    def dump(self) -> DetectorState:
        """Give the whole state, JSON-able; a detector loaded from it goes on as this one would."""
        return {
            "version": STATE_VERSION,
            "kind": self._kind.value,
            **asdict(self._finder.state),
        }

    @classmethod
    def load(cls, kind: MachineKind, kept: Mapping[str, object]) -> Self:
        """Go on from what ``dump`` gave.

        Raises:
            DetectorStateError: it is of another version or kind of machine, or damaged.

        """
        values = dict(kept)
        version, kept_kind = values.pop("version", None), values.pop("kind", None)
        if version != STATE_VERSION or kept_kind != kind.value:
            raise DetectorStateError(
                f"kept detector state is version {version!r} of a {kept_kind!r}; "
                f"this is version {STATE_VERSION} of a {kind.value!r}: it begins anew"
            )
        if values.keys() != _STATE_FIELDS:
            odd = sorted(map(str, values.keys() ^ _STATE_FIELDS))
            raise DetectorStateError(
                f"kept detector state of a {kind.value} lacks or adds {odd[:5]}: it begins anew"
            )
        try:
            return cls(kind, _STATE.validate_python(values))
        except ValidationError as error:
            raise DetectorStateError(
                f"kept detector state of a {kind.value} is damaged "
                f"({error.error_count()} wrong fields): it begins anew"
            ) from error


def _signal(mark: Mark, at: datetime) -> Signal:
    if isinstance(mark, Start):
        return CycleStarted(at, _moment(mark.started_s))
    return CycleFinished(at, _moment(mark.started_s), _moment(mark.ended_s))


def _unix_s(moment: datetime) -> float:
    return (moment - _EPOCH) / timedelta(seconds=1)


def _moment(unix_s: float) -> datetime:
    return _EPOCH + timedelta(milliseconds=round(unix_s * 1000))
