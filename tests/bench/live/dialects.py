"""What a client of either server says: the upgrade, the first frame, and how it comes back."""

from __future__ import annotations

import base64
import json
import os
import re
from dataclasses import dataclass
from typing import Final, Protocol

from tests.bench.live.house import EPOCH, room_of

KEPT_BYTES: Final = 128
"""How much of what came last a client keeps: Socket.IO's position stands there."""


def masked(text: str) -> bytes:
    """Frame a client's text with the mask 0 (RFC 6455 section 5.2)."""
    body = text.encode()
    size = len(body)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + bytes(4) + body


def upgrade(path: str, *more: str) -> bytes:
    """Write the request of a WebSocket handshake (RFC 6455 section 4.1)."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *more,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Dialect(Protocol):
    """One server's way of talking. ``welcome`` matches its answer to ``hello``; group 1 names the session."""

    welcome: re.Pattern[bytes]

    def request(self, client: int) -> bytes:
        """Return the request of the handshake."""
        ...

    def hello(self, client: int, session: str | None, ending: bytes, offset: int) -> bytes:
        """Return the client's first frame.

        ``session`` None: it comes for the first time. ``ending``: the last bytes that it was sent.
        ``offset``: that of the last event that it was sent.
        """
        ...


@dataclass(frozen=True)
class Laundryd:
    """Our live protocol."""

    tokens: tuple[str, ...]
    welcome = re.compile(rb'"session_id":"([^"]+)"')

    def request(self, client: int) -> bytes:
        return upgrade("/api/v1/live", f"Authorization: Bearer {self.tokens[client]}")

    def hello(self, client: int, session: str | None, ending: bytes, offset: int) -> bytes:
        del ending
        stands = {"epoch": EPOCH, "offset": offset} if session is not None else None
        frame = {
            "type": "identify",
            "session_id": session,
            "rooms": {room_of(client).key: stands},
            "visible": True,
            "lang": "en",
        }
        return masked(json.dumps(frame))


class SocketIo:
    """Socket.IO 4 over Engine.IO 4, WebSocket only."""

    welcome = re.compile(rb'40\{[^}]*"pid":"([^"]+)"')
    _OFFSET = re.compile(rb'"([^"]+)"\]')

    def request(self, client: int) -> bytes:
        del client
        return upgrade("/socket.io/?EIO=4&transport=websocket")

    def hello(self, client: int, session: str | None, ending: bytes, offset: int) -> bytes:
        del offset
        auth = {"room": room_of(client).key}
        if session is not None:
            found = self._OFFSET.findall(ending)
            if not found:
                raise RuntimeError(f"client {client} was never told where it stands")
            auth |= {"pid": session, "offset": found[-1].decode()}
        return masked("40" + json.dumps(auth))
