"""The address that limits count a client by, through the reverse proxies that we trust."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

from laundryd.daemon.http_guard import headers_of

Network = IPv4Network | IPv6Network


def client_address(
    request: Request, trusted: Collection[Network], *, household_bits: int | None = None
) -> str:
    """Return the peer's address, or what a proxy in ``trusted`` says it forwards for.

    Of ``X-Forwarded-For`` the last entry that no trusted proxy wrote about another counts; the rest can
    be anybody's invention. Of an IPv6 address its network of ``household_bits`` counts, None: the address.
    """
    peer = request.client.host if request.client else "unknown"
    hops = headers_of(request.scope).get("x-forwarded-for", "").split(",")
    address = peer
    while _is_trusted(address, trusted) and hops:
        hop = hops.pop().strip()
        if _address(hop) is None:
            break
        address = hop
    found = _address(address)
    if household_bits and isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, household_bits), strict=False))
    return address


def _is_trusted(text: str, trusted: Collection[Network]) -> bool:
    address = _address(text)
    return address is not None and any(
        address in network for network in trusted if network.version == address.version
    )


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
