"""Push subscriptions: one a device and endpoint, known to their own device and to the sender alone."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import aiosqlite

from cloud_relay.push.endpoints import EndpointRefusedError, PushHosts, check_endpoint
from cloud_relay.push.outcomes import Outcome
from cloud_relay.push.subscriptions import Attempted, Subscription
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.sqlite import Statement, execute_all, transaction
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

_SELECT: Final = (
    "SELECT s.id, s.endpoint, s.p256dh, s.auth, s.vapid_key, r.lang FROM subscriptions s"
    " JOIN devices d ON d.device = s.device JOIN residents r ON r.resident = d.resident"
)
_SENT: Final = (
    "UPDATE subscriptions SET sent_at = ?, error_kind = NULL, error_at = NULL WHERE id = ?"
)
_GONE: Final = "DELETE FROM subscriptions WHERE id = ?"
_ERROR: Final = "UPDATE subscriptions SET error_kind = ?, error_at = ? WHERE id = ?"


class SubscriptionStore:
    """Keeps subscriptions; a ``cloud_relay.push.subscriptions.Subscriptions``. Times are real time."""

    def __init__(self, db: aiosqlite.Connection, hosts: PushHosts) -> None:
        self._db = db
        self._hosts = hosts

    async def put(self, device: DeviceId, body: SubscriptionBody, at: datetime) -> None:
        """Keep a device's subscription; the same endpoint again renews its keys.

        Past ``PER_DEVICE_MAX`` the oldest goes: it was left behind by a browser that made a new one.

        Raises:
            ProblemError: ``endpoint_refused``: no address of a known push service; ``invalid_body``:
                the keys are not 65 and 16 bytes.

        """
        try:
            check_endpoint(body.endpoint, self._hosts)
        except EndpointRefusedError as error:
            raise ProblemError(
                ErrorCode.ENDPOINT_REFUSED, f"It was refused: {error}.", fields=["body.endpoint"]
            ) from error
        _check_keys(body)
        async with transaction(self._db) as db:
            # The same browser under another name, after it joined anew: it must not be told twice,
            # nor what is for somebody else. The secret shows that it is the same one.
            await db.execute(
                "DELETE FROM subscriptions WHERE endpoint = ? AND auth = ? AND device != ?",
                (body.endpoint, body.keys.auth, device),
            )
            await db.execute(
                "INSERT INTO subscriptions (id, device, endpoint, p256dh, auth, created_at, vapid_key) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, endpoint) DO UPDATE SET "
                "vapid_key = coalesce(excluded.vapid_key, vapid_key), "
                "p256dh = excluded.p256dh, auth = excluded.auth, created_at = excluded.created_at, "
                "error_kind = NULL, error_at = NULL",
                (
                    secrets.token_urlsafe(ID_BYTES),
                    device,
                    body.endpoint,
                    body.keys.p256dh,
                    body.keys.auth,
                    to_rfc3339(at),
                    body.application_server_key,
                ),
            )
            # A browser has one subscription: under the key before it is not subscribed any more.
            await db.execute(
                "DELETE FROM subscriptions WHERE device = ? AND vapid_key != ?",
                (device, body.application_server_key),
            )
            await db.execute(
                "DELETE FROM subscriptions WHERE device = ? AND id NOT IN (SELECT id FROM "
                "subscriptions WHERE device = ? ORDER BY created_at DESC, rowid DESC LIMIT ?)",
                (device, device, PER_DEVICE_MAX),
            )

    async def remove(self, device: DeviceId) -> None:
        """Delete every subscription of one device."""
        async with transaction(self._db) as db:
            await db.execute("DELETE FROM subscriptions WHERE device = ?", (device,))

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
                "UPDATE subscriptions SET vapid_key = ? WHERE vapid_key IS NULL", (public_key,)
            )

    async def uses(self, public_key: str) -> int:
        """Count the subscriptions made with a key."""
        found = await self._db.execute_fetchall(
            "SELECT count(*) AS n FROM subscriptions WHERE vapid_key = ?", (public_key,)
        )
        return int(next(iter(found))["n"])

    async def forget_key(self, public_key: str) -> None:
        """Delete the subscriptions made with a key: nobody can push to them any more."""
        async with transaction(self._db) as db:
            await db.execute("DELETE FROM subscriptions WHERE vapid_key = ?", (public_key,))

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

    async def attempted(self, db: aiosqlite.Connection, attempts: Sequence[Attempted]) -> None:
        """Note what came of attempts, inside the caller's transaction, in their order.

        Sent: when, and no error any more. Gone: its push service does not know it, so it is deleted.
        """
        statements: list[Statement] = []
        for one in attempts:
            at = to_rfc3339(one.at)
            if one.outcome is Outcome.SENT:
                statements.append((_SENT, [(at, one.subscription)]))
            elif one.outcome is Outcome.GONE:
                statements.append((_GONE, [(one.subscription,)]))
            elif one.outcome in {Outcome.REFUSED, Outcome.LATER}:
                statements.append((_ERROR, [(one.detail, at, one.subscription)]))
        await execute_all(db, statements)


def _subscription(row: aiosqlite.Row) -> Subscription:
    return Subscription(
        id=row["id"],
        endpoint=row["endpoint"],
        p256dh=row["p256dh"],
        auth=row["auth"],
        lang=Lang(row["lang"]),
        vapid_key=row["vapid_key"] or "",
    )


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
