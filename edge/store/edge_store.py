"""Opens the edge's one database and hands out its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import aiosqlite

from edge.store.documents import Documents
from edge.store.migrations import MIGRATIONS
from edge.store.people import People
from edge.store.room_store import RoomStore
from laundryd.daemon.sqlite import open_database


class EdgeStore:
    """The database's parts: ``room``, ``documents`` and ``people``, over one connection."""

    def __init__(self, db: aiosqlite.Connection, room: RoomStore, *, durable: bool) -> None:
        self._db = db
        self.room = room
        self.documents = Documents(db)
        self.people = People(db)
        self.durable = durable
        """False when it lives in memory and a power cut takes it away."""

    @classmethod
    async def open(cls, path: Path | None) -> Self:
        """Open the file at ``path``, made when missing; None keeps everything in memory.

        Raises:
            laundryd.daemon.sqlite.MigrationError: a newer version wrote the file.
            sqlite3.Error, OSError: it cannot be opened or is no database.

        """
        db = await open_database(path, MIGRATIONS)
        try:
            room = await RoomStore.load(db)
        except BaseException:
            await db.close()
            raise
        return cls(db, room, durable=path is not None)

    async def close(self) -> None:
        """Close the database; what was committed stays."""
        await self._db.close()
