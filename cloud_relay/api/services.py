"""What the routes work with, and who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CollectorRegistry

from cloud_relay.announce.writing import Announcements
from cloud_relay.api.desk import Commands
from cloud_relay.api.door import COOKIE, RelayDoor, SignedIn
from cloud_relay.notify.planner import Planner
from cloud_relay.push.keys import VapidKeys
from cloud_relay.push.trial import Trial
from cloud_relay.residents.bells import Bells
from cloud_relay.residents.directory import Directory
from cloud_relay.residents.joining import Joining
from cloud_relay.residents.link_codes import LinkCodes
from cloud_relay.residents.people import People
from cloud_relay.residents.preferences import PreferenceStore
from cloud_relay.residents.subscriptions import SubscriptionStore
from cloud_relay.residents.tokens import Tokens
from cloud_relay.rooms.rooms import Rooms
from cloud_relay.rooms.snapshots import Snapshots
from cloud_relay.settings import RelaySettings
from cloud_relay.staff.people import Staff
from laundryd.daemon.clock import Clock
from laundryd.daemon.codes import RateLimit
from laundryd.daemon.cookies import token_of
from laundryd.daemon.http_guard import headers_of
from laundryd.daemon.problems import ProblemError
from laundryd.live.address import caller_address
from laundryd.wire.bodies import FcmWeb


@dataclass(frozen=True, slots=True)
class Services:
    """The relay's rooms as the routes see them.

    ``push_tests`` limits how often a resident sends themselves a test. ``staff_tries``: sign-in links tried,
    by address; ``staff_writes``: announcements, by who writes them. ``announced`` hears that one was
    written, edited or cancelled, ``bells_changed`` that a subscription was renewed or taken away.
    ``vapid_keys``: those of our pushes; ``fcm``: what apps register with for the others, None: there are
    none. ``signed_out`` hears of a
    device whose tokens count no
    more. ``missing`` names what the relay waits for, empty when it is ready. ``metrics``: what this relay
    counts, beside the process's own.
    """

    settings: RelaySettings
    clock: Clock
    door: RelayDoor
    people: People
    preferences: PreferenceStore
    tokens: Tokens
    joining: Joining
    link_codes: LinkCodes
    subscriptions: SubscriptionStore
    bells: Bells
    directory: Directory
    trial: Trial
    push_tests: RateLimit
    rooms: Rooms
    snapshots: Snapshots
    commands: Commands
    planner: Planner
    staff: Staff
    staff_tries: RateLimit
    staff_writes: RateLimit
    announcements: Announcements
    announced: Callable[[], None]
    bells_changed: Callable[[], None]
    vapid_keys: VapidKeys
    fcm: FcmWeb | None
    signed_out: Callable[[str], None]
    missing: Callable[[], list[str]]
    metrics: CollectorRegistry

    def real_now(self) -> datetime:
        """Real time now, for tokens and codes."""
        return self.clock.real_now()


def services_of(request: Request) -> Services:
    """Return the services of the application that a request came to."""
    services = request.app.state.services
    if not isinstance(services, Services):
        raise TypeError("app.state.services was not set by create_app")
    return services


Relay = Annotated[Services, Depends(services_of)]

_COOKIE = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by join and link.")
_BEARER = HTTPBearer(auto_error=False, description="For programs without a cookie jar.")


async def signed_in(
    request: Request,
    relay: Relay,
    _cookie: Annotated[str | None, Security(_COOKIE)],
    _bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> SignedIn:
    """Return who asks; the two unused parameters put both ways into the OpenAPI document."""
    return await relay.door.sign_in(headers_of(request.scope))


async def maybe_signed_in(request: Request, relay: Relay) -> SignedIn | None:
    """Return who asks, or None for somebody without a valid token: they are about to get one."""
    headers = headers_of(request.scope)
    if token_of(headers, COOKIE) is None:
        return None
    try:
        return await relay.door.sign_in(headers)
    except ProblemError:
        return None


def client_address(request: Request, relay: Relay) -> str:
    """Return the address that limits count by: the peer's, or what a trusted proxy says it forwards for."""
    return caller_address(
        request.client.host if request.client else "unknown",
        headers_of(request.scope).get("x-forwarded-for", ""),
        relay.settings.http.trusted_proxies,
    )


Caller = Annotated[SignedIn, Depends(signed_in)]
MaybeCaller = Annotated[SignedIn | None, Depends(maybe_signed_in)]
ClientAddress = Annotated[str, Depends(client_address)]
