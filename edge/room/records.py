"""What the edge keeps of its machines: the room's state, immutable, with who owns what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Self

from pydantic import TypeAdapter

from edge.room.waits import Waits
from laundryd.wire.ids import ResidentId, Slug
from laundryd.wire.machines import DisplayName, MachineKind, Programme
from laundryd.wire.phases import Phase, Sensor
from laundryd.wire.times import Moment

HELD: Final = frozenset({Phase.CLAIMED, Phase.ARRIVED})
"""Phases in which a machine is kept for one resident."""


REPORTS_MAX: Final = 20
"""Fault reports, and residents who asked for a pickup, that one machine remembers: the newest."""


@dataclass(frozen=True, slots=True)
class FaultReport:
    """What a resident says is wrong with a machine; ``text`` is for the staff alone."""

    resident: ResidentId
    at: Moment
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What ``owner`` had of a machine until a deadline took it at ``at``, before any start was told.

    A plug tells a start a minute or more after it was: one that truly was before ``at`` is still theirs.
    ``phase`` is ``claimed``, ``arrived`` or ``in_use``; the rest is what they had said of a registered run.
    """

    owner: ResidentId
    at: Moment
    phase: Phase
    registered_at: Moment | None = None
    programme: Slug | None = None
    ends_at: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRecord:
    """One machine as the edge keeps it. All times are room time.

    ``owner``: who holds it, or whose laundry is in it; None when nobody's. ``held_until`` is set while
    held. ``started_at`` is set from the start until the laundry is out. ``ends_at``: the expected end
    while in use, None when nobody knows. ``ended_at``: the true end while finished.

    ``registered_at``: when a resident said that it is in use; None when only the plug said so.
    ``plug_cycle_since``: start of the cycle that the plug sees now; None when it sees none. Set only
    while ``in_use`` or ``out_of_order``. ``sensor_since``: when ``sensor`` took its value, or when the
    edge began to listen again. ``ending_soon_told``: the end's nearness was told, or is not to be.

    ``ends_confidence``, 0 to 1: how sure the plug's past cycles are of ``ends_at``; None: a timer's
    word, the resident's or a programme's, or what the plug last expected before it fell silent.
    ``programme``: what its owner started. ``remind_at``: when its owner is told next that the laundry is
    still there, after ``reminders_told`` times; None: not any more, or nobody to tell.
    ``pickup_requested_at`` and ``owner_coming_at``: when that was last said of this load;
    ``pickup_askers``: who asked and waits for the answer. ``faults`` that staff has not cleared, oldest
    first. ``failed_for``: who held or used it when it went out of order. ``lost``: whose it was until a
    deadline freed it; None once it is anybody's run again. ``hold_ending_told``: that the hold ends soon
    was told, or is not to be. ``stopped_cycle``: start of a cycle that staff ended before its plug did, until
    the plug's detector has ended it, too: what it says of that cycle counts no more.
    """

    machine: Slug
    kind: MachineKind
    name: DisplayName
    since: Moment
    sensor: Sensor
    sensor_since: Moment
    phase: Phase = Phase.FREE
    owner: ResidentId | None = None
    held_until: Moment | None = None
    started_at: Moment | None = None
    ends_at: Moment | None = None
    ended_at: Moment | None = None
    registered_at: Moment | None = None
    plug_cycle_since: Moment | None = None
    ending_soon_told: bool = False
    ends_confidence: float | None = None
    programme: Slug | None = None
    remind_at: Moment | None = None
    reminders_told: int = 0
    pickup_requested_at: Moment | None = None
    pickup_askers: tuple[ResidentId, ...] = ()
    owner_coming_at: Moment | None = None
    faults: tuple[FaultReport, ...] = ()
    failed_for: ResidentId | None = None
    lost: Lost | None = None
    hold_ending_told: bool = False
    stopped_cycle: Moment | None = None

    @property
    def end_is_the_plugs(self) -> bool:
        """Whether a working plug said that it ended, or when it ends: no resident moves that end."""
        if self.phase is Phase.FINISHED:
            return self.sensor is Sensor.OK
        return self.ends_confidence is not None

    def emptied(self, phase: Phase, now: Moment) -> Self:
        """Return the machine in ``phase`` from ``now`` on: all that was of a load or its owner is gone."""
        return type(self)(
            machine=self.machine,
            kind=self.kind,
            name=self.name,
            since=now,
            sensor=self.sensor,
            sensor_since=self.sensor_since,
            phase=phase,
            faults=self.faults,
            failed_for=self.failed_for,
            stopped_cycle=self.stopped_cycle,
        )

    def lost_at(self, due_at: Moment, now: Moment) -> Self:
        """Return the machine free from ``now`` on because ``due_at`` passed; whose it was then is kept."""
        free = self.emptied(Phase.FREE, now)
        if self.owner is None:
            return free
        lost = Lost(
            owner=self.owner,
            at=due_at,
            phase=self.phase,
            registered_at=self.registered_at,
            programme=self.programme,
            ends_at=self.ends_at,
        )
        return replace(free, lost=lost)

    def running_again(self, now: Moment) -> Self:
        """Return a finished machine as one that goes on with the same load; what was told is to be again."""
        return replace(
            self,
            phase=Phase.IN_USE,
            since=now,
            ended_at=None,
            ending_soon_told=False,
            remind_at=None,
            reminders_told=0,
            pickup_requested_at=None,
            pickup_askers=(),
            owner_coming_at=None,
        )


RECORD: Final[TypeAdapter[MachineRecord]] = TypeAdapter(MachineRecord)
"""Writes a record as JSON and reads it back checked."""


@dataclass(frozen=True, slots=True)
class RoomState:
    """All machines of the room by id, in the order of the settings; who waits; the programmes to choose."""

    machines: Mapping[Slug, MachineRecord]
    waits: Waits = field(default_factory=Waits)
    programmes: tuple[Programme, ...] = ()

    @classmethod
    def of(cls, records: Iterable[MachineRecord]) -> Self:
        """Make a state of ``records``, in their order; nobody waits, and no programme is listed."""
        return cls(MappingProxyType({record.machine: record for record in records}))

    def with_records(self, records: Iterable[MachineRecord]) -> Self:
        """Return the state in which ``records`` replace the machines of the same ids."""
        machines = dict(self.machines)
        machines.update((record.machine, record) for record in records)
        return replace(self, machines=MappingProxyType(machines))

    def held_by(self, resident: ResidentId, kind: MachineKind) -> MachineRecord | None:
        """Return the machine of ``kind`` that is held for ``resident``, None if there is none."""
        for record in self.machines.values():
            if record.owner == resident and record.kind is kind and record.phase in HELD:
                return record
        return None

    def programme(self, programme: Slug, kind: MachineKind) -> Programme | None:
        """Return the programme of that name for machines of ``kind``, None when there is none."""
        for one in self.programmes:
            if one.programme == programme and one.kind is kind:
                return one
        return None
