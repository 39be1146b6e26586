"""Encryption for browsers (RFC 8291), a few messages at a time between the loop's other work.

pywebpush encrypts. Its own sending is not used: it opens a connection each time, has no timeout and follows
redirects. Nor does a thread encrypt: it would hold the interpreter's lock, so nothing ran meanwhile; the
loop got its turn back after the switch interval of 5 ms only, and each message cost a third more.
"""

from __future__ import annotations

import asyncio
import binascii
from collections import deque
from typing import Final

from pywebpush import WebPusher, WebPushException

from cloud_relay.push.subscriptions import Subscription

BATCH: Final = 16
"""Messages of one turn of the loop: some 2 ms. The sockets are looked at once for all of them: with 4 a turn
each push cost a sixth more, with 40 all that wait are written at once and answered at once."""

POINT_BYTES: Final = 65
AUTH_BYTES: Final = 16
"""A browser's public key and its secret (RFC 8291 sections 3.1 and 3.2)."""

_Asked = tuple[bytes, Subscription, "asyncio.Future[bytes]"]


class Sealer:
    """Encrypts what is asked for, in order. ``close`` it."""

    def __init__(self) -> None:
        # The library wants an endpoint, and is given none that it could speak to.
        self._pusher = WebPusher({"endpoint": ""})
        self._asked: deque[_Asked] = deque()
        self._next: asyncio.Handle | None = None
        self._left = BATCH  # of this turn of the loop

    async def seal(self, plaintext: bytes, subscription: Subscription) -> bytes:
        """Encrypt for one browser as one aes128gcm record, with a key pair and a salt of its own.

        Raises:
            ValueError: the subscription's keys are no P-256 point and 16-byte secret.

        """
        loop = asyncio.get_running_loop()
        if self._next is None:
            self._next = loop.call_soon(self._turn)
        if self._left and not self._asked:
            self._left -= 1
            return self.encrypt(plaintext, subscription)
        future: asyncio.Future[bytes] = loop.create_future()
        self._asked.append((plaintext, subscription, future))
        return await future

    def close(self) -> None:
        """Encrypt no more; who still waits is cancelled."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        for _, _, future in self._asked:
            future.cancel()
        self._asked.clear()

    def encrypt(self, plaintext: bytes, subscription: Subscription) -> bytes:
        """Do the same at once: some 150 microseconds.

        Raises:
            ValueError: the subscription's keys are no P-256 point and 16-byte secret.

        """
        try:
            point, auth = _decoded(subscription.p256dh), _decoded(subscription.auth)
            is_whole = (len(point), len(auth)) == (POINT_BYTES, AUTH_BYTES)
            # Set, not given: the library copies and decodes what it is given, for a tenth of the whole.
            self._pusher.receiver_key, self._pusher.auth_key = point, auth
            body = self._pusher.encode(plaintext)["body"] if is_whole else None
        except (WebPushException, ValueError) as error:
            raise ValueError(f"unusable keys ({type(error).__name__})") from None
        if body is None:
            raise ValueError("unusable keys (of another length)")
        return bytes(body)

    def _turn(self) -> None:
        self._next, self._left = None, BATCH
        while self._asked and self._left:
            plaintext, subscription, future = self._asked.popleft()
            if future.done():  # who asked was cancelled
                continue
            self._left -= 1
            try:
                future.set_result(self.encrypt(plaintext, subscription))
            except Exception as error:  # noqa: BLE001 -- it is raised where it was asked for
                future.set_exception(error)
        if self._asked:
            self._next = asyncio.get_running_loop().call_soon(self._turn)


def _decoded(text: str) -> bytes:
    # As base64.urlsafe_b64decode; padding that is too much is left alone (binascii.a2b_base64).
    return binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "==")
