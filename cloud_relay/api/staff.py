"""Staff: the way in and out; a resident found, why they were not told, and how their bells are."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from cloud_relay.api.me import listed
from cloud_relay.api.services import ClientAddress, Relay, Services
from cloud_relay.api.staff_door import StaffCaller, give_session, take_session
from laundryd.daemon.openapi import CHANGING, refusals
from laundryd.daemon.problems import ProblemError
from laundryd.wire.announcements import StaffMachine, StaffMe, StaffRoom, StaffSignIn
from laundryd.wire.bodies import MyNotices
from laundryd.wire.errors import ErrorCode
from laundryd.wire.staff import FOUND_MAX, SOUGHT_MAX, StaffResident, StaffResidents
from laundryd.wire.subscriptions import MySubscriptions

STAFF: Final = (ErrorCode.STAFF_ONLY,)
router = APIRouter(prefix="/api/v1/staff", tags=["staff"])

# Whatever is asked for: what is no resident's has no notices.
ResidentPath = Annotated[str, Path(description="As their app's menu shows it.")]
Sought = Annotated[
    str,
    Query(
        max_length=SOUGHT_MAX,
        description="How their number begins, or a part of what a device of theirs is called.",
    ),
]
InRoom = Annotated[
    str | None,
    Query(max_length=100, description="Site and room, `maple-hall.basement`. Left out: any."),
]


@router.post(
    "/sign-in",
    responses=refusals(*CHANGING, ErrorCode.STAFF_LINK_INVALID, ErrorCode.RATE_LIMITED),
)
async def staff_sign_in(
    body: StaffSignIn, response: Response, relay: Relay, address: ClientAddress
) -> StaffMe:
    """Sign in with a link that the admin made, once; the session is in an HttpOnly cookie."""
    if (retry_after_s := relay.staff_tries.take(address, relay.clock.monotonic_s())) is not None:
        raise ProblemError(
            ErrorCode.RATE_LIMITED,
            "Too many links were tried from this address.",
            retry_after_s=retry_after_s,
        )
    name, session = await relay.staff.sign_in(body.secret, relay.real_now())
    give_session(relay, response, session)
    return _me(relay, name)


@router.get("/me", responses=refusals(*STAFF))
async def staff_me(response: Response, relay: Relay, caller: StaffCaller) -> StaffMe:
    """Say who is signed in, and which rooms and machines can be addressed."""
    give_session(relay, response, caller.session)
    return _me(relay, caller.name)


@router.delete("/me", status_code=204, responses=refusals(*CHANGING, *STAFF))
async def staff_sign_out(relay: Relay, caller: StaffCaller) -> Response:
    """Sign out on this device."""
    await relay.staff.sign_out(caller.session)
    response = Response(status_code=204)
    take_session(relay, response)
    return response


@router.get("/residents", responses=refusals(*STAFF, ErrorCode.INVALID_BODY))
async def find_residents(
    response: Response,
    relay: Relay,
    _caller: StaffCaller,
    sought: Sought = "",
    room: InRoom = None,
) -> StaffResidents:
    """Find residents by number, device or room; their names nobody here knows."""
    response.headers["Cache-Control"] = "no-store"
    found = await relay.directory.find(sought, room, FOUND_MAX + 1)
    shown = found[:FOUND_MAX]
    untold = await relay.planner.untold_of([one.resident for one in shown])
    return StaffResidents(
        residents=[
            StaffResident(
                resident=one.resident,
                rooms=one.rooms,
                joined_at=one.joined_at,
                devices=one.devices,
                bells=one.bells,
                untold=untold.get(one.resident, 0),
            )
            for one in shown
        ],
        more=len(found) > FOUND_MAX,
    )


@router.get("/residents/{resident}/subscriptions", responses=refusals(*STAFF))
async def bells_of_resident(
    resident: ResidentPath, response: Response, relay: Relay, _caller: StaffCaller
) -> MySubscriptions:
    """List the bells of a resident's devices: when each was seen, and what went wrong last."""
    response.headers["Cache-Control"] = "no-store"
    return MySubscriptions(subscriptions=await relay.bells.of(resident, None))


@router.get("/residents/{resident}/notices", responses=refusals(*STAFF))
async def notices_of_resident(
    resident: ResidentPath, response: Response, relay: Relay, _caller: StaffCaller
) -> MyNotices:
    """List a resident's notices of the last 30 days, and why each was told or not.

    The resident's id says nothing about who they are: they read it in their app and tell it to staff.
    """
    response.headers["Cache-Control"] = "no-store"
    return await listed(relay, resident)


def _me(relay: Services, name: str) -> StaffMe:
    rooms = []
    for key in relay.rooms.enrolled():
        snapshot = relay.rooms.snapshot(key)
        machines = snapshot.machines if snapshot is not None else []
        rooms.append(
            StaffRoom(
                room=key,
                name=relay.rooms.name(key) or key,
                machines=[StaffMachine(machine=one.machine, name=one.name) for one in machines],
            )
        )
    return StaffMe(name=name, rooms=sorted(rooms, key=lambda one: one.room))
