"""A detector's signals as the room's inputs, and on disk while the room has not taken them yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, JsonValue

from edge.detect.signals import (
    CycleFinished,
    CycleResumed,
    CycleStarted,
    EndingSoon,
    MinutesLeft,
    Signal,
)
from edge.room import inputs
from laundryd.wire.ids import Slug


def room_input(machine: Slug, signal: Signal) -> inputs.RoomInput:
    """Say to the room what a detector said of ``machine``."""
    match signal:
        case CycleStarted():
            return inputs.CycleStarted(machine, signal.started_at)
        case CycleFinished():
            return inputs.CycleFinished(machine, signal.started_at, signal.ended_at)
        case CycleResumed():
            return inputs.CycleResumed(machine, signal.started_at, signal.ended_at)
        case MinutesLeft() | EndingSoon():
            return inputs.EndExpected(
                machine,
                signal.started_at,
                signal.ends_at,
                signal.confidence,
                is_soon=isinstance(signal, EndingSoon),
            )


def moved(signal: Signal, shift: timedelta) -> Signal:
    """Move every time of a signal by what the clock was set by."""
    at, started_at = signal.at + shift, signal.started_at + shift
    match signal:
        case CycleStarted():
            return replace(signal, at=at, started_at=started_at)
        case CycleFinished() | CycleResumed():
            return replace(signal, at=at, started_at=started_at, ended_at=signal.ended_at + shift)
        case MinutesLeft() | EndingSoon():
            return replace(signal, at=at, started_at=started_at, ends_at=signal.ends_at + shift)


_Kind = Literal["started", "finished", "resumed", "minutes_left", "ending_soon"]
_KINDS: Final[dict[type[Signal], _Kind]] = {
    CycleStarted: "started",
    CycleFinished: "finished",
    CycleResumed: "resumed",
    MinutesLeft: "minutes_left",
    EndingSoon: "ending_soon",
}


class KeptSignal(BaseModel):
    """A signal on disk. ``ended_at``: the end it speaks of, or expects."""

    kind: _Kind
    at: AwareDatetime
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    confidence: float = 0.0

    @classmethod
    def of(cls, signal: Signal) -> KeptSignal:
        """Write a signal."""
        kept = cls(kind=_KINDS[type(signal)], at=signal.at, started_at=signal.started_at)
        match signal:
            case CycleFinished() | CycleResumed():
                kept.ended_at = signal.ended_at
            case MinutesLeft() | EndingSoon():
                kept.ended_at, kept.confidence = signal.ends_at, signal.confidence
            case CycleStarted():
                pass
        return kept

    def signal(self) -> Signal:
        """Read it again.

        Raises:
            ValueError: it lacks the end that it speaks of.

        """
        if self.kind == "started":
            return CycleStarted(self.at, self.started_at)
        if self.ended_at is None:
            raise ValueError(f"a kept signal {self.kind!r} has no end")
        match self.kind:
            case "finished":
                return CycleFinished(self.at, self.started_at, self.ended_at)
            case "resumed":
                return CycleResumed(self.at, self.started_at, self.ended_at)
            case "minutes_left":
                return MinutesLeft(self.at, self.started_at, self.ended_at, self.confidence)
            case "ending_soon":
                return EndingSoon(self.at, self.started_at, self.ended_at, self.confidence)


class KeptDetector(BaseModel):
    """A detector's state on disk, with the signals that it gave and the room has not taken yet.

    ``clock_shift_ms``: by how much the room's clock had been set in all when it was written.
    """

    clock_shift_ms: int = 0
    detector: dict[str, JsonValue]
    due: list[KeptSignal]
