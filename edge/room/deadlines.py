"""What falls due with time alone: when, and what happens then.

``Tick`` carries out exactly what ``next_due`` names, so the shell that sleeps until the earliest
deadline misses nothing and never wakes in vain.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from enum import Enum, auto

from edge.room.decision import Accepted, Change, change, told
from edge.room.plug_moves import finish
from edge.room.records import HELD, MachineRecord, RoomState
from edge.room.timings import RoomTimings
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.times import Moment


class Due(Enum):
    """What a deadline brings."""

    HOLD_ENDS = auto()
    NOT_STARTED = auto()
    ENDING_SOON = auto()
    TIMER_ENDS = auto()


def next_due(record: MachineRecord, timings: RoomTimings) -> tuple[Moment, Due] | None:
    """Return the earliest deadline of one machine, None when time alone changes nothing about it."""
    found: list[tuple[Moment, Due]] = []
    if record.phase in HELD and record.held_until is not None:
        found.append((record.held_until, Due.HOLD_ENDS))
    if record.phase is Phase.IN_USE:
        found.extend(_due_in_use(record, timings))
    return min(found, key=lambda due: due[0], default=None)


def _due_in_use(record: MachineRecord, timings: RoomTimings) -> list[tuple[Moment, Due]]:
    found: list[tuple[Moment, Due]] = []
    plug_listens = record.sensor is Sensor.OK
    if plug_listens and record.registered_at is not None and record.plug_cycle_since is None:
        heard_since = max(record.registered_at, record.sensor_since)
        found.append((heard_since + timings.no_power, Due.NOT_STARTED))
    if record.ends_at is not None and not record.ending_soon_told:
        found.append((record.ends_at - timings.ending_soon, Due.ENDING_SOON))
    if not plug_listens:
        # With a plug that works the plug decides; else the timer, even if it is the last resort's.
        ends_at = record.ends_at or (record.started_at and record.started_at + timings.longest_run)
        if ends_at is not None:
            found.append((ends_at, Due.TIMER_ENDS))
    return found


def next_deadline(state: RoomState, timings: RoomTimings) -> Moment | None:
    """Return when the room changes by time alone next; None when it does not."""
    dues = (next_due(record, timings) for record in state.machines.values())
    return min((due[0] for due in dues if due is not None), default=None)


def decide_tick(state: RoomState, now: Moment, timings: RoomTimings) -> Accepted:
    """Carry out everything that is due at ``now``, machine by machine, the earliest first."""
    changes: list[Change] = []
    for machine in state.machines.values():
        record = machine
        while (due := next_due(record, timings)) is not None and due[0] <= now:
            done = _carry_out(record, *due, now)
            changes.append(done)
            record = done.record
    return Accepted(tuple(changes))


def _carry_out(record: MachineRecord, due_at: Moment, due: Due, now: Moment) -> Change:
    match due:
        case Due.HOLD_ENDS:
            free = record.emptied(Phase.FREE, now)
            return change(record, Cause.HOLD_ENDED, free, *told(record, NoticeKind.HOLD_ENDED))
        case Due.NOT_STARTED:
            free = record.emptied(Phase.FREE, now)
            return change(record, Cause.NOT_STARTED, free, *told(record, NoticeKind.NOT_STARTED))
        case Due.ENDING_SOON:
            return _ending_soon(record, now)
        case Due.TIMER_ENDS:
            return finish(record, due_at, now)


def _ending_soon(record: MachineRecord, now: Moment) -> Change:
    after = replace(record, ending_soon_told=True)
    if record.ends_at is None or record.ends_at <= now:
        return Change(after, None)  # the edge was away: too late to say "soon"
    minutes = math.ceil((record.ends_at - now) / timedelta(minutes=1))
    notices = told(record, NoticeKind.ENDING_SOON, minutes=minutes)
    return change(record, Cause.ENDING_SOON, after, *notices)
