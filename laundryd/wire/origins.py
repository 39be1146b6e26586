"""Whose name and whose page a request bears, and what it shows by hand: the same over HTTP and WebSocket."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

_BEARER: Final = "bearer"
_WEB: Final = frozenset({"http", "https"})
ANY_HOST: Final = "*"
"""In a list of hosts: any name, for a server behind a proxy that checks by itself."""


def shown_by_hand(headers: Mapping[str, str]) -> str | None:
    """Return the token of ``Authorization: Bearer``, which may be empty; None without one.

    ``headers`` have names in lower case; the scheme's is compared without case (RFC 9110 section 11.1).
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == _BEARER else None


def knows_host(host: str, allowed: Collection[str]) -> bool:
    """Say whether a Host header is one of ``allowed``: ``name``, with any port, or ``name:port``, lower case.

    Any other could be a foreign name rebound to our address. An empty one is nobody's.
    """
    host = host.lower()
    name, _, port = host.rpartition(":")
    return bool(host) and (
        ANY_HOST in allowed or host in allowed or (port.isdecimal() and name in allowed)
    )


def is_our_page(origin: str, host: str, further: Collection[str]) -> bool:
    """Say whether a page of ``origin`` is one that the server, reached as ``host``, served.

    ``further``: origins of other servers whose pages may ask, too.
    """
    if origin in further:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:  # an unfinished IPv6 address, say
        return False
    return parts.scheme in _WEB and parts.netloc.lower() == host.lower()
