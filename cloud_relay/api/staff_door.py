"""Who asks as staff: a session of their own, which no resident's token takes the place of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from cloud_relay.api.services import Relay, Services
from cloud_relay.staff.people import SESSION_LIFE
from laundryd.daemon.cookies import give_cookie, take_cookie, token_of
from laundryd.daemon.http_guard import headers_of
from laundryd.daemon.problems import ProblemError
from laundryd.wire.errors import ErrorCode

COOKIE: Final = "laundryd_staff"
_COOKIE = APIKeyCookie(
    name=COOKIE, scheme_name="StaffCookie", auto_error=False, description="Set by the sign-in."
)
_BEARER = HTTPBearer(auto_error=False, description="For programs without a cookie jar.")


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Who of the staff asks, and the secret of their session."""

    name: str
    session: str


async def staff_signed_in(
    request: Request,
    relay: Relay,
    _cookie: Annotated[str | None, Security(_COOKIE)],
    _bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> StaffMember:
    """Return who of the staff asks; the two unused parameters put both ways into the OpenAPI document.

    Raises:
        ProblemError: ``staff_only``: no session, one that was revoked, or a resident's token.

    """
    session = token_of(headers_of(request.scope), COOKIE)
    if session is None:
        raise ProblemError(ErrorCode.STAFF_ONLY, "No staff session was sent.")
    name = await relay.staff.of_session(session, relay.real_now())
    if name is None:
        raise ProblemError(
            ErrorCode.STAFF_ONLY, "This is no session of the staff, or it has ended."
        )
    return StaffMember(name, session)


StaffCaller = Annotated[StaffMember, Depends(staff_signed_in)]


def give_session(relay: Services, response: Response, session: str) -> None:
    """Put a session into the cookie."""
    secure = relay.settings.http.is_https
    give_cookie(response, COOKIE, session, life_s=int(SESSION_LIFE.total_seconds()), secure=secure)


def take_session(relay: Services, response: Response) -> None:
    """Delete the cookie."""
    take_cookie(response, COOKIE, secure=relay.settings.http.is_https)
