"""Which push endpoints we speak to. They are URLs that anybody may hand us: check, then check again.

The text is checked when a subscription is registered and before each send; the addresses that a name
resolves to are checked at each connect (``resolver.py``), because names may change.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from typing_extensions import override

PUSH_SERVICES: Final = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.notify.windows.com",
    "*.push.apple.com",
)
"""The push services of Chrome, Firefox, Edge and Safari. ``*.`` stands for one label or more."""

ENDPOINT_MAX_CHARS: Final = 2_000
"""The longest endpoint seen has some 700 characters (Windows)."""

HTTPS_PORT: Final = 443
HTTP_PORT: Final = 80
_IN_NO_URL: Final = re.compile(r"[\x00-\x20\\\x7f]")
_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)(.*)")
"""Scheme, authority and the rest, of RFC 3986, appendix B; characters were looked at before."""


class EndpointRefusedError(Exception):
    """An endpoint that we do not push to. The text says why, and never the endpoint itself."""


@dataclass(frozen=True, slots=True)
class PushHosts:
    """The hosts that may be pushed to.

    ``allowed``: full names, or ``*.`` and a suffix. ``testing_origins``: exact origins such as
    ``http://127.0.0.1:8090`` that are let through whatever else they break; the settings refuse any
    of them outside testing.
    """

    allowed: tuple[str, ...] = PUSH_SERVICES
    testing_origins: frozenset[str] = frozenset()

    def allows_private(self, host: str) -> bool:
        """Say whether ``host`` may resolve to an address that is not public: testing only."""
        return any(urlsplit(origin).hostname == host for origin in self.testing_origins)


class Endpoint(NamedTuple):
    """An endpoint that we may push to, taken apart: where to connect, and what to ask for there.

    ``origin``: ``https://host``, what a VAPID token is good for. ``target``: path and query as they stand
    in the endpoint, a secret. ``is_tls`` False: plain http, which only testing origins may be.
    """

    origin: str
    host: str
    port: int
    target: str
    is_tls: bool = True

    @override
    def __repr__(self) -> str:
        return f"Endpoint({self.origin!r})"


def check_endpoint(endpoint: str, hosts: PushHosts) -> str:
    """Return the origin of an endpoint that we may push to, ``https://host``.

    Raises:
        EndpointRefusedError: it is no clean https URL of a known push service.

    """
    return read_endpoint(endpoint, hosts).origin


def read_endpoint(endpoint: str, hosts: PushHosts) -> Endpoint:
    """Take an endpoint apart that we may push to. Nothing in its parts can end a line of HTTP.

    Raises:
        EndpointRefusedError: it is no clean https URL of a known push service.

    """
    if len(endpoint) > ENDPOINT_MAX_CHARS:
        raise EndpointRefusedError(f"it is longer than {ENDPOINT_MAX_CHARS} characters")
    if not endpoint.isascii() or _IN_NO_URL.search(endpoint):
        raise EndpointRefusedError("it has characters that stand in no URL")
    if "#" in endpoint:
        raise EndpointRefusedError("it has a fragment")
    found = _URL.fullmatch(endpoint)
    if found is None:
        raise EndpointRefusedError("it is not a URL")
    scheme, netloc, target = found.groups()
    service = _read_service(scheme.lower(), netloc, hosts)
    return service._replace(target=target if target.startswith("/") else f"/{target}")


@lru_cache(maxsize=1_000)
def _read_service(scheme: str, netloc: str, hosts: PushHosts) -> Endpoint:
    # Kept, as one push after the other goes to the same few services.
    parts = SplitResult(scheme, netloc, "", "", "")
    try:
        port = parts.port
    except ValueError:
        raise EndpointRefusedError("it is not a URL") from None
    if "@" in netloc:
        raise EndpointRefusedError("it names a user")
    origin = f"{scheme}://{netloc}".lower()
    if origin in hosts.testing_origins:
        is_tls = scheme == "https"
        number = port if port is not None else HTTPS_PORT if is_tls else HTTP_PORT
        return Endpoint(origin, parts.hostname or "", number, "/", is_tls=is_tls)
    host = _check_public(parts, port, hosts)
    return Endpoint(f"https://{host}", host, HTTPS_PORT, "/")


def _check_public(parts: SplitResult, port: int | None, hosts: PushHosts) -> str:
    if parts.scheme != "https":
        raise EndpointRefusedError("it is not https")
    host = (parts.hostname or "").lower()
    if _is_address(host):
        raise EndpointRefusedError("it names an address instead of a host")
    if port not in {None, HTTPS_PORT}:
        raise EndpointRefusedError("it names an unusual port")
    if not any(_matches(host, pattern) for pattern in hosts.allowed):
        raise EndpointRefusedError("its host is not a known push service")
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _matches(host: str, pattern: str) -> bool:
    # Label by label: "evil-fcm.googleapis.com" and "push.apple.com.evil.example" are other hosts.
    labels, wanted = host.split("."), pattern.lower().split(".")
    if "" in labels:
        return False
    if wanted[0] != "*":
        return labels == wanted
    suffix = wanted[1:]
    return len(labels) > len(suffix) and labels[-len(suffix) :] == suffix
