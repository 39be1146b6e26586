"""What residents wish to be told: kept in the database, read from memory."""

from __future__ import annotations

from typing import Final

import aiosqlite

from laundryd.daemon.sqlite import transaction
from laundryd.wire.ids import ResidentId
from laundryd.wire.preferences import NoticePreferences

AS_EVER: Final = NoticePreferences()


class PreferenceStore:
    """The wishes of all residents. ``await load()`` first; a process of its own writes nothing here."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db
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

    def forget(self, resident: ResidentId) -> None:
        """Forget a resident whose row was deleted."""
        self._of.pop(resident, None)
