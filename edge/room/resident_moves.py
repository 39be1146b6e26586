"""What residents may do. Each function takes a command whose phase and owner were checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from edge.room.decision import Accepted, Change, Decision, Refused, change
from edge.room.plug_moves import cycle_runs
from edge.room.records import MachineRecord, RoomState
from edge.room.timings import RoomTimings
from laundryd.wire.commands import COMMAND_PHASES, CommandName, ResidentCommand
from laundryd.wire.errors import ErrorCode
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.times import Moment

_Move = Callable[[MachineRecord, ResidentCommand, Moment, RoomTimings], tuple[Change, ...]]

_OWNERS_ONLY: Final = frozenset({CommandName.ARRIVE, CommandName.RELEASE})
"""Words that only the owner may say; the others may also be said of a machine that is nobody's."""


def decide_resident(
    state: RoomState, command: ResidentCommand, now: Moment, timings: RoomTimings
) -> Decision:
    """Carry out a resident's command, or refuse it.

    The order of the checks is the order of the reasons a resident needs: no such machine, somebody
    else's, wrong phase, one claim too many.
    """
    record = state.machines.get(command.machine)
    if record is None:
        return Refused(ErrorCode.UNKNOWN_MACHINE, f"{command.machine}: no such machine here")
    return _refusal(state, record, command) or Accepted(
        _MOVES[command.name](record, command, now, timings)
    )


def _refusal(state: RoomState, record: MachineRecord, command: ResidentCommand) -> Refused | None:
    what = f"{record.machine} is {record.phase}"
    if record.owner is not None and record.owner != command.resident:
        return Refused(ErrorCode.NOT_YOURS, f"{what} and somebody else's: no {command.name}")
    if record.phase not in COMMAND_PHASES[command.name]:
        return Refused(ErrorCode.ILLEGAL_MOVE, f"{what}: it allows no {command.name}")
    if record.owner is None and command.name in _OWNERS_ONLY:
        return Refused(
            ErrorCode.NOT_YOURS, f"{what} and nobody's: adopt it before you {command.name} it"
        )
    if record.owner is not None and command.name is CommandName.ADOPT:
        return Refused(ErrorCode.ILLEGAL_MOVE, f"{what} and already yours")
    held = state.held_by(command.resident, record.kind)
    if held is not None and command.name is CommandName.CLAIM:
        return Refused(
            ErrorCode.ALREADY_HOLDING,
            f"{held.machine} is held for you, and one {record.kind} in a room may be: release it",
        )
    return None


def _claim(
    record: MachineRecord, command: ResidentCommand, now: Moment, timings: RoomTimings
) -> tuple[Change, ...]:
    after = replace(
        record,
        phase=Phase.CLAIMED,
        since=now,
        owner=command.resident,
        held_until=now + timings.hold,
    )
    return (change(record, Cause.CLAIMED, after),)


def _arrive(
    record: MachineRecord, _command: ResidentCommand, now: Moment, timings: RoomTimings
) -> tuple[Change, ...]:
    # "Held 5 min more": on top of what is left, so that arriving early never shortens the hold.
    held_until = (record.held_until or now) + timings.arrive
    after = replace(record, phase=Phase.ARRIVED, since=now, held_until=held_until)
    return (change(record, Cause.ARRIVED, after),)


def _start(
    record: MachineRecord, command: ResidentCommand, now: Moment, timings: RoomTimings
) -> tuple[Change, ...]:
    minutes = command.params.minutes
    programme = None if minutes is None else timedelta(minutes=minutes)
    after = replace(
        record.emptied(Phase.IN_USE, now),
        owner=command.resident,
        started_at=now,
        registered_at=now,
        ends_at=None if programme is None else now + programme,
        # A programme that is shorter than the warning would be announced the moment it starts.
        ending_soon_told=programme is not None and programme <= timings.ending_soon,
    )
    return (change(record, Cause.STARTED, after),)


def _adopt(
    record: MachineRecord, command: ResidentCommand, _now: Moment, _timings: RoomTimings
) -> tuple[Change, ...]:
    return (change(record, Cause.ADOPTED, replace(record, owner=command.resident)),)


def _release(
    record: MachineRecord, _command: ResidentCommand, now: Moment, _timings: RoomTimings
) -> tuple[Change, ...]:
    free = record.emptied(Phase.FREE, now)
    given_back = change(record, Cause.RELEASED, free)
    if record.plug_cycle_since is None or record.sensor is not Sensor.OK:
        return (given_back,)
    # Registered by mistake, and the plug sees it run: it goes on without an owner.
    return (given_back, cycle_runs(free, record.plug_cycle_since, now))


def _collect(
    record: MachineRecord, _command: ResidentCommand, now: Moment, _timings: RoomTimings
) -> tuple[Change, ...]:
    return (change(record, Cause.COLLECTED, record.emptied(Phase.FREE, now)),)


_MOVES: Final[dict[CommandName, _Move]] = {
    CommandName.CLAIM: _claim,
    CommandName.ARRIVE: _arrive,
    CommandName.START: _start,
    CommandName.ADOPT: _adopt,
    CommandName.RELEASE: _release,
    CommandName.COLLECT: _collect,
}
