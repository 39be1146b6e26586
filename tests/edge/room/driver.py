"""Drives the room's pure state machine in tests: words in, records and notices out, time by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from edge.room.deadlines import next_deadline
from edge.room.decide import after, decide
from edge.room.decision import Accepted, Decision, Refused
from edge.room.inputs import (
    CycleFinished,
    CycleResumed,
    CycleStarted,
    EndExpected,
    RoomInput,
    SensorChanged,
    StaffOrder,
    Tick,
)
from edge.room.records import MachineRecord, RoomState
from edge.room.timings import RoomTimings
from laundryd.wire.commands import (
    CommandName,
    CommandParams,
    ResidentCommand,
    StaffCommand,
    StaffCommandName,
)
from laundryd.wire.errors import ErrorCode
from laundryd.wire.machines import MachineKind, Programme
from laundryd.wire.phases import Cause, Phase, Sensor

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMINGS = RoomTimings()
PROGRAMMES = (
    Programme(programme="cotton", kind=MachineKind.WASHER, name="Cotton 60", minutes=55),
    Programme(programme="cotton", kind=MachineKind.DRYER, name="Cotton dry", minutes=90),
    Programme(programme="wool", kind=MachineKind.WASHER, name="Wool", minutes=35),
)


def machine(name: str, sensor: Sensor, kind: MachineKind = MachineKind.WASHER) -> MachineRecord:
    """Return a free machine that is there since noon."""
    return MachineRecord(
        machine=name, kind=kind, name=name.upper(), since=NOON, sensor=sensor, sensor_since=NOON
    )


class RoomDriver:
    """Washers ``w1`` and ``w2`` with plugs, ``bare`` without, dryer ``d1`` with one."""

    def __init__(self) -> None:
        self.now = NOON
        self.state = RoomState.of(
            [
                machine("w1", Sensor.OK),
                machine("w2", Sensor.OK),
                machine("bare", Sensor.NONE),
                machine("d1", Sensor.OK, MachineKind.DRYER),
            ]
        )
        self.state = replace(self.state, programmes=PROGRAMMES)

    def minute(self, minutes: float) -> datetime:
        """Return the moment ``minutes`` after noon."""
        return NOON + timedelta(minutes=minutes)

    def at(self, minutes: float) -> RoomDriver:
        """Move to ``minutes`` after noon, without a tick."""
        self.now = self.minute(minutes)
        return self

    def give(self, given: RoomInput) -> Decision:
        """Decide and take the decision's state."""
        decision = decide(self.state, given, self.now, TIMINGS)
        self.state = after(self.state, decision)
        return decision

    def say(
        self,
        resident: str,
        name: str,
        machine: str = "w1",
        minutes: int | None = None,
        **params: str,
    ) -> Decision:
        """A resident says a word; ``params`` are ``programme`` and ``text``."""
        return self.give(
            ResidentCommand(
                id="id",
                resident=resident,
                machine=machine,
                name=CommandName(name),
                params=CommandParams.model_validate({"minutes": minutes, **params}),
            )
        )

    def staff(self, name: str, machine: str = "w1") -> Decision:
        """Staff say a word."""
        return self.give(
            StaffOrder("kim", StaffCommand(machine=machine, name=StaffCommandName(name)))
        )

    def cycle_starts(self, minutes: float, machine: str = "w1") -> Decision:
        """The plug tells now of a cycle that began at ``minutes``."""
        return self.give(CycleStarted(machine, self.minute(minutes)))

    def cycle_ends(self, began: float, ended: float, machine: str = "w1") -> Decision:
        """The plug tells now of the end of a cycle."""
        return self.give(CycleFinished(machine, self.minute(began), self.minute(ended)))

    def cycle_resumes(self, began: float, ended: float, machine: str = "w1") -> Decision:
        """The plug tells now that the cycle which it called finished goes on."""
        return self.give(CycleResumed(machine, self.minute(began), self.minute(ended)))

    def end_expected(
        self,
        began: float,
        ends: float,
        confidence: float = 0.6,
        machine: str = "w1",
        *,
        is_soon: bool = False,
    ) -> Decision:
        """The plug tells now when its cycle ends."""
        return self.give(
            EndExpected(machine, self.minute(began), self.minute(ends), confidence, is_soon=is_soon)
        )

    def hear(self, sensor: Sensor, machine: str = "w1") -> Decision:
        """The plug falls silent or comes back."""
        return self.give(SensorChanged(machine, sensor))

    def tick(self, minutes: float) -> Decision:
        """Move to ``minutes`` after noon and carry out what is due."""
        return self.at(minutes).give(Tick())

    def deadline(self) -> float | None:
        """Return the next deadline in minutes after noon."""
        due = next_deadline(self.state, TIMINGS)
        return None if due is None else (due - NOON) / timedelta(minutes=1)

    def record(self, machine: str = "w1") -> MachineRecord:
        """Return a machine."""
        return self.state.machines[machine]

    def is_now(self, phase: str, owner: str | None, machine: str = "w1") -> bool:
        """Say whether a machine is in ``phase`` and ``owner``'s."""
        record = self.record(machine)
        return record.phase is Phase(phase) and record.owner == owner


def causes(decision: Decision) -> list[Cause | None]:
    """Return what happened; fails when the decision was a refusal."""
    assert isinstance(decision, Accepted), decision
    return [change.cause for change in decision.changes]


def told(decision: Decision) -> list[tuple[str, str]]:
    """Return who was told what."""
    assert isinstance(decision, Accepted), decision
    of_machines = [notice for change in decision.changes for notice in change.notices]
    of_waits = [change.notice for change in decision.wait_changes if change.notice is not None]
    return [(notice.resident, notice.kind) for notice in of_machines + of_waits]


def refusal(decision: Decision) -> ErrorCode:
    """Return why it was refused; fails when it was accepted."""
    assert isinstance(decision, Refused), decision
    return decision.code
