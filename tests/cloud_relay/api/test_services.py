from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from fastapi import Request

from cloud_relay.api.services import Services, client_address
from cloud_relay.settings import HttpSettings


def address(peer: str, forwarded: str | None, trusted: list[str]) -> str:
    http = HttpSettings.model_validate(
        {"public_url": "https://laundry.example.org", "trusted_proxies": trusted}
    )
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded is not None else []
    request = Request({"type": "http", "client": (peer, 1), "headers": headers})
    # Only the settings are looked at.
    relay = cast("Services", SimpleNamespace(settings=SimpleNamespace(http=http)))
    return client_address(request, relay)


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("192.0.2.1", None, [], "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", [], "192.0.2.1"),
        ("127.0.0.1", "198.51.100.7", ["127.0.0.1/32"], "198.51.100.7"),
        ("127.0.0.1", "10.9.9.9, 198.51.100.7", ["127.0.0.1/32"], "198.51.100.7"),
        ("127.0.0.1", "198.51.100.7, 10.0.0.2", ["127.0.0.1/32", "10.0.0.0/8"], "198.51.100.7"),
        ("127.0.0.1", "rubbish", ["127.0.0.1/32"], "127.0.0.1"),
        ("127.0.0.1", "", ["127.0.0.1/32"], "127.0.0.1"),
        ("::1", "2001:db8::7", ["::1/128"], "2001:db8::/64"),
        ("2001:db8:0:1:aaaa::7", None, [], "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.1", None, [], "::ffff:192.0.2.1"),
    ],
    ids=[
        "no proxy",
        "a header that anybody could write",
        "one proxy of ours",
        "an entry that the client invented",
        "two proxies of ours",
        "an entry that is no address",
        "an empty header",
        "IPv6",
        "one of the many addresses of a household",
        "IPv4 inside IPv6",
    ],
)
def test_limits_count_by_the_real_client(
    peer: str, forwarded: str | None, trusted: list[str], expected: str
) -> None:
    assert address(peer, forwarded, trusted) == expected
