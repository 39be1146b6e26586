"""What the routes work with, and who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CollectorRegistry

from cloud_relay.api.desk import Commands
from cloud_relay.api.door import COOKIE, RelayDoor, SignedIn, token_of
from cloud_relay.notify.planner import Planner
from cloud_relay.residents.joining import Joining
from cloud_relay.residents.link_codes import LinkCodes
from cloud_relay.residents.people import People
from cloud_relay.residents.preferences import PreferenceStore
from cloud_relay.residents.subscriptions import SubscriptionStore
from cloud_relay.residents.tokens import Tokens
from cloud_relay.rooms.rooms import Rooms
from cloud_relay.settings import RelaySettings
from laundryd.daemon.clock import Clock
from laundryd.daemon.http_guard import headers_of
from laundryd.daemon.problems import ProblemError

HOUSEHOLD_BITS: Final = 64
"""What an IPv6 provider gives one customer at least (RFC 6177)."""


@dataclass(frozen=True, slots=True)
class Services:
    """The relay's rooms as the routes see them.

    ``vapid_key``: the public one, base64url. ``signed_out`` hears of a device whose tokens count no
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
    rooms: Rooms
    commands: Commands
    planner: Planner
    vapid_key: str
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
    if token_of(headers) is None:
        return None
    try:
        return await relay.door.sign_in(headers)
    except ProblemError:
        return None


def client_address(request: Request, relay: Relay) -> str:
    """Return the address that limits count by: the peer's, or what a trusted proxy says it forwards for.

    Of ``X-Forwarded-For`` the last entry that no trusted proxy wrote about another counts; the rest can
    be anybody's invention. Of an IPv6 address its network of 64 bits counts: one household has it whole,
    and could try from a new address every time.
    """
    peer = request.client.host if request.client else "unknown"
    hops = headers_of(request.scope).get("x-forwarded-for", "").split(",")
    address = peer
    while _is_trusted(address, relay) and hops:
        hop = hops.pop().strip()
        if _address(hop) is None:
            break
        address = hop
    found = _address(address)
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, HOUSEHOLD_BITS), strict=False))
    return address


def _is_trusted(text: str, relay: Services) -> bool:
    address = _address(text)
    networks = relay.settings.http.trusted_proxies
    return address is not None and any(
        address in network for network in networks if network.version == address.version
    )


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


Caller = Annotated[SignedIn, Depends(signed_in)]
MaybeCaller = Annotated[SignedIn | None, Depends(maybe_signed_in)]
ClientAddress = Annotated[str, Depends(client_address)]
