"""Push subscriptions: one a device and endpoint, whose addresses only the sender reads.

What their owner reads of them is in ``bells.py``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

import aiosqlite

from cloud_relay.push.endpoints import EndpointRefusedError, PushHosts, check_endpoint
from cloud_relay.push.outcomes import Outcome
from cloud_relay.push.subscriptions import Attempted, Subscription, Way
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.sqlite import Statement, execute_all, transaction
from laundryd.wire.bodies import FcmBody, SubscriptionBody
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import DeviceId, ResidentId
from laundryd.wire.notices import Lang
from laundryd.wire.times import to_rfc3339

log = logging.getLogger(__name__)

PER_DEVICE_MAX: Final = 5
"""Subscriptions of one device: a browser has one; a renewed one comes before the old one dies."""
ID_BYTES: Final = 12
KEY_BYTES: Final = {"p256dh": 65, "auth": 16}
"""RFC 8291, section 3: an uncompressed point of P-256, and a secret."""
REMOVED: Final = "removed"
"""The kind of an end that its owner wished, on another device."""
KEY_DROPPED: Final = "key_dropped"
"""The kind of an end with our old key: its app did not start in all the time that both keys were good.
All other kinds are what push services answer."""
LOST_KEPT_FOR: Final = timedelta(days=30)
"""How long a device is told that its bell rings no more: as long as the list of its notices goes back."""

_SELECT: Final = (
    "SELECT s.id, s.endpoint, s.p256dh, s.auth, s.vapid_key, s.way, r.lang FROM subscriptions s"
    " JOIN devices d ON d.device = s.device JOIN residents r ON r.resident = d.resident"
)
_SENT: Final = (
    "UPDATE subscriptions SET sent_at = ?, error_kind = NULL, error_at = NULL WHERE id = ?"
)
_ERROR: Final = "UPDATE subscriptions SET error_kind = ?, error_at = ? WHERE id = ?"


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
                "name, expires_at, vapid_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (device, endpoint) DO UPDATE SET p256dh = excluded.p256dh, "
                "auth = excluded.auth, seen_at = excluded.seen_at, name = excluded.name, "
                "expires_at = excluded.expires_at, "
                "vapid_key = coalesce(excluded.vapid_key, vapid_key)",
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
                    body.application_server_key,
                ),
            )
            # A browser has one subscription: under the key before, or by FCM, it is none any more.
            await db.execute(
                "DELETE FROM subscriptions WHERE device = ? AND (vapid_key != ? OR way != ?)",
                (device, body.application_server_key, Way.WEB_PUSH),
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

    async def put_fcm(self, device: DeviceId, body: FcmBody, at: datetime) -> None:
        """Keep a device's FCM token; the same one again renews when it was seen.

        It is the only subscription of the device then: a browser that FCM pushes to has no other.

        Raises:
            ProblemError: ``subscription_dead``: FCM has forgotten the token; ``subscription_removed``: its
                owner took it away, on another device.

        """
        async with transaction(self._db) as db:
            await self._refuse_lost_in(device, body.token)
            # Anybody else's row with this very token is the same browser, before it joined anew.
            await db.execute(
                "DELETE FROM subscriptions WHERE (device = ?1) != (way = ?2 AND endpoint = ?3)",
                (device, Way.FCM, body.token),
            )
            await db.execute(
                "INSERT INTO subscriptions (id, device, endpoint, p256dh, auth, created_at, seen_at, "
                "name, way) VALUES (?, ?, ?, '', '', ?, ?, ?, ?) ON CONFLICT (device, endpoint) "
                "DO UPDATE SET seen_at = excluded.seen_at, name = excluded.name",
                (
                    secrets.token_urlsafe(ID_BYTES),
                    device,
                    body.token,
                    to_rfc3339(at),
                    to_rfc3339(at),
                    body.name,
                    Way.FCM,
                ),
            )
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

    # For the keeper of our keys.

    async def adopt(self, public_key: str) -> None:
        """Note this key for the subscriptions that name none."""
        async with transaction(self._db) as db:
            await db.execute(
                "UPDATE subscriptions SET vapid_key = ? WHERE vapid_key IS NULL AND way = ?",
                (public_key, Way.WEB_PUSH),
            )

    async def uses(self, public_key: str) -> int:
        """Count the subscriptions made with a key."""
        found = await self._db.execute_fetchall(
            "SELECT count(*) AS n FROM subscriptions WHERE vapid_key = ?", (public_key,)
        )
        return int(next(iter(found))["n"])

    async def forget_key(self, public_key: str, at: datetime) -> None:
        """Delete the subscriptions made with a key: nobody can push to them any more.

        Each device is asked to switch its bell on again, as after any loss.
        """
        async with transaction(self._db) as db:
            found = await db.execute_fetchall(
                "DELETE FROM subscriptions WHERE vapid_key = ? RETURNING *", (public_key,)
            )
            for row in sorted(found, key=lambda row: str(row["seen_at"]), reverse=True):
                await _note_loss_in(db, row, KEY_DROPPED, at)

    # For the sender.

    async def for_resident(self, resident: ResidentId) -> list[Subscription]:
        """Return every subscription of the resident's devices; reads only."""
        found = await self._db.execute_fetchall(
            f"{_SELECT} WHERE r.resident = ? ORDER BY s.created_at, s.rowid", (resident,)
        )
        return [_subscription(row) for row in found]

    async def by_id(self, ids: Sequence[str]) -> dict[str, Subscription]:
        """Return those of ``ids`` that are still there; reads only."""
        found = await self._db.execute_fetchall(
            f"{_SELECT} WHERE s.id IN (SELECT value FROM json_each(?))",  # noqa: S608 -- our own text
            (json.dumps(list(ids)),),
        )
        return {row["id"]: _subscription(row) for row in found}

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

    async def attempted(self, db: aiosqlite.Connection, attempts: Sequence[Attempted]) -> None:
        """Keep what attempts say of their subscriptions, inside the caller's transaction.

        Sent: when, and no error any more. Refused, or to be tried later: the kind of error, and when.
        Gone: its push service does not know it any more, so it is deleted, and that is kept for its owner.
        """
        statements: list[Statement] = []
        # In their order, as one may be there twice; runs of what was sent, nearly all, are one statement.
        for was_sent, some in groupby(attempts, lambda one: one.outcome is Outcome.SENT):
            if was_sent:
                statements.append((_SENT, [(to_rfc3339(one.at), one.subscription) for one in some]))
            else:
                faults = [
                    (one.detail, to_rfc3339(one.at), one.subscription)
                    for one in some
                    if one.outcome in {Outcome.REFUSED, Outcome.LATER}
                ]
                statements.append((_ERROR, faults))
        if statements:
            await execute_all(db, statements)
        for one in attempts:
            if one.outcome is Outcome.GONE:
                await _lose_in(db, one)

    async def note(self, attempts: Sequence[Attempted]) -> None:
        """Keep the same, in a transaction of its own."""
        async with transaction(self._db) as db:
            await self.attempted(db, attempts)


async def _lose_in(db: aiosqlite.Connection, gone: Attempted) -> None:
    found = await db.execute_fetchall(
        "DELETE FROM subscriptions WHERE id = ? RETURNING *", (gone.subscription,)
    )
    for row in found:
        log.info("push subscription %s is gone and was deleted", gone.subscription)
        await _note_loss_in(db, row, gone.detail, gone.at)


async def _note_loss_in(
    db: aiosqlite.Connection, row: aiosqlite.Row, kind: str, at: datetime
) -> None:
    newer = await db.execute_fetchall(
        "SELECT 1 FROM subscriptions WHERE device = ? AND seen_at >= ?",
        (row["device"], row["seen_at"]),
    )
    # With a newer one the same device rings.
    if not list(newer):
        await note_end_in(db, row, kind, at)


def _subscription(row: aiosqlite.Row) -> Subscription:
    return Subscription(
        id=row["id"],
        endpoint=row["endpoint"],
        p256dh=row["p256dh"],
        auth=row["auth"],
        lang=Lang(row["lang"]),
        vapid_key=row["vapid_key"] or "",
        way=Way(row["way"]),
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
