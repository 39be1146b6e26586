"""Residents of a room that was never enrolled at a relay: people, devices, join and link codes.

Codes are kept as digests only (``laundryd.daemon.codes.digest``). All times here are real time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import aiosqlite

from edge.store.shelf import Shelf
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

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def set_join_code(self, digest: str, cap: int, expires_at: Moment | None) -> None:
        """Make ``digest`` the room's one join code, for ``cap`` residents; None: it does not expire.

        The same digest again keeps its count, so that a restart gives nothing away.
        """
        expiry = None if expires_at is None else to_rfc3339(expires_at)

        async def set_code(db: aiosqlite.Connection) -> None:
            await db.execute("DELETE FROM join_codes WHERE digest <> ?", (digest,))
            await db.execute(
                "INSERT INTO join_codes (digest, cap, expires_at) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET cap = excluded.cap, expires_at = excluded.expires_at",
                (digest, cap, expiry),
            )

        await self._shelf.write(set_code)

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

        async def let_in(db: aiosqlite.Connection) -> JoinCode:
            rows = await db.execute_fetchall(
                "SELECT cap, used FROM join_codes"
                " WHERE digest = ? AND (expires_at IS NULL OR expires_at > ?)",
                (digest, to_rfc3339(now)),
            )
            for cap, used in rows:
                if used >= cap:
                    return JoinCode.SPENT
                await db.execute(
                    "UPDATE join_codes SET used = used + 1 WHERE digest = ?", (digest,)
                )
                await db.execute(
                    "INSERT INTO residents VALUES (?, ?, ?)", (resident, lang, to_rfc3339(now))
                )
                await _add_device(db, resident, device, device_name, now)
                return JoinCode.TAKEN
            return JoinCode.INVALID

        return await self._shelf.write(let_in)

    async def add_link_code(self, digest: str, resident: ResidentId, expires_at: Moment) -> None:
        """Keep a one-time code of ``resident`` in place of one they made before.

        Raises:
            sqlite3.IntegrityError: no such resident here.

        """

        async def add(db: aiosqlite.Connection) -> None:
            await db.execute("DELETE FROM link_codes WHERE resident = ?", (resident,))
            await db.execute(
                "INSERT INTO link_codes VALUES (?, ?, ?)",
                (digest, resident, to_rfc3339(expires_at)),
            )

        await self._shelf.write(add)

    async def link(
        self, digest: str, device: DeviceId, *, device_name: DeviceName, now: Moment
    ) -> ResidentId | None:
        """Use up a link code for a new device; None when the code is wrong, used or too old."""

        async def use_up(db: aiosqlite.Connection) -> ResidentId | None:
            rows = await db.execute_fetchall(
                "DELETE FROM link_codes WHERE digest = ? RETURNING resident, expires_at", (digest,)
            )
            for resident, expires_at in rows:
                if expires_at <= to_rfc3339(now):
                    return None
                await _add_device(db, str(resident), device, device_name, now)
                return str(resident)
            return None

        return await self._shelf.write(use_up)

    async def device(self, device: DeviceId) -> Device | None:
        """Return the device and whose it is, None when it never joined here."""
        rows = await self._shelf.read(
            "SELECT resident, lang, revoked_at FROM devices JOIN residents"
            " ON residents.id = devices.resident WHERE devices.id = ?",
            (device,),
        )
        if not rows:
            return None
        resident, lang, revoked_at = rows[0]
        return Device(device, resident, Lang(lang), revoked_at is not None)

    async def lang(self, resident: ResidentId) -> Lang:
        """Return the language a resident chose, English when they never did."""
        rows = await self._shelf.read("SELECT lang FROM residents WHERE id = ?", (resident,))
        return Lang(rows[0]["lang"]) if rows else Lang.EN

    async def set_lang(self, resident: ResidentId, lang: Lang, now: Moment) -> None:
        """Keep the language a resident chose; also of one who came with a voucher of the relay."""

        async def set_lang(db: aiosqlite.Connection) -> None:
            await db.execute(
                "INSERT INTO residents VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET lang = excluded.lang",
                (resident, lang, to_rfc3339(now)),
            )

        await self._shelf.write(set_lang)

    async def revoke(self, device: DeviceId, now: Moment) -> None:
        """Shut a device out; the first time counts."""

        async def revoke(db: aiosqlite.Connection) -> None:
            await db.execute(
                "UPDATE devices SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                (to_rfc3339(now), device),
            )

        await self._shelf.write(revoke)


async def _add_device(
    db: aiosqlite.Connection, resident: ResidentId, device: DeviceId, name: DeviceName, now: Moment
) -> None:
    await db.execute(
        "INSERT INTO devices (id, resident, name, created_at) VALUES (?, ?, ?, ?)",
        (device, resident, name, to_rfc3339(now)),
    )
