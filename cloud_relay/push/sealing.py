"""Encryption for browsers (RFC 8291), in a thread of its own so that it never holds up the loop.

pywebpush encrypts. Its own sending is not used: it opens a connection each time, has no timeout and follows
redirects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pywebpush import WebPusher, WebPushException

from cloud_relay.push.subscriptions import Subscription

BATCH: Final = 16
"""Messages of one turn of the thread: some 4 ms, less than the interpreter's switch interval."""

POINT_BYTES: Final = 65
AUTH_BYTES: Final = 16
"""A browser's public key and its secret (RFC 8291 sections 3.1 and 3.2)."""

_Asked = tuple[bytes, Subscription, "asyncio.Future[bytes]"]


class Sealer:
    """Encrypts what is asked for at the same time together. ``close`` it; its thread ends then."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="push-encryption")
        self._asked: list[_Asked] = []
        self._task: asyncio.Task[None] | None = None

    async def seal(self, plaintext: bytes, subscription: Subscription) -> bytes:
        """Encrypt for one browser as one aes128gcm record, with a key pair and a salt of its own.

        Raises:
            ValueError: the subscription's keys are no P-256 point and 16-byte secret.

        """
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked.append((plaintext, subscription, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="push encryption")
        return await future

    async def close(self) -> None:
        """End the thread; who still waits is cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        for _, _, future in self._asked:
            future.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._asked:
                batch, self._asked = self._asked[:BATCH], self._asked[BATCH:]
                work = [(plaintext, subscription) for plaintext, subscription, _ in batch]
                sealed = await loop.run_in_executor(self._thread, _seal_all, work)
                for (_, _, future), found in zip(batch, sealed, strict=True):
                    if future.done():  # who asked was cancelled
                        continue
                    if isinstance(found, bytes):
                        future.set_result(found)
                    else:
                        future.set_exception(found)
        finally:
            self._task = None


def encrypt(plaintext: bytes, subscription: Subscription) -> bytes:
    """Encrypt for one browser as one aes128gcm record, with a key pair and a salt of its own.

    Some 200 microseconds.

    Raises:
        ValueError: the subscription's keys are no P-256 point and 16-byte secret.

    """
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    try:
        # The library wants an endpoint, and is given none that it could speak to.
        pusher = WebPusher({"endpoint": "", "keys": keys})
        lengths = len(pusher.receiver_key), len(pusher.auth_key)
        body = pusher.encode(plaintext)["body"] if lengths == (POINT_BYTES, AUTH_BYTES) else None
    except (WebPushException, ValueError, IndexError) as error:
        raise ValueError(f"unusable keys ({type(error).__name__})") from None
    if body is None:
        raise ValueError("unusable keys (of another length)")
    return bytes(body)


def _seal_all(work: Sequence[tuple[bytes, Subscription]]) -> list[bytes | ValueError]:
    return [_sealed(plaintext, subscription) for plaintext, subscription in work]


def _sealed(plaintext: bytes, subscription: Subscription) -> bytes | ValueError:
    try:
        return encrypt(plaintext, subscription)
    except ValueError as error:
        return error
