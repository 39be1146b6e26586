"""What the edge keeps of its machines: the room's state, immutable, with who owns what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Self

from pydantic import TypeAdapter

from laundryd.wire.ids import ResidentId, Slug
from laundryd.wire.machines import DisplayName, MachineKind
from laundryd.wire.phases import Phase, Sensor
from laundryd.wire.times import Moment

HELD: Final = frozenset({Phase.CLAIMED, Phase.ARRIVED})
"""Phases in which a machine is kept for one resident."""


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

    def emptied(self, phase: Phase, now: Moment) -> Self:
        """Return the machine in ``phase`` from ``now`` on, without owner, times and cycle."""
        return replace(
            self,
            phase=phase,
            since=now,
            owner=None,
            held_until=None,
            started_at=None,
            ends_at=None,
            ended_at=None,
            registered_at=None,
            plug_cycle_since=None,
            ending_soon_told=False,
        )


RECORD: Final[TypeAdapter[MachineRecord]] = TypeAdapter(MachineRecord)
"""Writes a record as JSON and reads it back checked."""


@dataclass(frozen=True, slots=True)
class RoomState:
    """All machines of the room by id, in the order of the settings."""

    machines: Mapping[Slug, MachineRecord]

    @classmethod
    def of(cls, records: Iterable[MachineRecord]) -> Self:
        """Make a state of ``records``, in their order."""
        return cls(MappingProxyType({record.machine: record for record in records}))

    def with_records(self, records: Iterable[MachineRecord]) -> Self:
        """Return the state in which ``records`` replace the machines of the same ids."""
        machines = dict(self.machines)
        machines.update((record.machine, record) for record in records)
        return type(self).of(machines.values())

    def held_by(self, resident: ResidentId, kind: MachineKind) -> MachineRecord | None:
        """Return the machine of ``kind`` that is held for ``resident``, None if there is none."""
        for record in self.machines.values():
            if record.owner == resident and record.kind is kind and record.phase in HELD:
                return record
        return None
