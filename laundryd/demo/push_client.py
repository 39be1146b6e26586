"""A phone without a browser: it owns the keys of one push subscription and decrypts what it gets.

The only module of the demo that imports http_ece.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from laundryd.demo.push_mailbox import Mailbox, StoredMessage
from laundryd.demo.vapid_check import base64url_encode

AUTH_SECRET_BYTES = 16
"""The length of a subscription's authentication secret (RFC 8291 section 3.2)."""


class UndecryptableError(Exception):
    """A push came that this phone cannot decrypt: it was encrypted for other keys, or is broken."""


@dataclass(frozen=True, slots=True)
class DecryptedPush:
    """What a phone got. ``payload`` is a dict if it was a JSON object, else the clear bytes.

    ``topic`` is None if the sender gave none; ``received_at`` is aware, UTC, real time.
    """

    payload: dict[str, object] | bytes
    topic: str | None
    ttl_s: int
    urgency: str
    received_at: datetime


class Phone:
    """One subscription with its private key; made by ``PushService.new_phone``, switched on.

    Attributes:
        endpoint: where to push to: a secret, as whoever knows it may push.
        received: every push so far, in order, also those that ``next`` has returned.

    """

    def __init__(self, *, endpoint: str, mailbox: Mailbox, now_s: Callable[[], float]) -> None:
        self.endpoint = endpoint
        self.received: list[DecryptedPush] = []
        self._mailbox = mailbox
        self._now_s = now_s
        self._private_key = ec.generate_private_key(ec.SECP256R1())
        self._auth = secrets.token_bytes(AUTH_SECRET_BYTES)
        self._arrived: asyncio.Queue[DecryptedPush | UndecryptableError] = asyncio.Queue()

    @property
    def p256dh(self) -> str:
        """The public key that senders encrypt for: an uncompressed P-256 point, base64url."""
        point = self._private_key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return base64url_encode(point)

    @property
    def auth(self) -> str:
        """The authentication secret, 16 bytes in base64url."""
        return base64url_encode(self._auth)

    def subscription(self) -> dict[str, object]:
        """Return what a browser's ``PushSubscription.toJSON()`` gives to its page."""
        return {
            "endpoint": self.endpoint,
            "expirationTime": None,
            "keys": {"p256dh": self.p256dh, "auth": self.auth},
        }

    def switch_on(self) -> None:
        """Come back into reach: what waited arrives now."""
        self._mailbox.connect(self._receive, now_s=self._now_s())

    def switch_off(self) -> None:
        """Leave: what is sent waits at the push service, replaced by Topic, dropped by TTL."""
        self._mailbox.disconnect(self._receive)

    async def next(self, timeout_s: float) -> DecryptedPush:
        """Wait for the next push not yet returned; cancelling loses none.

        Raises:
            TimeoutError: none came within ``timeout_s``.
            UndecryptableError: one came that cannot be decrypted.

        """
        try:
            async with asyncio.timeout(timeout_s):
                arrived = await self._arrived.get()
        except TimeoutError:
            raise TimeoutError(
                f"no push reached the phone within {timeout_s} s ({len(self.received)} before)"
            ) from None
        if isinstance(arrived, UndecryptableError):
            raise arrived
        return arrived

    def _receive(self, stored: StoredMessage) -> None:
        # A browser acknowledges what it cannot decrypt as well: sending it again would not help.
        self._mailbox.acknowledge(stored.version)
        try:
            payload = self._decrypt(stored.message.body)
        except UndecryptableError as error:
            self._arrived.put_nowait(error)
            return
        push = DecryptedPush(
            payload=payload,
            topic=stored.message.topic,
            ttl_s=stored.message.ttl_s,
            urgency=stored.message.urgency,
            received_at=datetime.fromtimestamp(self._now_s(), UTC),
        )
        self.received.append(push)
        self._arrived.put_nowait(push)

    def _decrypt(self, body: bytes) -> dict[str, object] | bytes:
        if not body:
            return b""
        try:
            clear: bytes = http_ece.decrypt(
                body, private_key=self._private_key, auth_secret=self._auth, version="aes128gcm"
            )
        except (http_ece.ECEException, ValueError) as error:
            raise UndecryptableError(
                f"a push of {len(body)} bytes cannot be decrypted with this phone's keys"
            ) from error
        try:
            value = json.loads(clear)
        except ValueError:
            return clear
        return value if isinstance(value, dict) else clear
