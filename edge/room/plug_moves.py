"""What the plugs show. Where plug and resident disagree, this module says who is believed.

A start that the plug sees on a machine that has ``arrived`` is the claimant's; on a ``claimed`` one it
runs owner-less, the claimant is told and may adopt; on a ``finished`` one the load before was collected
and its owner is told. Out of order, a cycle changes nothing but is remembered: when the machine is
repaired while it still runs, it is ``in_use`` at once. A silent plug ends nothing.
"""

from __future__ import annotations

from dataclasses import replace

from edge.room.decision import Accepted, Change, Decision, Refused, change, quiet, told
from edge.room.inputs import CycleFinished, CycleStarted, SensorChanged
from edge.room.records import MachineRecord, RoomState
from laundryd.wire.errors import ErrorCode
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.times import Moment

_PlugInput = CycleStarted | CycleFinished | SensorChanged


def decide_plug(state: RoomState, signal: _PlugInput, now: Moment) -> Decision:
    """Take in what a plug shows."""
    record = state.machines.get(signal.machine)
    if record is None:
        return Refused(ErrorCode.UNKNOWN_MACHINE, f"{signal.machine}: no such machine here")
    match signal:
        case CycleStarted():
            return _started(record, signal.started_at, now)
        case CycleFinished():
            return _finished(record, signal, now)
        case SensorChanged():
            return _sensor(record, signal.sensor, now)


def cycle_runs(record: MachineRecord, started_at: Moment, now: Moment) -> Change:
    """Make a machine without an owner run since ``started_at``."""
    after = replace(
        record.emptied(Phase.IN_USE, now), started_at=started_at, plug_cycle_since=started_at
    )
    return change(record, Cause.CYCLE_STARTED, after)


def _started(record: MachineRecord, started_at: Moment, now: Moment) -> Decision:
    if record.plug_cycle_since == started_at:
        return Accepted()  # told twice, for example after a restart
    match record.phase:
        case Phase.OUT_OF_ORDER:
            return quiet(replace(record, plug_cycle_since=started_at))
        case Phase.FREE | Phase.CLAIMED:
            ran = cycle_runs(record, started_at, now)
            return Accepted((replace(ran, notices=told(record, NoticeKind.STARTED_BY_OTHER)),))
        case Phase.ARRIVED:
            ran = cycle_runs(record, started_at, now)
            return Accepted((replace(ran, record=replace(ran.record, owner=record.owner)),))
        case Phase.IN_USE:
            after = replace(record, started_at=started_at, plug_cycle_since=started_at)
            return Accepted((change(record, Cause.CYCLE_STARTED, after),))
        case Phase.FINISHED:
            return Accepted((_started_again(record, started_at, now),))


def _started_again(record: MachineRecord, started_at: Moment, now: Moment) -> Change:
    ran = cycle_runs(record, started_at, now)
    if record.ended_at is not None and started_at < record.ended_at:
        # It began before the end that a timer told: the same load, still its owner's, not the next.
        same_load = replace(ran.record, owner=record.owner, ending_soon_told=True)
        return replace(ran, record=same_load)
    return replace(ran, notices=told(record, NoticeKind.COLLECTED_FOR_YOU))


def _finished(record: MachineRecord, signal: CycleFinished, now: Moment) -> Decision:
    if record.phase is Phase.OUT_OF_ORDER:
        return quiet(replace(record, plug_cycle_since=None))
    if record.phase is not Phase.IN_USE:
        return Accepted()  # the timer or the resident was first
    if record.plug_cycle_since != signal.started_at and (
        record.started_at is not None and signal.ended_at <= record.started_at
    ):
        return Accepted()  # the end of a load before this one
    return Accepted((finish(record, signal.ended_at, now),))


def finish(record: MachineRecord, ended_at: Moment, now: Moment) -> Change:
    """End the run of ``record`` at ``ended_at``; its owner is told."""
    after = replace(
        record,
        phase=Phase.FINISHED,
        since=now,
        ends_at=None,
        ended_at=max(ended_at, record.started_at or ended_at),
        plug_cycle_since=None,
    )
    return change(record, Cause.FINISHED, after, *told(record, NoticeKind.DONE))


def _sensor(record: MachineRecord, sensor: Sensor, now: Moment) -> Decision:
    if sensor is record.sensor:
        return Accepted()
    after = replace(record, sensor=sensor, sensor_since=now)
    if sensor is not Sensor.OK and record.ends_at is not None and record.ends_at <= now:
        # The plug saw it run past the programme's end: that end is known to be wrong.
        after = replace(after, ends_at=None)
    return Accepted((change(record, Cause.SENSOR_CHANGED, after),))
