"""What the plugs show. Where plug and resident disagree, this module says who is believed.

A start that the plug sees on a machine that has ``arrived`` is the claimant's; on a ``claimed`` one it
runs owner-less, the claimant is told and may adopt; on a ``finished`` one the load before was collected
and its owner is told. Out of order, a cycle changes nothing but is remembered: when the machine is
repaired while it still runs, it is ``in_use`` at once. A silent plug ends nothing.

A start is judged by when it truly was: one that a deadline overtook, because it is told a minute or more
late, is whose the machine was then, unless somebody took it in between.

A cycle that was called finished and goes on is its owner's again, unless somebody collected or took the
machine in between: then it is as a start. A plug that speaks of the end of a cycle which the room does
not know as running says with that that it runs: a timer or a resident was wrong while it was silent. Of a
cycle that staff ended the plug is not believed any more; the next one counts as any other.
"""

from __future__ import annotations

from dataclasses import replace

from edge.room.decision import (
    Accepted,
    Change,
    Decision,
    Refused,
    change,
    changes_of,
    draft,
    quiet,
    told,
)
from edge.room.expected_end import expect_end
from edge.room.inputs import CycleFinished, CycleResumed, CycleStarted, EndExpected, SensorChanged
from edge.room.records import MachineRecord, RoomState
from edge.room.timings import RoomTimings
from laundryd.wire.errors import ErrorCode
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.times import Moment

_PlugInput = CycleStarted | CycleFinished | CycleResumed | EndExpected | SensorChanged


def decide_plug(
    state: RoomState, signal: _PlugInput, now: Moment, timings: RoomTimings
) -> Decision:
    """Take in what a plug shows."""
    record = state.machines.get(signal.machine)
    if record is None:
        return Refused(ErrorCode.UNKNOWN_MACHINE, f"{signal.machine}: no such machine here")
    if not isinstance(signal, SensorChanged) and signal.started_at == record.stopped_cycle:
        return _stopped(record, signal)
    return _believed(record, signal, now, timings)


def _believed(
    record: MachineRecord, signal: _PlugInput, now: Moment, timings: RoomTimings
) -> Decision:
    match signal:
        case CycleStarted():
            return _started(record, signal.started_at, now)
        case CycleFinished():
            return _finished(record, signal, now, timings)
        case CycleResumed():
            return _resumed(record, signal, now)
        case EndExpected():
            return _expected(record, signal, now)
        case SensorChanged():
            return _sensor(record, signal.sensor, now)


def cycle_runs(record: MachineRecord, started_at: Moment, now: Moment) -> Change:
    """Make a machine without an owner run since ``started_at``."""
    after = replace(
        record.emptied(Phase.IN_USE, now), started_at=started_at, plug_cycle_since=started_at
    )
    return change(record, Cause.CYCLE_STARTED, after)


def _stopped(
    record: MachineRecord, signal: CycleStarted | CycleFinished | CycleResumed | EndExpected
) -> Decision:
    """Pass over what a plug says of a cycle that staff ended, until it says itself that it is over."""
    if isinstance(signal, CycleFinished):
        return quiet(replace(record, stopped_cycle=None))
    return Accepted()


def _started(record: MachineRecord, started_at: Moment, now: Moment) -> Decision:
    if record.plug_cycle_since == started_at:
        return Accepted()  # told twice, for example after a restart
    match record.phase:
        case Phase.OUT_OF_ORDER:
            return quiet(replace(record, plug_cycle_since=started_at))
        case Phase.FREE | Phase.CLAIMED:
            return Accepted((_started_at_nobodys(record, started_at, now),))
        case Phase.ARRIVED:
            ran = cycle_runs(record, started_at, now)
            theirs = replace(ran.record, owner=record.owner)
            notices = told(theirs, NoticeKind.STARTED)
            return Accepted((replace(ran, record=theirs, notices=notices),))
        case Phase.IN_USE:
            # What the plug expected was of another cycle; the resident's minutes are of this one.
            kept = record if record.ends_confidence is None else _end_unknown(record)
            after = replace(kept, started_at=started_at, plug_cycle_since=started_at)
            return Accepted((change(record, Cause.CYCLE_STARTED, after),))
        case Phase.FINISHED:
            return Accepted((_started_again(record, started_at, now),))


def _started_at_nobodys(record: MachineRecord, started_at: Moment, now: Moment) -> Change:
    """Take a start at which nobody stood: owner-less, or theirs whom a deadline overtook."""
    ran, lost = cycle_runs(record, started_at, now), record.lost
    if lost is None or started_at > lost.at or record.owner not in {None, lost.owner}:
        return replace(ran, notices=told(record, NoticeKind.STARTED_BY_OTHER))
    if lost.phase is Phase.CLAIMED:
        return replace(ran, notices=(draft(record, NoticeKind.STARTED_BY_OTHER, lost.owner),))
    theirs = replace(
        ran.record,
        owner=lost.owner,
        registered_at=lost.registered_at,
        programme=lost.programme,
        ends_at=lost.ends_at if lost.ends_at is not None and lost.ends_at > now else None,
    )
    # They were told that it is free again: that is taken back.
    return replace(ran, record=theirs, notices=told(theirs, NoticeKind.RESUMED))


def _started_again(record: MachineRecord, started_at: Moment, now: Moment) -> Change:
    ran = cycle_runs(record, started_at, now)
    if record.ended_at is not None and started_at < record.ended_at:
        # It began before the end that a timer told: the same load, still its owner's, not the next. The
        # owner was told that it is done, wrongly.
        same_load = replace(
            ran.record, owner=record.owner, programme=record.programme, ending_soon_told=True
        )
        return replace(ran, record=same_load, notices=told(record, NoticeKind.RESUMED))
    return replace(ran, notices=told(record, NoticeKind.COLLECTED_FOR_YOU))


def _resumed(record: MachineRecord, signal: CycleResumed, now: Moment) -> Decision:
    if record.plug_cycle_since == signal.started_at:
        return Accepted()  # it was never taken for finished, or this is told twice
    match record.phase:
        case Phase.FINISHED:
            return Accepted((_goes_on(record, signal.started_at, now),))
        case Phase.ARRIVED | Phase.IN_USE:
            # The plug takes it for the load before; whoever stands there knows that it is theirs.
            return _since(_started(record, signal.started_at, now), record, signal)
        case Phase.FREE | Phase.CLAIMED | Phase.OUT_OF_ORDER:
            # It began with the load before: no word of whether they had pressed start in time.
            return _since(
                _started(replace(record, lost=None), signal.started_at, now), record, signal
            )


def _since(ran: Decision, record: MachineRecord, signal: CycleResumed) -> Decision:
    """Let it have run since the load before was over: that one was told, and taken out."""
    since = record.started_at or max(signal.ended_at, record.since)
    return Accepted(
        tuple(
            replace(one, record=replace(one.record, started_at=since))
            if one.record.phase is Phase.IN_USE
            else one
            for one in changes_of(ran)
        )
    )


def _goes_on(record: MachineRecord, plug_cycle_since: Moment, now: Moment) -> Change:
    after = replace(record.running_again(now), plug_cycle_since=plug_cycle_since)
    return change(record, Cause.RESUMED, after, *told(record, NoticeKind.RESUMED))


def _expected(record: MachineRecord, signal: EndExpected, now: Moment) -> Decision:
    is_known = record.plug_cycle_since == signal.started_at
    if record.sensor is not Sensor.OK and not (is_known and signal.is_soon):
        return Accepted()  # what a plug expects that is not heard is no better than the timers
    changes: tuple[Change, ...] = ()
    if not is_known:
        changes = changes_of(_runs_after_all(record, signal.started_at, now))
        record = changes[-1].record if changes else record
    if record.phase is not Phase.IN_USE:
        return Accepted(changes)
    return Accepted(changes + expect_end(record, signal, now))


def _runs_after_all(record: MachineRecord, started_at: Moment, now: Moment) -> Decision:
    if record.ended_at is not None and started_at <= record.ended_at:
        return Accepted((_goes_on(record, started_at, now),))
    return _started(record, started_at, now)


def _finished(
    record: MachineRecord, signal: CycleFinished, now: Moment, timings: RoomTimings
) -> Decision:
    if record.phase is Phase.OUT_OF_ORDER:
        return quiet(replace(record, plug_cycle_since=None))
    if record.phase is not Phase.IN_USE:
        return Accepted()  # the timer or the resident was first
    if record.plug_cycle_since != signal.started_at and (
        record.started_at is not None and signal.ended_at <= record.started_at
    ):
        return Accepted()  # the end of a load before this one
    return Accepted((finish(record, signal.ended_at, now, timings),))


def finish(record: MachineRecord, ended_at: Moment, now: Moment, timings: RoomTimings) -> Change:
    """End the run of ``record`` at ``ended_at``; its owner is told, and told again while it stays."""
    after = replace(
        _end_unknown(record),
        phase=Phase.FINISHED,
        since=now,
        ended_at=max(ended_at, record.started_at or ended_at),
        plug_cycle_since=None,
        remind_at=None if record.owner is None else now + timings.remind,
    )
    return change(record, Cause.FINISHED, after, *told(record, NoticeKind.DONE))


def _end_unknown(record: MachineRecord) -> MachineRecord:
    return replace(record, ends_at=None, ends_confidence=None)


def _sensor(record: MachineRecord, sensor: Sensor, now: Moment) -> Decision:
    if sensor is record.sensor:
        return Accepted()
    after = replace(record, sensor=sensor, sensor_since=now)
    if sensor is not Sensor.OK:
        # What it expected last is a timer now: the best that is known, and nobody vouches for it.
        after = replace(after, ends_confidence=None)
        if record.ends_at is not None and record.ends_at <= now:
            # The plug saw it run past that end: it is known to be wrong.
            after = replace(after, ends_at=None)
    return Accepted((change(record, Cause.SENSOR_CHANGED, after),))
