"""Everything that can change the room: what residents and staff say, what plugs show, and time."""

from __future__ import annotations

from dataclasses import dataclass

from laundryd.wire.commands import ResidentCommand, StaffCommand
from laundryd.wire.ids import Slug
from laundryd.wire.phases import Sensor
from laundryd.wire.times import Moment


@dataclass(frozen=True, slots=True)
class StaffOrder:
    """A staff member's command; ``user`` is the topic's level, for the log alone."""

    user: str
    command: StaffCommand


@dataclass(frozen=True, slots=True)
class CycleStarted:
    """The plug of ``machine`` showed a cycle that began at ``started_at``, before it could be told."""

    machine: Slug
    started_at: Moment


@dataclass(frozen=True, slots=True)
class CycleFinished:
    """The plug of ``machine`` showed that the cycle of ``started_at`` truly ended at ``ended_at``."""

    machine: Slug
    started_at: Moment
    ended_at: Moment


@dataclass(frozen=True, slots=True)
class CycleResumed:
    """The cycle of ``started_at`` that ``CycleFinished`` ended at ``ended_at`` goes on: the same load."""

    machine: Slug
    started_at: Moment
    ended_at: Moment


@dataclass(frozen=True, slots=True)
class EndExpected:
    """The plug's past cycles say that the cycle of ``started_at`` ends at ``ends_at``.

    ``confidence``: how sure, 0 to 1. ``is_soon``: about five minutes are left; said once a cycle.
    """

    machine: Slug
    started_at: Moment
    ends_at: Moment
    confidence: float
    is_soon: bool = False


@dataclass(frozen=True, slots=True)
class SensorChanged:
    """The plug of ``machine`` fell silent or speaks again."""

    machine: Slug
    sensor: Sensor


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing but time: carry out what is due."""


RoomInput = (
    ResidentCommand
    | StaffOrder
    | CycleStarted
    | CycleFinished
    | CycleResumed
    | EndExpected
    | SensorChanged
    | Tick
)
