"""Where a request comes from, as limits count it. Pure."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

HOUSEHOLD_BITS: Final = 64
"""Of an IPv6 address: what one household gets whole (RFC 6177)."""
ADDRESSES_KEPT: Final = 4_096
"""Of which it is known what they are: parsing one took a tenth of a handshake, and a house has few."""


def caller_address(
    peer: str,
    forwarded_for: str,
    trusted: Collection[IPv4Network | IPv6Network],
    *,
    household_bits: int | None = HOUSEHOLD_BITS,
) -> str:
    """Return the address that limits count by: the peer's, or what a trusted proxy says it forwards for.

    ``forwarded_for`` is the header ``X-Forwarded-For``, empty when there is none: its last entry that no
    trusted proxy wrote about another counts; the rest can be anybody's invention. Of an IPv6 address its
    network of ``household_bits`` counts: one household has it whole, and could come from a new address
    every time. None: the address itself, for a network that is a whole house.
    """
    hops = forwarded_for.split(",")
    address = peer
    while _is_trusted(address, trusted) and hops:
        hop = hops.pop().strip()
        if _parsed(hop) is None:
            break
        address = hop
    found = _parsed(address)
    if household_bits and isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, household_bits), strict=False))
    return address


@lru_cache(maxsize=ADDRESSES_KEPT)
def is_this_computer(address: str) -> bool:
    """Say whether ``address`` is of this very computer, behind which anybody may be: a proxy that is silent.

    Also what is no address, a peer at a Unix socket say.
    """
    network = _network(address)
    return network is None or network.is_loopback


def _is_trusted(text: str, trusted: Collection[IPv4Network | IPv6Network]) -> bool:
    address = _parsed(text)
    return address is not None and any(
        address in network for network in trusted if network.version == address.version
    )


@lru_cache(maxsize=ADDRESSES_KEPT)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None
