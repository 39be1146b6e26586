"""What residents wish to be told: kept in the database, read from memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import aiosqlite

from laundryd.daemon.sqlite import transaction
from laundryd.wire.ids import ResidentId, RoomKey
from laundryd.wire.notices import NOTICES, NoticeKind
from laundryd.wire.preferences import Choice, NoticePreferences

AS_EVER: Final = NoticePreferences()


class PreferenceStore:
    """The wishes of all residents. ``await load()`` first; a process of its own writes nothing here.

    ``on_changed`` hears that somebody's are other ones: their rooms' rosters name what they decline.
    """

    def __init__(
        self, db: aiosqlite.Connection, on_changed: Callable[[], None] = lambda: None
    ) -> None:
        self._db = db
        self._on_changed = on_changed
        self._of: dict[ResidentId, NoticePreferences] = {}

    async def load(self) -> None:
        """Read everybody's: some hundred bytes each, of those who wished something."""
        found = await self._db.execute_fetchall("SELECT resident, wishes FROM preferences")
        self._of = {
            row["resident"]: NoticePreferences.model_validate_json(row["wishes"]) for row in found
        }

    def of(self, resident: ResidentId) -> NoticePreferences:
        """Return the resident's wishes; those of somebody who wished nothing if there are none."""
        return self._of.get(resident, AS_EVER)

    async def put(self, resident: ResidentId, wishes: NoticePreferences) -> None:
        """Keep the resident's wishes; those before are gone."""
        async with transaction(self._db) as db:
            await db.execute(
                "INSERT INTO preferences (resident, wishes) VALUES (?, ?)"
                " ON CONFLICT (resident) DO UPDATE SET wishes = excluded.wishes",
                (resident, wishes.model_dump_json()),
            )
        self._of[resident] = wishes
        self._on_changed()

    async def declined_in(self, room: RoomKey) -> dict[ResidentId, list[NoticeKind]]:
        """Return which members of ``room`` wish to be told nothing of which kinds that may be turned off."""
        found = await self._db.execute_fetchall(
            "SELECT m.resident, choice.key AS kind FROM memberships m"
            " JOIN preferences p ON p.resident = m.resident, json_each(p.wishes, '$.choices') choice"
            " WHERE m.room = ? AND choice.value = ?",
            (room, Choice.NOTHING),
        )
        declined: dict[ResidentId, list[NoticeKind]] = {}
        for row in found:
            kind = NoticeKind(row["kind"])
            if NOTICES[kind].may_turn_off:
                declined.setdefault(row["resident"], []).append(kind)
        return declined

    def forget(self, resident: ResidentId) -> None:
        """Forget a resident whose row was deleted."""
        self._of.pop(resident, None)
