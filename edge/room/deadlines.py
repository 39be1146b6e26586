"""What falls due with time alone: when, and what happens then.

``Tick`` carries out exactly what ``next_due`` names, so the shell that sleeps until the earliest
deadline misses nothing and never wakes in vain.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from edge.room.decision import Accepted, Change, change, told
from edge.room.expected_end import end_passed, ending_soon
from edge.room.plug_moves import finish
from edge.room.records import HELD, MachineRecord, RoomState
from edge.room.timings import RoomTimings
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.times import Moment

REMINDERS_MAX: Final = 3
"""How often the owner of a finished machine is reminded; who did not come then will not be talked into it."""


class Due(Enum):
    """What a deadline brings."""

    HOLD_ENDING = auto()
    HOLD_ENDS = auto()
    NOT_STARTED = auto()
    ENDING_SOON = auto()
    TIMER_ENDS = auto()
    END_PASSED = auto()
    REMINDER = auto()


def next_due(record: MachineRecord, timings: RoomTimings) -> tuple[Moment, Due] | None:
    """Return the earliest deadline of one machine, None when time alone changes nothing about it."""
    found: list[tuple[Moment, Due]] = []
    if record.phase in HELD and record.held_until is not None:
        if record.phase is Phase.CLAIMED and not record.hold_ending_told:
            found.append((record.held_until - timings.hold_ending, Due.HOLD_ENDING))
        found.append((record.held_until, Due.HOLD_ENDS))
    if record.phase is Phase.IN_USE:
        found.extend(_due_in_use(record, timings))
    if record.phase is Phase.FINISHED and record.owner is not None and record.remind_at is not None:
        found.append((record.remind_at, Due.REMINDER))
    return min(found, key=lambda due: due[0], default=None)


def _due_in_use(record: MachineRecord, timings: RoomTimings) -> list[tuple[Moment, Due]]:
    found: list[tuple[Moment, Due]] = []
    plug_listens = record.sensor is Sensor.OK
    if plug_listens and record.registered_at is not None and record.plug_cycle_since is None:
        heard_since = max(record.registered_at, record.sensor_since)
        found.append((heard_since + timings.no_power, Due.NOT_STARTED))
    if (
        record.ends_at is not None
        and record.ends_confidence is None  # else the plug says itself when it is soon
        and not record.ending_soon_told
    ):
        found.append((record.ends_at - timings.ending_soon, Due.ENDING_SOON))
    if plug_listens:
        if record.ends_at is not None:
            found.append((record.ends_at, Due.END_PASSED))
    else:
        # With a plug that works the plug decides; else the timer, even if it is the last resort's.
        ends_at = record.ends_at or (record.started_at and record.started_at + timings.longest_run)
        if ends_at is not None:
            found.append((ends_at, Due.TIMER_ENDS))
    return found


def next_deadline(state: RoomState, timings: RoomTimings) -> Moment | None:
    """Return when the room changes by time alone next; None when it does not."""
    dues = (next_due(record, timings) for record in state.machines.values())
    moments = [due[0] for due in dues if due is not None]
    moments += [watch.ends_at for watch in state.waits.watches]
    return min(moments, default=None)


def decide_tick(state: RoomState, now: Moment, timings: RoomTimings) -> Accepted:
    """Carry out everything that is due at ``now``, machine by machine, the earliest first.

    Turns that passed are the queue's, which every accepted input looks at (``edge.room.watching``).
    """
    changes: list[Change] = []
    for machine in state.machines.values():
        record = machine
        while (due := next_due(record, timings)) is not None and due[0] <= now:
            done = _carry_out(record, *due, now, timings)
            changes.append(done)
            record = done.record
    return Accepted(tuple(changes))


def _carry_out(  # noqa: PLR0911 -- one return a deadline, and nothing else
    record: MachineRecord, due_at: Moment, due: Due, now: Moment, timings: RoomTimings
) -> Change:
    match due:
        case Due.HOLD_ENDING:
            return _hold_ending(record, now)
        case Due.HOLD_ENDS:
            return _freed(record, Cause.HOLD_ENDED, NoticeKind.HOLD_ENDED, due_at, now)
        case Due.NOT_STARTED:
            return _freed(record, Cause.NOT_STARTED, NoticeKind.NOT_STARTED, due_at, now)
        case Due.ENDING_SOON:
            return _ending_soon(record, now)
        case Due.TIMER_ENDS:
            return finish(record, due_at, now, timings)
        case Due.END_PASSED:
            return end_passed(record)
        case Due.REMINDER:
            return _remind(record, now, timings)


def _freed(
    record: MachineRecord, cause: Cause, kind: NoticeKind, due_at: Moment, now: Moment
) -> Change:
    return change(record, cause, record.lost_at(due_at, now), *told(record, kind))


def _hold_ending(record: MachineRecord, now: Moment) -> Change:
    after = replace(record, hold_ending_told=True)
    if record.held_until is None or record.held_until <= now:
        # The edge was away: too late to say "soon".
        return Change(after, None)
    minutes = math.ceil((record.held_until - now) / timedelta(minutes=1))
    notices = told(record, NoticeKind.HOLD_ENDING, minutes=minutes, until=record.held_until)
    return change(record, Cause.HOLD_ENDING, after, *notices)


def _ending_soon(record: MachineRecord, now: Moment) -> Change:
    if record.ends_at is None or record.ends_at <= now:
        # The edge was away: too late to say "soon".
        return Change(replace(record, ending_soon_told=True), None)
    return ending_soon(record, record, record.ends_at, now)


def _remind(record: MachineRecord, now: Moment, timings: RoomTimings) -> Change:
    told_now = record.reminders_told + 1
    # From now on, not from when it was due: an edge that was away does not say all three at once.
    next_at = now + timings.remind if told_now < REMINDERS_MAX else None
    after = replace(record, remind_at=next_at, reminders_told=told_now)
    minutes = max(1, (now - (record.ended_at or record.since)) // timedelta(minutes=1))
    notices = told(record, NoticeKind.REMINDER, minutes=minutes)
    return change(record, Cause.REMINDED, after, *notices)
