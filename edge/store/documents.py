"""Small JSON documents by name (the roster and its like), and what each machine's detector knows."""

from __future__ import annotations

import aiosqlite

from edge.store.commit import DetectorState
from laundryd.daemon.sqlite import transaction
from laundryd.wire.ids import Slug


class Documents:
    """Named JSON texts; who writes one knows what stands in it."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db

    async def get(self, name: str) -> str | None:
        """Return the document ``name``, None when there is none."""
        return await self._one("SELECT body FROM documents WHERE name = ?", name)

    async def put(self, name: str, body: str) -> None:
        """Keep ``body`` (JSON) as the document ``name``; on disk when this returns."""
        async with transaction(self._db):
            await self._db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?)", (name, body))

    async def remove(self, name: str) -> None:
        """Forget the document ``name``; nothing happens when there is none."""
        async with transaction(self._db):
            await self._db.execute("DELETE FROM documents WHERE name = ?", (name,))

    async def detector(self, machine: Slug) -> str | None:
        """Return what the detector of ``machine`` knew last, None when nothing is kept."""
        return await self._one("SELECT body FROM detectors WHERE machine = ?", machine)

    async def keep_detector(self, state: DetectorState) -> None:
        """Keep a detector's state alone, between signals.

        With a cycle's start or end give it to the writer instead: then signal and state are kept
        together, and a crash repeats neither.
        """
        async with transaction(self._db):
            await self._db.execute(
                "INSERT OR REPLACE INTO detectors VALUES (?, ?)", (state.machine, state.body)
            )

    async def _one(self, query: str, name: str) -> str | None:
        async with self._db.execute(query, (name,)) as cursor:
            row = await cursor.fetchone()
        return None if row is None else str(row["body"])
