"""Brings what was kept together with what the settings say now, at each start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edge.room.decision import Change
from edge.room.records import MachineRecord, RoomState
from laundryd.wire.ids import Slug
from laundryd.wire.machines import DisplayName, MachineKind
from laundryd.wire.phases import Cause, Sensor
from laundryd.wire.times import Moment


@dataclass(frozen=True, slots=True)
class MachineSetup:
    """A machine as the settings name it. ``has_plug`` false: timers and residents only."""

    machine: Slug
    kind: MachineKind
    name: DisplayName
    has_plug: bool


@dataclass(frozen=True, slots=True)
class Reconciled:
    """``state`` in the settings' order; ``changes`` that must be kept and told; ``removed`` machines."""

    state: RoomState
    changes: tuple[Change, ...]
    removed: tuple[MachineRecord, ...]


def reconcile(
    kept: Iterable[MachineRecord], setups: Sequence[MachineSetup], now: Moment
) -> Reconciled:
    """Give every machine of ``setups`` its record and drop the others.

    A new machine, a new name, a plug that came or went is told as ``sensor_changed``: an event carries
    the whole machine. A plug that was heard before the start counts as heard from ``now`` on, so that
    the time the edge was away is not taken for time without power.
    """
    known = {record.machine: record for record in kept}
    changes: list[Change] = []
    for setup in setups:
        before = known.pop(setup.machine, None)
        after = _record(before, setup, now)
        if before is None or _seen(before) != _seen(after):
            changes.append(Change(after, Cause.SENSOR_CHANGED))
        else:
            changes.append(Change(after, None))
    state = RoomState.of(change.record for change in changes)
    return Reconciled(state, tuple(changes), tuple(known.values()))


def _record(before: MachineRecord | None, setup: MachineSetup, now: Moment) -> MachineRecord:
    if before is None:
        return MachineRecord(
            machine=setup.machine,
            kind=setup.kind,
            name=setup.name,
            since=now,
            sensor=Sensor.SILENT if setup.has_plug else Sensor.NONE,
            sensor_since=now,
        )
    after = replace(before, kind=setup.kind, name=setup.name)
    if setup.has_plug == (before.sensor is not Sensor.NONE):
        return replace(after, sensor_since=now) if after.sensor is Sensor.OK else after
    sensor = Sensor.SILENT if setup.has_plug else Sensor.NONE
    return replace(
        after,
        sensor=sensor,
        sensor_since=now,
        plug_cycle_since=None,
        ends_confidence=None,
        stopped_cycle=None,
    )


def _seen(record: MachineRecord) -> tuple[MachineKind, str, Sensor]:
    return record.kind, record.name, record.sensor
