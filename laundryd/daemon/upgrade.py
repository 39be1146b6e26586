"""The opening handshake of a WebSocket (RFC 6455 section 4.2), from the bytes of a request. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

HEAD_MAX_BYTES: Final = 16_384
"""A request's head: a token and some cookies need less than 2 KiB; HTTP servers allow 8 to 64 KiB."""
HEAD_END: Final = b"\r\n\r\n"
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSION: Final = b"13"
_KEY_BYTES: Final = 16
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_VALUES: Final = re.compile(rb"[\x00\r\n]")

RawHeaders = list[tuple[bytes, bytes]]
"""As ASGI has them: names in lower case."""


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a GET request. ``target``: path and query as they were sent."""

    target: bytes
    headers: RawHeaders

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(self.raw_path.decode("ascii", errors="replace"))

    @property
    def raw_path(self) -> bytes:
        """The path as it was sent."""
        return self.target.partition(b"?")[0]

    @property
    def query(self) -> bytes:
        """The query as it was sent; empty without one."""
        return self.target.partition(b"?")[2]

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of a header, in order."""
        return [value for key, value in self.headers if key == name]

    def tokens(self, name: bytes) -> set[bytes]:
        """Return the comma-separated words of a header, in lower case (RFC 9110 section 5.6.1)."""
        words = (word.strip().lower() for value in self.values(name) for word in value.split(b","))
        return {word for word in words if word}


def read_request(head: bytes) -> Request | None:
    """Read a whole head, up to and with its empty line; None: not a GET of HTTP/1.1, or malformed."""
    first, *lines = head.removesuffix(HEAD_END).split(b"\r\n")
    match first.split(b" "):
        case [b"GET", target, b"HTTP/1.1"] if target.startswith(b"/") and target.isascii():
            headers: RawHeaders = []
            for line in lines:
                name, colon, value = line.partition(b":")
                if not colon or not _NAME.fullmatch(name) or _NOT_IN_VALUES.search(value):
                    return None
                headers.append((name.lower(), value.strip(b" \t")))
            return Request(target, headers)
        case _:
            return None


def is_upgrade(request: Request) -> bool:
    """Say whether the client asks for a WebSocket at all."""
    return b"websocket" in request.tokens(b"upgrade") and b"upgrade" in request.tokens(
        b"connection"
    )


def accept_key(request: Request) -> bytes | None:
    """Return ``Sec-WebSocket-Accept`` (section 4.2.2); None: the client's key is missing or malformed."""
    keys = request.values(b"sec-websocket-key")
    try:
        if len(keys) != 1 or len(base64.b64decode(keys[0], validate=True)) != _KEY_BYTES:
            return None
    except binascii.Error:
        return None
    digest = hashlib.sha1(keys[0] + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest)


def is_our_version(request: Request) -> bool:
    """Say whether the client speaks version 13, the only one."""
    return request.values(b"sec-websocket-version") == [_VERSION]


def switching(key: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write the answer that accepts; ``key`` is from ``accept_key``."""
    return _head(
        HTTPStatus.SWITCHING_PROTOCOLS,
        [
            (b"Upgrade", b"websocket"),
            (b"Connection", b"Upgrade"),
            (b"Sec-WebSocket-Accept", key),
            *headers,
        ],
    )


def refusal(status: int, headers: Iterable[tuple[bytes, bytes]] = (), body: bytes = b"") -> bytes:
    """Write an answer that does not accept; the connection ends with it."""
    length = str(len(body)).encode()
    more = [(b"Content-Length", length), (b"Connection", b"close"), *headers]
    return _head(HTTPStatus(status), more) + body


def _head(status: HTTPStatus, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    lines = [b"HTTP/1.1 %d %s" % (status.value, status.phrase.encode())]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join(lines) + HEAD_END
