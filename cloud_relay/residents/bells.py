"""A resident's bells: what the owner of push subscriptions reads of them, and takes away."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import aiosqlite

from cloud_relay.residents.subscriptions import REMOVED, note_end_in
from laundryd.daemon.sqlite import transaction
from laundryd.wire.ids import DeviceId, ResidentId
from laundryd.wire.subscriptions import MySubscription, PushFault, SubscriptionId
from laundryd.wire.times import from_rfc3339, to_rfc3339

_OWN: Final = (
    "SELECT s.id, s.device, coalesce(s.name, d.name) AS name, s.created_at, s.seen_at, s.expires_at,"
    " s.sent_at, s.error_kind AS kind, s.error_at AS at, 0 AS lost"
    " FROM subscriptions s JOIN devices d ON d.device = s.device WHERE d.resident = ?1"
    " UNION ALL "
    "SELECT s.id, s.device, coalesce(s.name, d.name), s.created_at, s.seen_at, NULL,"
    " s.sent_at, s.kind, s.lost_at, 1"
    " FROM lost_subscriptions s JOIN devices d ON d.device = s.device WHERE d.resident = ?1"
    " AND s.kind != ?2 ORDER BY 4, 1"
)
_THEIRS: Final = "id = ? AND device IN (SELECT device FROM devices WHERE resident = ?)"


class Bells:
    """Subscriptions as their owner sees them: never an endpoint, never a key. Times are real time."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db

    async def of(self, resident: ResidentId, device: DeviceId | None) -> list[MySubscription]:
        """Return all of the resident's, oldest first; ``device`` is the one that asks, None: staff does."""
        found = await self._db.execute_fetchall(_OWN, (resident, REMOVED))
        return [_bell(row, device) for row in found]

    async def lost_at(self, device: DeviceId) -> datetime | None:
        """Return when the push service forgot the device's subscription; None: it has one, or never had."""
        found = await self._db.execute_fetchall(
            "SELECT max(lost_at) AS at FROM lost_subscriptions WHERE device = ? AND kind != ?",
            (device, REMOVED),
        )
        at = next(iter(found))["at"]
        return None if at is None else from_rfc3339(at)

    async def remove(
        self, resident: ResidentId, subscription: SubscriptionId, at: datetime
    ) -> bool:
        """Take one of the resident's away; False: they have none of that id, whoever else may.

        Its device would send the same one again at its next start: that is remembered for as long as a
        loss is, and refused, until its bell is switched on there.
        """
        async with transaction(self._db) as db:
            found = list(
                await db.execute_fetchall(
                    f"DELETE FROM subscriptions WHERE {_THEIRS} RETURNING *",  # noqa: S608 -- our own text
                    (subscription, resident),
                )
            )
            for row in found:
                await note_end_in(db, row, REMOVED, at)
            cursor = await db.execute(
                f"UPDATE lost_subscriptions SET kind = ?, lost_at = ? WHERE kind != ? AND {_THEIRS}",  # noqa: S608 -- the same
                (REMOVED, to_rfc3339(at), REMOVED, subscription, resident),
            )
            return bool(found) or cursor.rowcount > 0


def _bell(row: aiosqlite.Row, device: DeviceId | None) -> MySubscription:
    return MySubscription(
        id=row["id"],
        name=row["name"],
        here=row["device"] == device,
        created_at=from_rfc3339(row["created_at"]),
        seen_at=from_rfc3339(row["seen_at"]),
        expires_at=None if row["expires_at"] is None else from_rfc3339(row["expires_at"]),
        sent_at=None if row["sent_at"] is None else from_rfc3339(row["sent_at"]),
        fault=None
        if row["kind"] is None
        else PushFault(at=from_rfc3339(row["at"]), kind=row["kind"]),
        lost=bool(row["lost"]),
    )
