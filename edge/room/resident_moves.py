"""What residents may do. Each move takes a command whose phase and owner were checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from edge.room import fault_moves, pickup_moves, watch_moves
from edge.room.decision import Accepted, Decision, Refused, change, told
from edge.room.plug_moves import cycle_runs
from edge.room.records import MachineRecord, RoomState
from edge.room.said import Move, Said
from edge.room.timings import RoomTimings
from laundryd.wire.commands import (
    COMMAND_PHASES,
    MAX_PROGRAMME_MIN,
    CommandName,
    ResidentCommand,
)
from laundryd.wire.errors import ErrorCode
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.times import Moment

_OWNERS_ONLY: Final = frozenset(
    {CommandName.ARRIVE, CommandName.RELEASE, CommandName.EXTEND, CommandName.COMING}
)
"""Words that only the owner may say."""

_ANYBODYS: Final = frozenset(
    {
        CommandName.REQUEST_PICKUP,
        CommandName.MUTE_PICKUP,
        CommandName.UNMUTE_PICKUP,
        CommandName.WATCH,
        CommandName.UNWATCH,
        CommandName.REPORT_FAULT,
    }
)
"""Words that may be said of anybody's machine; all others of one's own, or of one that is nobody's."""


def decide_resident(
    state: RoomState, command: ResidentCommand, now: Moment, timings: RoomTimings
) -> Decision:
    """Carry out a resident's command, or refuse it.

    The order of the checks is the order of the reasons a resident needs: no such machine, somebody
    else's, wrong phase, and then what the command itself demands.
    """
    record = state.machines.get(command.machine)
    if record is None:
        return Refused(ErrorCode.UNKNOWN_MACHINE, f"{command.machine}: no such machine here")
    said = Said(state, record, command, now, timings)
    return _refusal(record, command) or _MOVES[command.name](said)


def _refusal(record: MachineRecord, command: ResidentCommand) -> Refused | None:
    what = f"{record.machine} is {record.phase}"
    is_others = record.owner is not None and record.owner != command.resident
    if is_others and command.name not in _ANYBODYS:
        return Refused(ErrorCode.NOT_YOURS, f"{what} and somebody else's: no {command.name}")
    if record.phase not in COMMAND_PHASES[command.name]:
        return Refused(ErrorCode.ILLEGAL_MOVE, f"{what}: it allows no {command.name}")
    if record.owner is None and command.name in _OWNERS_ONLY:
        return Refused(
            ErrorCode.NOT_YOURS, f"{what} and nobody's: adopt it before you {command.name} it"
        )
    return None


def _claim(said: Said) -> Decision:
    held = said.state.held_by(said.resident, said.record.kind)
    if held is not None:
        return Refused(
            ErrorCode.ALREADY_HOLDING,
            f"{held.machine} is held for you, and one {held.kind} in a room may be: release it",
        )
    after = replace(
        said.record,
        phase=Phase.CLAIMED,
        since=said.now,
        owner=said.resident,
        held_until=said.now + said.timings.hold,
        # A hold that is shorter than the warning would be announced the moment it begins.
        hold_ending_told=said.timings.hold <= said.timings.hold_ending,
    )
    return Accepted((change(said.record, Cause.CLAIMED, after),))


def _arrive(said: Said) -> Decision:
    # "Held 5 min more": on top of what is left, so that arriving early never shortens the hold.
    held_until = (said.record.held_until or said.now) + said.timings.arrive
    after = replace(said.record, phase=Phase.ARRIVED, since=said.now, held_until=held_until)
    return Accepted((change(said.record, Cause.ARRIVED, after),))


def _start(said: Said) -> Decision:
    record, params, now = said.record, said.command.params, said.now
    minutes = params.minutes
    if params.programme is not None:
        if minutes is not None:
            return said.refused(ErrorCode.INVALID_BODY, "give a programme or minutes, not both")
        programme = said.state.programme(params.programme, record.kind)
        if programme is None:
            return said.refused(
                ErrorCode.UNKNOWN_PROGRAMME, f"no {record.kind} here has {params.programme}"
            )
        minutes = programme.minutes
    lasts = None if minutes is None else timedelta(minutes=minutes)
    after = replace(
        record.emptied(Phase.IN_USE, now),
        owner=said.resident,
        started_at=now,
        registered_at=now,
        programme=params.programme,
        ends_at=None if lasts is None else now + lasts,
        # A programme that is shorter than the warning would be announced the moment it starts.
        ending_soon_told=lasts is not None and lasts <= said.timings.ending_soon,
    )
    return Accepted((change(record, Cause.STARTED, after, *told(after, NoticeKind.STARTED)),))


def _adopt(said: Said) -> Decision:
    record = said.record
    if record.owner is not None:
        return said.refused(ErrorCode.ILLEGAL_MOVE, "it is already yours")
    remind_at = said.now + said.timings.remind if record.phase is Phase.FINISHED else None
    after = replace(record, owner=said.resident, remind_at=remind_at)
    return Accepted((change(record, Cause.ADOPTED, after),))


def _extend(said: Said) -> Decision:
    record, now = said.record, said.now
    if said.command.params.minutes is None:
        return said.refused(ErrorCode.INVALID_BODY, "say in `minutes` how much longer")
    more = timedelta(minutes=said.command.params.minutes)
    latest = now + timedelta(minutes=MAX_PROGRAMME_MIN)
    if record.phase is Phase.FINISHED:
        if record.end_is_the_plugs:
            return said.refused(
                ErrorCode.ILLEGAL_MOVE, "its plug saw the end; if it runs again, that is seen too"
            )
        after = replace(
            record.running_again(now), ends_at=now + more, ending_soon_told=_is_soon(said, more)
        )
        return Accepted((change(record, Cause.RESUMED, after),))
    if record.end_is_the_plugs:
        return said.refused(
            ErrorCode.ILLEGAL_MOVE, "its plug knows when it ends and corrects itself"
        )
    ends_at = min(max(record.ends_at or now, now) + more, latest)
    after = replace(
        record,
        ends_at=ends_at,
        # Told of an end that is far now: to be told again. Told of one still near: not twice.
        ending_soon_told=_is_soon(said, ends_at - now)
        and (record.ending_soon_told or record.ends_at is None),
    )
    return Accepted((change(record, Cause.EXTENDED, after),))


def _is_soon(said: Said, left: timedelta) -> bool:
    return left <= said.timings.ending_soon


def _release(said: Said) -> Decision:
    record = said.record
    free = record.emptied(Phase.FREE, said.now)
    given_back = change(record, Cause.RELEASED, free)
    if record.plug_cycle_since is None or record.sensor is not Sensor.OK:
        return Accepted((given_back,))
    # Registered by mistake, and the plug sees it run: it goes on without an owner.
    return Accepted((given_back, cycle_runs(free, record.plug_cycle_since, said.now)))


def _collect(said: Said) -> Decision:
    free = said.record.emptied(Phase.FREE, said.now)
    return Accepted((change(said.record, Cause.COLLECTED, free),))


_MOVES: Final[dict[CommandName, Move]] = {
    CommandName.CLAIM: _claim,
    CommandName.ARRIVE: _arrive,
    CommandName.START: _start,
    CommandName.ADOPT: _adopt,
    CommandName.RELEASE: _release,
    CommandName.COLLECT: _collect,
    CommandName.EXTEND: _extend,
    CommandName.REQUEST_PICKUP: pickup_moves.request_pickup,
    CommandName.COMING: pickup_moves.coming,
    CommandName.MUTE_PICKUP: pickup_moves.mute,
    CommandName.UNMUTE_PICKUP: pickup_moves.unmute,
    CommandName.WATCH: watch_moves.watch,
    CommandName.UNWATCH: watch_moves.unwatch,
    CommandName.REPORT_FAULT: fault_moves.report_fault,
}
