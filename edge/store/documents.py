"""Small JSON documents by name (the roster and its like), and what each machine's detector knows."""

from __future__ import annotations

from collections.abc import Sequence

import aiosqlite

from edge.store.commit import DetectorState, LearnedState, write_detector, write_learned
from edge.store.shelf import Shelf
from laundryd.wire.ids import Slug


class Documents:
    """Named JSON texts; who writes one knows what stands in it."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def get(self, name: str) -> str | None:
        """Return the document ``name``, None when there is none."""
        return await self._one("SELECT body FROM documents WHERE name = ?", name)

    async def put(self, name: str, body: str) -> None:
        """Keep ``body`` (JSON) as the document ``name``; on disk when this returns."""

        async def put(db: aiosqlite.Connection) -> None:
            await db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?)", (name, body))

        await self._shelf.write(put)

    async def remove(self, name: str) -> None:
        """Forget the document ``name``; nothing happens when there is none."""

        async def remove(db: aiosqlite.Connection) -> None:
            await db.execute("DELETE FROM documents WHERE name = ?", (name,))

        await self._shelf.write(remove)

    async def detector(self, machine: Slug) -> str | None:
        """Return what the detector of ``machine`` knew last, None when nothing is kept."""
        return await self._one("SELECT body FROM detectors WHERE machine = ?", machine)

    async def keep_detectors(self, states: Sequence[DetectorState]) -> None:
        """Keep some detectors' states alone, between signals, in one write.

        With a cycle's start or end give it to the writer instead: then signal and state are kept
        together, and a crash repeats neither.
        """

        async def keep(db: aiosqlite.Connection) -> None:
            for state in states:
                await write_detector(db, state)

        await self._shelf.write(keep)

    async def learned(self, machine: Slug) -> str | None:
        """Return what the detector of ``machine`` has learned, None when nothing is kept."""
        return await self._one("SELECT body FROM learned WHERE machine = ?", machine)

    async def keep_learned(self, learned: LearnedState) -> None:
        """Keep what a detector learned alone; with a cycle's end give it to the writer instead."""
        await self._shelf.write(lambda db: write_learned(db, learned))

    async def _one(self, query: str, name: str) -> str | None:
        rows = await self._shelf.read(query, (name,))
        return str(rows[0]["body"]) if rows else None
