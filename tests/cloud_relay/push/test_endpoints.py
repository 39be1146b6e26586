from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.push.endpoints import (
    Endpoint,
    EndpointRefusedError,
    PushHosts,
    check_endpoint,
    read_endpoint,
)
from cloud_relay.push.resolver import AddrInfo, PrivateAddressError, PublicResolver, is_public

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


@pytest.mark.parametrize(
    ("endpoint", "read"),
    [
        (
            "https://fcm.googleapis.com/fcm/send/a:b%20c",
            Endpoint("https://fcm.googleapis.com", "fcm.googleapis.com", 443, "/fcm/send/a:b%20c"),
        ),
        (
            "https://WNS2.notify.windows.com:443/w/?token=x&y=%2f",
            Endpoint("https://wns2.notify.windows.com", "wns2.notify.windows.com", 443,
                     "/w/?token=x&y=%2f"),
        ),
        (
            "https://web.push.apple.com",
            Endpoint("https://web.push.apple.com", "web.push.apple.com", 443, "/"),
        ),
        ("http://[::1]:8090/x", Endpoint("http://[::1]:8090", "::1", 8090, "/x", is_tls=False)),
    ],
)  # fmt: skip
def test_an_endpoint_is_taken_apart_and_its_path_is_left_as_it_is(
    endpoint: str, read: Endpoint
) -> None:
    hosts = PushHosts(testing_origins=frozenset({"http://[::1]:8090"}))
    assert read_endpoint(endpoint, hosts) == read
    assert read.target == "/" or read.target not in repr(read), "the path is a secret"


@given(st.text(max_size=60))
def test_nothing_in_an_endpoint_ends_a_line_of_http(text: str) -> None:
    try:
        read = read_endpoint(f"https://web.push.apple.com/{text}", HOSTS)
    except EndpointRefusedError:
        return
    assert read.target.startswith("/")
    assert read.target.isascii()
    assert not any(char <= " " for char in read.target + read.origin)


class Names:
    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def resolve(self, host: str, port: int) -> list[AddrInfo]:
        del host
        self.asked += 1
        await self.may_answer.wait()
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))
            for address in self._addresses
        ]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "2002:a00:1::",  # noqa: S104 -- to be refused
        "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "::127.0.0.1", "2002:e000:1::", "ff0e::1",
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
    assert is_public("64:ff9b::142.250.1.1"), "a network with IPv6 alone reaches push services so"
    assert await PublicResolver(HOSTS, Names("142.250.1.1")).resolve("fcm.googleapis.com", 443)
    testing = PushHosts(testing_origins=frozenset({"http://localhost:9"}))
    assert await PublicResolver(testing, Names("127.0.0.1")).resolve("localhost", 9)


async def test_a_name_server_that_hangs_is_asked_once_for_all_who_wait() -> None:
    names = Names("142.250.1.1")
    names.may_answer.clear()
    resolver = PublicResolver(HOSTS, names)
    waiting = [asyncio.create_task(resolver.resolve("fcm.googleapis.com", 443)) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    names.may_answer.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert (
        found[1] == found[-1] == [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("142.250.1.1", 443))]
    )
    assert names.asked == 1
    await resolver.resolve("fcm.googleapis.com", 443)
    assert names.asked == 2, "at each connect"


async def test_closing_lets_go_of_a_name_server_that_hangs() -> None:
    names = Names()
    names.may_answer.clear()
    resolver = PublicResolver(HOSTS, names)
    waiting = asyncio.create_task(resolver.resolve("fcm.googleapis.com", 443))
    await asyncio.sleep(0)
    await resolver.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
