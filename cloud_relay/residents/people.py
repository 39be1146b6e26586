"""Residents, their devices, and the rooms they joined."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import aiosqlite

from cloud_relay.residents.tokens import TOKEN_LIFE
from laundryd.daemon.gathered import Gathered
from laundryd.daemon.sqlite import transaction
from laundryd.wire.ids import DeviceId, ResidentId, RoomKey
from laundryd.wire.notices import Lang
from laundryd.wire.times import to_rfc3339

ID_BYTES: Final = 12
"""96 random bits: ids cannot be guessed and never collide; 16 characters of base64url."""


@dataclass(frozen=True, slots=True)
class Person:
    """A resident on one device, as a valid token names them. ``rooms``: the rooms joined, now."""

    resident: ResidentId
    device: DeviceId
    rooms: frozenset[RoomKey]


class People:
    """The store of residents. Times are real time. Methods named ``*_in`` run in a caller's transaction."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db
        # A whole house may come back in the same second, and a query costs ten times its row.
        self._on_devices = Gathered(self._look_up_devices, missing=None)
        self._rooms = Gathered(self._look_up_rooms, missing=frozenset[RoomKey]())

    async def person(self, resident: ResidentId, device: DeviceId) -> Person | None:
        """Return the person, or None when the device was revoked or never was theirs."""
        person = await self._on_devices.of(device)
        return person if person is not None and person.resident == resident else None

    async def rooms(self, resident: ResidentId) -> frozenset[RoomKey]:
        """Return the rooms that ``resident`` joined; empty also when there is no such resident."""
        return await self._rooms.of(resident)

    async def _look_up_devices(self, devices: Sequence[DeviceId]) -> dict[DeviceId, Person | None]:
        found = await self._db.execute_fetchall(
            "SELECT device, d.resident, room FROM devices d"
            " LEFT JOIN memberships m ON m.resident = d.resident"
            " WHERE device IN (SELECT value FROM json_each(?))",
            (json.dumps(devices),),
        )
        residents = {str(row["device"]): str(row["resident"]) for row in found}
        rooms = _rooms_by((str(row["device"]), row["room"]) for row in found)
        return {
            device: Person(resident, device, rooms.get(device, frozenset()))
            for device, resident in residents.items()
        }

    async def _look_up_rooms(
        self, residents: Sequence[ResidentId]
    ) -> dict[ResidentId, frozenset[RoomKey]]:
        found = await self._db.execute_fetchall(
            "SELECT resident, room FROM memberships"
            " WHERE resident IN (SELECT value FROM json_each(?))",
            (json.dumps(residents),),
        )
        return _rooms_by((str(row["resident"]), row["room"]) for row in found)

    async def lang(self, resident: ResidentId) -> Lang:
        """Return the resident's language; English when there is no such resident."""
        found = await self._db.execute_fetchall(
            "SELECT lang FROM residents WHERE resident = ?", (resident,)
        )
        return next((Lang(row["lang"]) for row in found), Lang.EN)

    async def set_lang(self, resident: ResidentId, lang: Lang) -> None:
        """Keep the resident's language."""
        async with transaction(self._db) as db:
            await db.execute(
                "UPDATE residents SET lang = ? WHERE resident = ?", (lang.value, resident)
            )

    async def add_resident_in(self, lang: Lang, at: datetime) -> ResidentId:
        """Make a resident without rooms or devices."""
        resident = _new_id()
        await self._db.execute(
            "INSERT INTO residents (resident, lang, created_at) VALUES (?, ?, ?)",
            (resident, lang.value, to_rfc3339(at)),
        )
        return resident

    async def add_device_in(self, resident: ResidentId, name: str, at: datetime) -> DeviceId:
        """Give ``resident`` one more device."""
        device = _new_id()
        await self._db.execute(
            "INSERT INTO devices (device, resident, name, created_at) VALUES (?, ?, ?, ?)",
            (device, resident, name, to_rfc3339(at)),
        )
        return device

    async def add_room_in(self, resident: ResidentId, room: RoomKey, at: datetime) -> bool:
        """Let ``resident`` into ``room``; False when they had joined it before."""
        cursor = await self._db.execute(
            "INSERT OR IGNORE INTO memberships (resident, room, joined_at) VALUES (?, ?, ?)",
            (resident, room, to_rfc3339(at)),
        )
        return cursor.rowcount == 1

    async def forget(self, resident: ResidentId, at: datetime) -> list[DeviceId]:
        """Delete a resident with everything of theirs; return the devices that are signed out.

        The devices' ids stay until their last token has run out, so that edges refuse them.
        """
        async with transaction(self._db) as db:
            found = await db.execute_fetchall(
                "SELECT device FROM devices WHERE resident = ?", (resident,)
            )
            devices = [str(row["device"]) for row in found]
            for device in devices:
                await self._revoke_in(resident, device, at)
            await db.execute("DELETE FROM residents WHERE resident = ?", (resident,))
        return devices

    async def revoke(self, resident: ResidentId, device: DeviceId, at: datetime) -> None:
        """Sign one device out, here and in every room; its subscriptions go with it."""
        async with transaction(self._db):
            await self._revoke_in(resident, device, at)

    async def revoked(self, room: RoomKey, at: datetime) -> list[DeviceId]:
        """Return the devices whose tokens ``room`` must still refuse at ``at``, sorted."""
        found = await self._db.execute_fetchall(
            "SELECT device FROM revoked_devices WHERE room = ? AND until > ? ORDER BY device",
            (room, to_rfc3339(at)),
        )
        return [str(row["device"]) for row in found]

    async def _revoke_in(self, resident: ResidentId, device: DeviceId, at: datetime) -> None:
        await self._db.execute(
            "INSERT OR REPLACE INTO revoked_devices (device, room, until) "
            "SELECT d.device, m.room, ? FROM devices d JOIN memberships m ON m.resident = d.resident "
            "WHERE d.device = ? AND d.resident = ?",
            (to_rfc3339(at + TOKEN_LIFE), device, resident),
        )
        await self._db.execute(
            "DELETE FROM devices WHERE device = ? AND resident = ?", (device, resident)
        )


def _rooms_by(rows: Iterable[tuple[str, str | None]]) -> dict[str, frozenset[RoomKey]]:
    """Gather rooms by what stands before them; None is no room."""
    rooms: defaultdict[str, set[RoomKey]] = defaultdict(set)
    for key, room in rows:
        if room is not None:
            rooms[key].add(room)
    return {key: frozenset(theirs) for key, theirs in rooms.items()}


def _new_id() -> str:
    return secrets.token_urlsafe(ID_BYTES)
