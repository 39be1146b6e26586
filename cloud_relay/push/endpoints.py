"""Which push endpoints we speak to. They are URLs that anybody may hand us: check, then check again.

The text is checked when a subscription is registered and before each send; the addresses that a name
resolves to are checked at each connect (``resolver.py``), because names may change.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

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
_IN_NO_URL: Final = re.compile(r"[\x00-\x20\\\x7f]")


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


def check_endpoint(endpoint: str, hosts: PushHosts) -> str:
    """Return the origin of an endpoint that we may push to, ``https://host``.

    Raises:
        EndpointRefusedError: it is no clean https URL of a known push service.

    """
    if len(endpoint) > ENDPOINT_MAX_CHARS:
        raise EndpointRefusedError(f"it is longer than {ENDPOINT_MAX_CHARS} characters")
    if not endpoint.isascii() or _IN_NO_URL.search(endpoint):
        raise EndpointRefusedError("it has characters that stand in no URL")
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        raise EndpointRefusedError("it is not a URL") from None
    if "@" in parts.netloc:
        raise EndpointRefusedError("it names a user")
    if parts.fragment:
        raise EndpointRefusedError("it has a fragment")
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    if origin in hosts.testing_origins:
        return origin
    return f"https://{_check_public(parts, port, hosts)}"


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
