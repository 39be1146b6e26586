"""The room's one decision: state, input and time in; a refusal or changes out. No I/O, no clock."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from edge.room.deadlines import decide_tick
from edge.room.decision import Accepted, Decision
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
from edge.room.plug_moves import decide_plug
from edge.room.records import RoomState
from edge.room.resident_moves import decide_resident
from edge.room.staff_moves import decide_staff
from edge.room.timings import RoomTimings
from edge.room.watching import hand_out
from laundryd.wire.commands import ResidentCommand
from laundryd.wire.times import Moment, whole_milliseconds


def decide(state: RoomState, given: RoomInput, now: Moment, timings: RoomTimings) -> Decision:
    """Decide what ``given`` does to the room at ``now`` (room time).

    Raises:
        ImpossibleMoveError: a bug of ours; nothing may be kept.

    """
    now = whole_milliseconds(now)
    decision = _decide(state, given, now, timings)
    if isinstance(decision, Accepted):
        return hand_out(state, decision, now, timings)
    return decision


def _decide(state: RoomState, given: RoomInput, now: Moment, timings: RoomTimings) -> Decision:
    match given:
        case ResidentCommand():
            return decide_resident(state, given, now, timings)
        case StaffOrder():
            return decide_staff(state, given, now, timings)
        case CycleStarted() | CycleFinished() | CycleResumed() | EndExpected() | SensorChanged():
            return decide_plug(state, given, now, timings)
        case Tick():
            return decide_tick(state, now, timings)
        case _:
            assert_never(given)


def after(state: RoomState, decision: Decision) -> RoomState:
    """Return the state after ``decision``; the same one when it was refused."""
    if not isinstance(decision, Accepted):
        return state
    if decision.changes:
        state = state.with_records(change.record for change in decision.changes)
    return state if decision.waits is None else replace(state, waits=decision.waits)
