"""What staff may do over the room's broker."""

from __future__ import annotations

from dataclasses import replace

from edge.room.decision import Accepted, Decision, Refused, change, draft, told
from edge.room.inputs import StaffOrder
from edge.room.plug_moves import cycle_runs, finish
from edge.room.records import MachineRecord, RoomState
from edge.room.timings import RoomTimings
from laundryd.wire.commands import StaffCommandName
from laundryd.wire.errors import ErrorCode
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import MOVES, Cause, Phase, Sensor
from laundryd.wire.times import Moment

_CAUSES = {
    StaffCommandName.OUT_OF_ORDER: Cause.OUT_OF_ORDER,
    StaffCommandName.REPAIRED: Cause.REPAIRED,
    StaffCommandName.ENDED: Cause.FINISHED,
    StaffCommandName.COLLECTED: Cause.COLLECTED,
    StaffCommandName.FAULT_CLEARED: Cause.FAULT_CLEARED,
}


def decide_staff(  # noqa: PLR0911 -- one return a word
    state: RoomState, order: StaffOrder, now: Moment, timings: RoomTimings
) -> Decision:
    """Carry out a staff command, or refuse it."""
    name = order.command.name
    record = state.machines.get(order.command.machine)
    if record is None:
        return Refused(ErrorCode.UNKNOWN_MACHINE, f"{order.command.machine}: no such machine here")
    if record.phase not in MOVES[_CAUSES[name]][0]:
        return Refused(
            ErrorCode.ILLEGAL_MOVE, f"{record.machine} is {record.phase}: it allows no {name}"
        )
    match name:
        case StaffCommandName.OUT_OF_ORDER:
            return _out_of_order(record, now)
        case StaffCommandName.REPAIRED:
            return _repaired(record, now)
        case StaffCommandName.ENDED:
            return _ended(record, now, timings)
        case StaffCommandName.COLLECTED:
            free = record.emptied(Phase.FREE, now)
            notices = told(record, NoticeKind.COLLECTED_FOR_YOU)
            return Accepted((change(record, Cause.COLLECTED, free, *notices),))
        case StaffCommandName.FAULT_CLEARED:
            return _fault_cleared(record)


def _out_of_order(record: MachineRecord, now: Moment) -> Decision:
    after = replace(
        record.emptied(Phase.OUT_OF_ORDER, now),
        # What the plug sees stays remembered: the machine may still run when it is repaired.
        plug_cycle_since=record.plug_cycle_since,
        failed_for=record.owner,
    )
    notices = told(record, NoticeKind.OUT_OF_ORDER)
    return Accepted((change(record, Cause.OUT_OF_ORDER, after, *notices),))


def _repaired(record: MachineRecord, now: Moment) -> Decision:
    free = replace(record.emptied(Phase.FREE, now), faults=(), failed_for=None)
    notices = (
        ()
        if record.failed_for is None
        else (draft(record, NoticeKind.REPAIRED, record.failed_for),)
    )
    repaired = change(record, Cause.REPAIRED, free, *notices)
    if record.plug_cycle_since is None or record.sensor is not Sensor.OK:
        return Accepted((repaired,))
    return Accepted((repaired, cycle_runs(free, record.plug_cycle_since, now)))


def _ended(record: MachineRecord, now: Moment, timings: RoomTimings) -> Decision:
    """End a run that the staff saw to be over: no plug, timer or resident knows."""
    # A plug that still sees it run is wrong about this cycle: what it says of it counts no more.
    seen = replace(record, stopped_cycle=record.plug_cycle_since or record.stopped_cycle)
    return Accepted((finish(seen, now, now, timings),))


def _fault_cleared(record: MachineRecord) -> Decision:
    if not record.faults:
        return Accepted()  # nothing is reported: it is as they want it
    return Accepted((change(record, Cause.FAULT_CLEARED, replace(record, faults=())),))
