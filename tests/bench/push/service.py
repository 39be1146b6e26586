"""A push service over TLS that answers 201 as fast as it can, and checks afterwards what it was sent.

``python -m tests.bench.push.service FOLDER COUNT`` writes ``COUNT`` subscriptions to
``FOLDER/subscriptions.json`` and prints its port. At each line on its standard input it checks what came
since the last one, and prints what it found as JSON.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import http_ece
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typing_extensions import override

from laundryd.demo.certificate import LocalCertificate
from laundryd.demo.vapid_check import base64url_encode, check_vapid

SUBSCRIPTIONS: Final = "subscriptions.json"
SAMPLES: Final = 100
"""Messages that are decrypted and whose sender is checked, of each round."""
CREATED: Final = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nTTL: 600\r\n\r\n"
END_OF_HEAD: Final = b"\r\n\r\n"


@dataclass(frozen=True)
class Keys:
    """The keys of one browser."""

    private: ec.EllipticCurvePrivateKey
    auth: bytes

    @classmethod
    def make(cls) -> Keys:
        return cls(ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16))

    def public(self) -> dict[str, str]:
        point = self.private.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        return {"p256dh": base64url_encode(point), "auth": base64url_encode(self.auth)}


class Post(asyncio.Protocol):
    """One connection: each POST is kept and taken."""

    def __init__(self, kept: list[tuple[bytes, bytes]]) -> None:
        self._kept = kept
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's TLS transport is no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(END_OF_HEAD)) >= 0:
            head = self._buffer[:end]
            length = int(_header(head, b"content-length") or 0)
            start = end + len(END_OF_HEAD)
            if len(self._buffer) < start + length:
                return
            self._kept.append((head, self._buffer[start : start + length]))
            self._buffer = self._buffer[start + length :]
            self._transport.write(CREATED)


def _header(head: bytes, name: bytes) -> str | None:
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.strip().lower() == name:
            return value.strip().decode()
    return None


def check(kept: list[tuple[bytes, bytes]], phones: list[Keys], origin: str) -> dict[str, int]:
    """Return how many came, to how many browsers, and how many of the samples are as they should be."""
    paths = [int(head.split(b" ", 2)[1].rpartition(b"/")[2]) for head, _ in kept]
    good = 0
    for (head, body), path in list(zip(kept, paths, strict=True))[:: max(1, len(kept) // SAMPLES)]:
        phone = phones[path]
        clear = http_ece.decrypt(
            body, private_key=phone.private, auth_secret=phone.auth, version="aes128gcm"
        )
        check_vapid(
            _header(head, b"authorization"),
            origin=origin,
            subscription_key=None,
            now_s=time.time(),
        )
        good += "notification" in json.loads(clear) and _header(head, b"ttl") is not None
    return {"received": len(kept), "browsers": len(set(paths)), "good": good}


async def serve(folder: Path, count: int) -> None:
    kept: list[tuple[bytes, bytes]] = []
    phones = [Keys.make() for _ in range(count)]
    server = await asyncio.get_running_loop().create_server(
        lambda: Post(kept), "127.0.0.1", 0, ssl=LocalCertificate.make(folder).for_server()
    )
    port = server.sockets[0].getsockname()[1]
    origin = f"https://localhost:{port}"
    known = [
        {"endpoint": f"{origin}/push/{number}", "keys": phone.public()}
        for number, phone in enumerate(phones)
    ]
    (folder / SUBSCRIPTIONS).write_text(json.dumps(known))
    print(port, flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        found, kept[:] = list(kept), []
        print(json.dumps(check(found, phones, origin)), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
