"""Join a room with its code; link another device with a code from one that is joined."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from cloud_relay.api.door import COOKIE
from cloud_relay.api.services import Caller, ClientAddress, MaybeCaller, Relay, Services
from cloud_relay.residents.people import Person
from cloud_relay.residents.tokens import TOKEN_LIFE
from laundryd.daemon.cookies import give_cookie, take_cookie
from laundryd.daemon.openapi import CHANGING, SIGNED_IN, refusals
from laundryd.daemon.problems import ProblemError
from laundryd.wire.bodies import JoinBody, Joined, LinkBody, LinkCode
from laundryd.wire.errors import ErrorCode

router = APIRouter(prefix="/api/v1", tags=["joining"])

WantsToken = Annotated[
    str,
    Header(
        alias="accept",
        description="`application/json; token=1` asks for the token in the answer too: for programs "
        "without a cookie jar.",
    ),
]


@router.post(
    "/join",
    responses=refusals(
        *CHANGING,
        ErrorCode.JOIN_CODE_INVALID,
        ErrorCode.JOIN_CODE_SPENT,
        ErrorCode.RATE_LIMITED,
    ),
)
async def join(
    *,
    body: JoinBody,
    response: Response,
    relay: Relay,
    caller: MaybeCaller,
    address: ClientAddress,
    accept: WantsToken = "",
) -> Joined:
    """Join the room whose code this is; who has a token already joins as who they are."""
    if body.code is None or body.voucher is not None:
        raise ProblemError(
            ErrorCode.INVALID_BODY,
            "Send code alone: vouchers open a room's own page.",
            fields=["body.code"],
        )
    person = await relay.joining.join(
        body.code,
        known=caller.person if caller else None,
        device_name=body.device_name,
        lang=body.lang,
        address=address,
        at=relay.real_now(),
        now_s=relay.clock.monotonic_s(),
    )
    return _joined(relay, response, person, accept)


@router.post("/devices/link-code", responses=refusals(*CHANGING, *SIGNED_IN))
async def make_link_code(relay: Relay, caller: Caller) -> LinkCode:
    """Make a code that links one more device of yours within ten minutes, once."""
    person = caller.person
    code, expires_at = await relay.link_codes.make(person.resident, person.device, relay.real_now())
    return LinkCode(code=code, expires_at=expires_at)


@router.post(
    "/devices/link",
    responses=refusals(*CHANGING, ErrorCode.LINK_CODE_INVALID, ErrorCode.RATE_LIMITED),
)
async def link(
    body: LinkBody,
    response: Response,
    relay: Relay,
    address: ClientAddress,
    accept: WantsToken = "",
) -> Joined:
    """Become one more device of the resident who made the code."""
    person = await relay.joining.link(
        body, address=address, at=relay.real_now(), now_s=relay.clock.monotonic_s()
    )
    return _joined(relay, response, person, accept)


def give_token(relay: Services, response: Response, person: Person) -> str:
    """Make a fresh token and put it into the cookie."""
    token = relay.tokens.issue(person.resident, person.device, relay.real_now())
    secure = relay.settings.http.is_https
    give_cookie(response, COOKIE, token, life_s=int(TOKEN_LIFE.total_seconds()), secure=secure)
    return token


def take_token(relay: Services, response: Response) -> None:
    """Delete the cookie."""
    take_cookie(response, COOKIE, secure=relay.settings.http.is_https)


def _joined(relay: Services, response: Response, person: Person, accept: str) -> Joined:
    token = give_token(relay, response, person)
    wants_token = "token=1" in accept.replace(" ", "").split(";")
    return Joined(
        resident=person.resident,
        device=person.device,
        rooms=sorted(person.rooms),
        token=token if wants_token else None,
    )
