"""Residents of a room that was never enrolled at a relay: people, devices, join and link codes.

Codes are kept as digests only (``laundryd.daemon.codes.digest``). All times here are real time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import aiosqlite

from laundryd.daemon.sqlite import transaction
from laundryd.wire.bodies import DeviceName
from laundryd.wire.ids import DeviceId, ResidentId
from laundryd.wire.notices import Lang
from laundryd.wire.times import Moment, to_rfc3339


@dataclass(frozen=True, slots=True)
class Device:
    """A joined device and whose it is."""

    device: DeviceId
    resident: ResidentId
    lang: Lang
    revoked: bool


class JoinCode(Enum):
    """What came of a join code."""

    TAKEN = auto()
    INVALID = auto()
    """No such code, or it has expired."""
    SPENT = auto()
    """It has let in as many as it may."""


class People:
    """The room's own residents."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db

    async def set_join_code(self, digest: str, cap: int, expires_at: Moment | None) -> None:
        """Make ``digest`` the room's one join code, for ``cap`` residents; None: it does not expire.

        The same digest again keeps its count, so that a restart gives nothing away.
        """
        expiry = None if expires_at is None else to_rfc3339(expires_at)
        async with transaction(self._db):
            await self._db.execute("DELETE FROM join_codes WHERE digest <> ?", (digest,))
            await self._db.execute(
                "INSERT INTO join_codes (digest, cap, expires_at) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET cap = excluded.cap, expires_at = excluded.expires_at",
                (digest, cap, expiry),
            )

    async def join(
        self,
        digest: str,
        resident: ResidentId,
        device: DeviceId,
        *,
        device_name: DeviceName,
        lang: Lang,
        now: Moment,
    ) -> JoinCode:
        """Let a new resident in with a join code and their first device, all or nothing."""
        async with transaction(self._db):
            async with self._db.execute(
                "SELECT cap, used FROM join_codes"
                " WHERE digest = ? AND (expires_at IS NULL OR expires_at > ?)",
                (digest, to_rfc3339(now)),
            ) as cursor:
                row = await cursor.fetchone()
            if row is None:
                return JoinCode.INVALID
            if row["used"] >= row["cap"]:
                return JoinCode.SPENT
            await self._db.execute(
                "UPDATE join_codes SET used = used + 1 WHERE digest = ?", (digest,)
            )
            await self._db.execute(
                "INSERT INTO residents VALUES (?, ?, ?)", (resident, lang, to_rfc3339(now))
            )
            await self._add_device(resident, device, device_name, now)
        return JoinCode.TAKEN

    async def add_link_code(self, digest: str, resident: ResidentId, expires_at: Moment) -> None:
        """Keep a one-time code of ``resident`` in place of one they made before.

        Raises:
            sqlite3.IntegrityError: no such resident here.

        """
        async with transaction(self._db):
            await self._db.execute("DELETE FROM link_codes WHERE resident = ?", (resident,))
            await self._db.execute(
                "INSERT INTO link_codes VALUES (?, ?, ?)",
                (digest, resident, to_rfc3339(expires_at)),
            )

    async def link(
        self, digest: str, device: DeviceId, *, device_name: DeviceName, now: Moment
    ) -> ResidentId | None:
        """Use up a link code for a new device; None when the code is wrong, used or too old."""
        async with transaction(self._db):
            async with self._db.execute(
                "DELETE FROM link_codes WHERE digest = ? RETURNING resident, expires_at", (digest,)
            ) as cursor:
                row = await cursor.fetchone()
            if row is None or row["expires_at"] <= to_rfc3339(now):
                return None
            resident = str(row["resident"])
            await self._add_device(resident, device, device_name, now)
        return resident

    async def device(self, device: DeviceId) -> Device | None:
        """Return the device and whose it is, None when it never joined here."""
        async with self._db.execute(
            "SELECT resident, lang, revoked_at FROM devices JOIN residents"
            " ON residents.id = devices.resident WHERE devices.id = ?",
            (device,),
        ) as cursor:
            row = await cursor.fetchone()
        if row is None:
            return None
        return Device(device, row["resident"], Lang(row["lang"]), row["revoked_at"] is not None)

    async def lang(self, resident: ResidentId) -> Lang:
        """Return the language a resident chose, English when they never did."""
        async with self._db.execute(
            "SELECT lang FROM residents WHERE id = ?", (resident,)
        ) as cursor:
            row = await cursor.fetchone()
        return Lang.EN if row is None else Lang(row["lang"])

    async def set_lang(self, resident: ResidentId, lang: Lang, now: Moment) -> None:
        """Keep the language a resident chose; also of one who came with a voucher of the relay."""
        async with transaction(self._db):
            await self._db.execute(
                "INSERT INTO residents VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET lang = excluded.lang",
                (resident, lang, to_rfc3339(now)),
            )

    async def revoke(self, device: DeviceId, now: Moment) -> None:
        """Shut a device out; the first time counts."""
        async with transaction(self._db):
            await self._db.execute(
                "UPDATE devices SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                (to_rfc3339(now), device),
            )

    async def _add_device(
        self, resident: ResidentId, device: DeviceId, name: DeviceName, now: Moment
    ) -> None:
        await self._db.execute(
            "INSERT INTO devices (id, resident, name, created_at) VALUES (?, ?, ?, ?)",
            (device, resident, name, to_rfc3339(now)),
        )
