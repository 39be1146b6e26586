from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pywebpush import WebPusher

from laundryd.demo.push_client import Phone
from laundryd.demo.push_service import PushService

ANSWER_WITHIN_S = 20.0
DAY_S = 24 * 3600


class Sender:
    """An application server with a VAPID key of its own; signs whatever it is told to."""

    def __init__(self) -> None:
        self.private_key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> str:
        point = self.private_key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()

    def authorization(
        self, *, aud: str, exp: float, sub: str | None = "mailto:ops@example.org"
    ) -> str:
        claims = {"aud": aud, "exp": int(exp)} | ({} if sub is None else {"sub": sub})
        token = jwt.encode(claims, self.private_key, algorithm="ES256")
        return f"vapid t={token}, k={self.public_key}"

    def encrypt(self, phone: Phone, payload: object) -> bytes:
        return bytes(WebPusher(phone.subscription()).encode(json.dumps(payload).encode())["body"])


class Now:
    """A clock that stands still until it is moved, in seconds since 1970."""

    def __init__(self) -> None:
        self.s = 1_795_000_000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def stranger() -> Sender:
    return Sender()


@pytest.fixture
async def push_service(now: Now) -> AsyncIterator[PushService]:
    async with PushService(now_s=now) as service:
        yield service


@pytest.fixture
def phone(push_service: PushService, sender: Sender) -> Phone:
    return push_service.new_phone(sender.public_key)


class Answer:
    """What the service answered."""

    def __init__(self, status: int, headers: Mapping[str, str], text: str) -> None:
        self.status = status
        self.headers = headers
        self.text = text


class Pusher:
    """Pushes over HTTP as a well-behaved application server, but for what the test changes."""

    def __init__(
        self, http: aiohttp.ClientSession, service: PushService, sender: Sender, now: Now
    ) -> None:
        self.http, self.service, self.sender, self.now = http, service, sender, now

    async def push(
        self,
        endpoint: str,
        body: bytes,
        *,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        usual = {
            "Authorization": self.sender.authorization(
                aud=self.service.origin, exp=self.now.s + DAY_S / 2
            ),
            "TTL": "60",
            "Content-Encoding": "aes128gcm",
        }
        sent = {k: v for k, v in {**usual, **(headers or {})}.items() if v is not None}
        async with self.http.post(endpoint, data=body, headers=sent) as answer:
            return Answer(answer.status, answer.headers, await answer.text())

    async def tell(
        self, phone: Phone, payload: object, *, topic: str | None = None, ttl_s: int = 60
    ) -> Answer:
        return await self.push(
            phone.endpoint,
            self.sender.encrypt(phone, payload),
            headers={"Topic": topic, "TTL": str(ttl_s), "Urgency": "high"},
        )


@pytest.fixture
async def pusher(push_service: PushService, sender: Sender, now: Now) -> AsyncIterator[Pusher]:
    limit = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    async with aiohttp.ClientSession(timeout=limit) as http:
        yield Pusher(http, push_service, sender, now)
