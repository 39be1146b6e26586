"""Residents as staff finds them: by number, by a device's name, by room. Nobody's name is known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import aiosqlite

from laundryd.wire.ids import ResidentId, RoomKey
from laundryd.wire.times import from_rfc3339

_FIND: Final = (
    "SELECT resident, created_at,"
    " (SELECT json_group_array(room) FROM (SELECT room FROM memberships m"
    "  WHERE m.resident = r.resident ORDER BY room)) AS rooms,"
    " (SELECT json_group_array(name) FROM (SELECT name FROM devices d"
    "  WHERE d.resident = r.resident ORDER BY created_at, device)) AS devices,"
    " (SELECT count(*) FROM subscriptions s JOIN devices d ON d.device = s.device"
    "  WHERE d.resident = r.resident) AS bells"
    " FROM residents r"
    " WHERE (?1 IS NULL OR EXISTS (SELECT 1 FROM memberships m"
    "  WHERE m.resident = r.resident AND m.room = ?1))"
    " AND (resident LIKE ?2 || '%' ESCAPE '\\' OR EXISTS (SELECT 1 FROM devices d"
    "  WHERE d.resident = r.resident AND d.name LIKE '%' || ?2 || '%' ESCAPE '\\'))"
    " ORDER BY created_at DESC, resident LIMIT ?3"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One resident. ``devices``: their names, oldest first; ``bells``: subscriptions that ring."""

    resident: ResidentId
    rooms: list[RoomKey]
    joined_at: datetime
    devices: list[str]
    bells: int


class Directory:
    """Looks residents up. Times are real time."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db

    async def find(self, sought: str, room: RoomKey | None, limit: int) -> list[Listed]:
        """Return whose number begins with ``sought``, or who has a device of such a name; newest first.

        Capitals do not matter: a number is told by telephone. ``room`` None: of all rooms. ``sought``
        empty: everybody.
        """
        found = await self._db.execute_fetchall(_FIND, (room, _literally(sought.strip()), limit))
        return [
            Listed(
                resident=row["resident"],
                rooms=json.loads(row["rooms"]),
                joined_at=from_rfc3339(row["created_at"]),
                devices=json.loads(row["devices"]),
                bells=row["bells"],
            )
            for row in found
        ]


def _literally(sought: str) -> str:
    """Return what LIKE takes for ``sought`` itself: ids have underscores."""
    for char in "\\%_":
        sought = sought.replace(char, f"\\{char}")
    return sought
