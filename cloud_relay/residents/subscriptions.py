"""Push subscriptions: one a device and endpoint, whose addresses only the sender reads.

What their owner reads of them is in ``bells.py``.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import aiosqlite

from cloud_relay.push.endpoints import EndpointRefusedError, PushHosts, check_endpoint
from cloud_relay.push.subscriptions import Subscription
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.sqlite import transaction
from laundryd.wire.bodies import SubscriptionBody
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import DeviceId, ResidentId
from laundryd.wire.notices import Lang
from laundryd.wire.times import to_rfc3339

PER_DEVICE_MAX: Final = 5
"""Subscriptions of one device: a browser has one; a renewed one comes before the old one dies."""
ID_BYTES: Final = 12
KEY_BYTES: Final = {"p256dh": 65, "auth": 16}
"""RFC 8291, section 3: an uncompressed point of P-256, and a secret."""
REMOVED: Final = "removed"
"""The kind of an end that its owner wished, on another device; others are what push services answer."""
LOST_KEPT_FOR: Final = timedelta(days=30)
"""How long a device is told that its bell rings no more: as long as the list of its notices goes back."""


class SubscriptionStore:
    """Keeps subscriptions; a ``cloud_relay.push.subscriptions.Subscriptions``. Times are real time."""

    def __init__(self, db: aiosqlite.Connection, hosts: PushHosts) -> None:
        self._db = db
        self._hosts = hosts

    async def put(self, device: DeviceId, body: SubscriptionBody, at: datetime) -> None:
        """Keep a device's subscription; the same endpoint again renews its keys, and when it was seen.

        Past ``PER_DEVICE_MAX`` the one unseen for longest goes: it was left behind by a browser that made
        a new one.

        Raises:
            ProblemError: ``endpoint_refused``: no address of a known push service; ``invalid_body``:
                the keys are not 65 and 16 bytes; ``subscription_dead``: its push service has forgotten it;
                ``subscription_removed``: its owner took it away, on another device.

        """
        try:
            check_endpoint(body.endpoint, self._hosts)
        except EndpointRefusedError as error:
            raise ProblemError(
                ErrorCode.ENDPOINT_REFUSED, f"It was refused: {error}.", fields=["body.endpoint"]
            ) from error
        _check_keys(body)
        async with transaction(self._db) as db:
            await self._refuse_lost_in(device, body.endpoint)
            # The same browser under another name, after it joined anew: it must not be told twice,
            # nor what is for somebody else. The secret shows that it is the same one.
            await db.execute(
                "DELETE FROM subscriptions WHERE endpoint = ? AND auth = ? AND device != ?",
                (body.endpoint, body.keys.auth, device),
            )
            await db.execute(
                "INSERT INTO subscriptions (id, device, endpoint, p256dh, auth, created_at, seen_at, "
                "name, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (device, endpoint) DO UPDATE SET p256dh = excluded.p256dh, "
                "auth = excluded.auth, seen_at = excluded.seen_at, name = excluded.name, "
                "expires_at = excluded.expires_at",
                (
                    secrets.token_urlsafe(ID_BYTES),
                    device,
                    body.endpoint,
                    body.keys.p256dh,
                    body.keys.auth,
                    to_rfc3339(at),
                    to_rfc3339(at),
                    body.name,
                    _expiry(body),
                ),
            )
            if body.replaces is not None and body.replaces != body.endpoint:
                await db.execute(
                    "DELETE FROM subscriptions WHERE device = ? AND endpoint = ?",
                    (device, body.replaces),
                )
            await db.execute(
                "DELETE FROM subscriptions WHERE device = ? AND id NOT IN (SELECT id FROM "
                "subscriptions WHERE device = ? ORDER BY seen_at DESC, rowid DESC LIMIT ?)",
                (device, device, PER_DEVICE_MAX),
            )
            # It rings again: what was lost before is of no interest, to its owner or to us.
            await db.execute("DELETE FROM lost_subscriptions WHERE device = ?", (device,))

    async def remove(self, device: DeviceId) -> None:
        """Delete every subscription of one device, and that one was lost: it is switched off on purpose."""
        async with transaction(self._db) as db:
            await db.execute("DELETE FROM subscriptions WHERE device = ?", (device,))
            await db.execute("DELETE FROM lost_subscriptions WHERE device = ?", (device,))

    async def has(self, device: DeviceId) -> bool:
        """Say whether the device holds a subscription."""
        found = await self._db.execute_fetchall(
            "SELECT 1 FROM subscriptions WHERE device = ? LIMIT 1", (device,)
        )
        return bool(list(found))

    # For the sender.

    async def for_resident(self, resident: ResidentId) -> list[Subscription]:
        """Return every subscription of the resident's devices; reads only."""
        found = await self._db.execute_fetchall(
            "SELECT s.id, s.endpoint, s.p256dh, s.auth, r.lang FROM subscriptions s "
            "JOIN devices d ON d.device = s.device JOIN residents r ON r.resident = d.resident "
            "WHERE r.resident = ? ORDER BY s.created_at, s.rowid",
            (resident,),
        )
        return [
            Subscription(
                id=row["id"],
                endpoint=row["endpoint"],
                p256dh=row["p256dh"],
                auth=row["auth"],
                lang=Lang(row["lang"]),
            )
            for row in found
        ]

    async def lost(self, subscription_id: str, kind: str, at: datetime) -> None:
        """Delete one that its push service does not know any more, and keep that for its owner.

        Unless the same device has a newer one: it rings.
        """
        async with transaction(self._db) as db:
            found = await db.execute_fetchall(
                "DELETE FROM subscriptions WHERE id = ? RETURNING *", (subscription_id,)
            )
            for row in found:
                newer = await db.execute_fetchall(
                    "SELECT 1 FROM subscriptions WHERE device = ? AND seen_at >= ?",
                    (row["device"], row["seen_at"]),
                )
                if not list(newer):
                    await note_end_in(db, row, kind, at)

    async def _refuse_lost_in(self, device: DeviceId, endpoint: str) -> None:
        found = await self._db.execute_fetchall(
            "SELECT kind FROM lost_subscriptions WHERE device = ? AND digest = ?",
            (device, _digest(endpoint)),
        )
        for row in found:
            is_wished = row["kind"] == REMOVED
            raise ProblemError(
                ErrorCode.SUBSCRIPTION_REMOVED if is_wished else ErrorCode.SUBSCRIPTION_DEAD
            )

    async def note_error(self, subscription_id: str, kind: str, at: datetime) -> None:
        """Keep the last error and when it was."""
        async with transaction(self._db) as db:
            await db.execute(
                "UPDATE subscriptions SET error_kind = ?, error_at = ? WHERE id = ?",
                (kind, to_rfc3339(at), subscription_id),
            )

    async def note_sent(self, subscription_id: str, at: datetime) -> None:
        """Keep when its push service last took a message."""
        async with transaction(self._db) as db:
            await db.execute(
                "UPDATE subscriptions SET sent_at = ?, error_kind = NULL, error_at = NULL WHERE id = ?",
                (to_rfc3339(at), subscription_id),
            )


async def note_end_in(
    db: aiosqlite.Connection, row: aiosqlite.Row, kind: str, at: datetime
) -> None:
    """Keep that a subscription, whose deleted ``row`` is given, has ended; forget what is long ago.

    In the caller's transaction.
    """
    await db.execute(
        "INSERT INTO lost_subscriptions (id, device, name, digest, created_at, seen_at, sent_at, kind,"
        " lost_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (row["id"], row["device"], row["name"], _digest(row["endpoint"]), row["created_at"],
         row["seen_at"], row["sent_at"], kind, to_rfc3339(at)),
    )  # fmt: skip
    await db.execute(
        "DELETE FROM lost_subscriptions WHERE lost_at < ?", (to_rfc3339(at - LOST_KEPT_FOR),)
    )


def _digest(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()


def _expiry(body: SubscriptionBody) -> str | None:
    if body.expirationTime is None:
        return None
    return to_rfc3339(datetime.fromtimestamp(body.expirationTime / 1_000, UTC))


def _check_keys(body: SubscriptionBody) -> None:
    for name, length in KEY_BYTES.items():
        text: str = getattr(body.keys, name)
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            raw = b""
        if len(raw) != length:
            raise ProblemError(
                ErrorCode.INVALID_BODY,
                f"keys.{name} is not {length} bytes of base64url.",
                fields=[f"body.keys.{name}"],
            )
