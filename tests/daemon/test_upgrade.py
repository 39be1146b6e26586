from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laundryd.daemon import upgrade

# RFC 6455, section 1.3
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def head(*lines: bytes, first: bytes = b"GET /api/v1/live?x=1 HTTP/1.1") -> bytes:
    return b"\r\n".join((first, *lines)) + upgrade.HEAD_END


def request(*lines: bytes) -> upgrade.Request:
    found = upgrade.read_request(head(*lines))
    assert found is not None
    return found


def test_a_request_is_read_with_its_headers() -> None:
    found = request(b"Host: localhost", b"X-Two:  a b\t", b"x-two:c")
    assert (found.path, found.raw_path, found.query) == ("/api/v1/live", b"/api/v1/live", b"x=1")
    assert found.headers == [(b"host", b"localhost"), (b"x-two", b"a b"), (b"x-two", b"c")]
    assert found.values(b"x-two") == [b"a b", b"c"]


@pytest.mark.parametrize(
    "malformed",
    [
        head(first=b"POST / HTTP/1.1"),
        head(first=b"GET / HTTP/1.0"),
        head(first=b"GET  / HTTP/1.1"),
        head(first=b"GET http://evil.example/ HTTP/1.1"),
        head(first="GET /ü HTTP/1.1".encode()),
        head(b"No colon"),
        head(b"Space before : x"),
        head(b"Host: a", b" folded: b"),
        head(b"Nul: \x00"),
        head(b": no name"),
        head(b"Bare: a\nCookie: b"),
    ],
)
def test_what_is_malformed_or_no_get_is_not_read(malformed: bytes) -> None:
    assert upgrade.read_request(malformed) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_not(found: bytes) -> None:
    upgrade.read_request(found)
    upgrade.read_request(head(found))


def test_an_upgrade_is_known_by_both_headers_whatever_their_case() -> None:
    assert upgrade.is_upgrade(request(b"Upgrade: WebSocket", b"Connection: keep-alive, UPGRADE"))
    assert not upgrade.is_upgrade(request(b"Upgrade: websocket"))
    assert not upgrade.is_upgrade(request(b"Connection: upgrade", b"Upgrade: h2c"))


def test_the_key_is_answered_as_the_standard_shows() -> None:
    assert upgrade.accept_key(request(b"Sec-WebSocket-Key: " + KEY)) == ACCEPT


@pytest.mark.parametrize("key", [b"", b"short", b"AAAA", KEY + b"=", b"!" * 24])
def test_a_key_that_is_none_is_not_answered(key: bytes) -> None:
    assert upgrade.accept_key(request(b"Sec-WebSocket-Key: " + key)) is None
    assert upgrade.accept_key(request()) is None


def test_two_keys_are_none() -> None:
    line = b"Sec-WebSocket-Key: " + KEY
    assert upgrade.accept_key(request(line, line)) is None


def test_only_version_13_is_spoken() -> None:
    assert upgrade.is_our_version(request(b"Sec-WebSocket-Version: 13"))
    assert not upgrade.is_our_version(request(b"Sec-WebSocket-Version: 8"))
    assert not upgrade.is_our_version(request())
