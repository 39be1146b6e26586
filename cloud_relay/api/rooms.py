"""A room as it is now, commands to its machines, and a voucher for its own page."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cloud_relay.api.desk import carry_out
from cloud_relay.api.door import SignedIn
from cloud_relay.api.refusals import command_problem
from cloud_relay.api.services import Caller, Relay, Services
from laundryd.daemon.openapi import (
    CHANGING,
    COMMANDED,
    SIGNED_IN,
    CommandPath,
    MachinePath,
    RoomPath,
    refusals,
)
from laundryd.daemon.problems import ProblemError
from laundryd.wire.bodies import CommandBody, Voucher
from laundryd.wire.commands import CommandAnswer, CommandName, CommandParams, ResidentCommand
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import RoomKey
from laundryd.wire.machines import RoomSnapshot

router = APIRouter(prefix="/api/v1/rooms/{room}", tags=["rooms"])

_JOINED = (*SIGNED_IN, ErrorCode.FOREIGN_ROOM, ErrorCode.UNKNOWN_ROOM)


@router.get("", response_model=RoomSnapshot, responses=refusals(*_JOINED, ErrorCode.EDGE_OFFLINE))
async def room_now(room: RoomPath, relay: Relay, caller: Caller) -> Response:
    """Return the whole room, with the position that events go on from."""
    await _require_joined(relay, caller, room)
    encoded = relay.snapshots.encoded(room)
    if encoded is None:
        raise ProblemError(ErrorCode.EDGE_OFFLINE, "It was never heard yet.")
    return Response(encoded, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.post(
    "/machines/{machine}/{command}",
    responses=refusals(
        *CHANGING,
        *_JOINED,
        *COMMANDED,
        ErrorCode.EDGE_OFFLINE,
        ErrorCode.EDGE_TIMEOUT,
    ),
)
async def command_machine(
    *,
    room: RoomPath,
    machine: MachinePath,
    command: CommandPath,
    body: CommandBody,
    relay: Relay,
    caller: Caller,
) -> CommandAnswer:
    """Ask the room to do something with a machine, and wait for its answer.

    `id` is yours to make, new for each wish; sending it again repeats the answer, not the deed.
    """
    await _require_joined(relay, caller, room)
    if command not in set(CommandName):
        raise ProblemError(ErrorCode.UNKNOWN_COMMAND)
    snapshot = relay.rooms.snapshot(room)
    if snapshot is not None and machine not in {view.machine for view in snapshot.machines}:
        raise ProblemError(ErrorCode.UNKNOWN_MACHINE)
    wish = ResidentCommand(
        id=body.id,
        resident=caller.person.resident,
        machine=machine,
        name=CommandName(command),
        params=CommandParams(minutes=body.minutes, programme=body.programme, text=body.text),
    )
    answer = await carry_out(relay.rooms, relay.commands, room, wish, joined=caller.person.rooms)
    if answer.error is not None:
        raise command_problem(answer.error)
    return answer


@router.post("/voucher", responses=refusals(*CHANGING, *_JOINED))
async def voucher(room: RoomPath, relay: Relay, caller: Caller) -> Voucher:
    """Make a token that opens this room's own page, cloud or no cloud, for a month."""
    await _require_joined(relay, caller, room)
    person = caller.person
    token, expires_at = relay.tokens.voucher(person.resident, person.device, room, relay.real_now())
    return Voucher(token=token, local_url=relay.rooms.local_url(room), expires_at=expires_at)


async def _require_joined(relay: Services, caller: SignedIn, room: RoomKey) -> None:
    # ``known`` also reads a room that was enrolled, by another process, since the start.
    if not await relay.rooms.known(room):
        raise ProblemError(ErrorCode.UNKNOWN_ROOM)
    if room not in caller.person.rooms:
        raise ProblemError(ErrorCode.FOREIGN_ROOM)
