from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from cloud_relay.push.endpoints import EndpointRefusedError, PushHosts, check_endpoint
from cloud_relay.push.resolver import PrivateAddressError, PublicResolver, is_public

HOSTS = PushHosts()


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc:def", "https://fcm.googleapis.com"),
        (
            "https://updates.push.services.mozilla.com/wpush/v2/x",
            "https://updates.push.services.mozilla.com",
        ),
        ("https://wns2-am3p.notify.windows.com/w/?token=x", "https://wns2-am3p.notify.windows.com"),
        ("https://web.push.apple.com:443/Q", "https://web.push.apple.com"),
        ("https://FCM.GoogleAPIs.com/fcm/send/x", "https://fcm.googleapis.com"),
    ],
)
def test_endpoints_of_the_known_services_are_accepted(endpoint: str, origin: str) -> None:
    assert check_endpoint(endpoint, HOSTS) == origin


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/send/x",
        "ftp://fcm.googleapis.com/x",
        "https://evil.example/fcm.googleapis.com/",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil-fcm.googleapis.com/x",
        "https://push.apple.com/x",
        "https://evilpush.apple.com/x",
        "https://.push.apple.com/x",
        "https://fcm.googleapis.com./x",
        "https://user@fcm.googleapis.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:port/x",
        "https://fcm.googleapis.com\\@evil.example/x",
        "https://fcm.googleapis.com\n.evil.example/x",
        "https://fcm.googleapis.com/x#fragment",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://2130706433/x",
        "https://fcm。googleapis.com/x",
        "https:///x",
        "",
        "https://fcm.googleapis.com/" + "x" * 3_000,
    ],
)
def test_every_other_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(EndpointRefusedError) as refused:
        check_endpoint(endpoint, HOSTS)
    assert endpoint == "" or endpoint not in str(refused.value), "the endpoint is a secret"


def test_a_testing_origin_is_let_through_exactly() -> None:
    hosts = PushHosts(testing_origins=frozenset({"http://127.0.0.1:8090"}))
    assert check_endpoint("http://127.0.0.1:8090/push/x", hosts) == "http://127.0.0.1:8090"
    for other in ("http://127.0.0.1:8091/x", "https://127.0.0.1:8090/x", "http://127.0.0.1/x"):
        with pytest.raises(EndpointRefusedError):
            check_endpoint(other, hosts)


@given(st.text(max_size=60))
def test_any_text_is_refused_or_leads_to_a_known_host(text: str) -> None:
    for endpoint in (text, f"https://{text}", f"https://{text}.push.apple.com/x"):
        try:
            origin = check_endpoint(endpoint, HOSTS)
        except EndpointRefusedError:
            continue
        assert origin.startswith("https://")
        assert origin.endswith((".push.apple.com", "fcm.googleapis.com", ".com"))


class Names(AbstractResolver):
    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in self._addresses
        ]

    @override
    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "2002:a00:1::",  # noqa: S104 -- to be refused
    ],
)  # fmt: skip
async def test_a_name_that_leads_into_a_private_network_is_refused(address: str) -> None:
    assert not is_public(address)
    resolver = PublicResolver(HOSTS, Names("142.250.1.1", address))
    with pytest.raises(PrivateAddressError):
        await resolver.resolve("fcm.googleapis.com", 443)


async def test_public_addresses_and_testing_hosts_resolve() -> None:
    assert is_public("142.250.1.1")
    assert is_public("2a00:1450:4001::1")
    assert await PublicResolver(HOSTS, Names("142.250.1.1")).resolve("fcm.googleapis.com", 443)
    testing = PushHosts(testing_origins=frozenset({"http://localhost:9"}))
    assert await PublicResolver(testing, Names("127.0.0.1")).resolve("localhost", 9)
