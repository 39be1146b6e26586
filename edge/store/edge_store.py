"""Opens the edge's one database and hands out its parts."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn, Self

import aiosqlite

from edge.store.disk import open_on_disk, salvage
from edge.store.documents import Documents
from edge.store.limits import (
    EMPTY_LOG_EVERY_S,
    FREE_TO_RETURN_BYTES,
    RETURN_EVERY_MAX_S,
    RETURN_EVERY_S,
)
from edge.store.migrations import MIGRATIONS
from edge.store.people import People
from edge.store.room_store import RoomStore
from edge.store.shelf import Shelf
from edge.store.witness import Witness, is_older
from laundryd.daemon.sqlite import MigrationError, disk_trouble, free_bytes, open_database
from laundryd.wire.ids import Position

log = logging.getLogger("laundryd.edge.store")

BEAT_S: Final = 10.0
"""Real seconds after which the loop goes round at the latest, to show that it lives."""


class EdgeStore:
    """The database's parts: ``room``, ``documents`` and ``people``, over one connection."""

    def __init__(
        self,
        shelf: Shelf,
        room: RoomStore,
        max_bytes: int | None = None,
        *,
        witness: Witness | None = None,
    ) -> None:
        self.shelf = shelf
        self.room = room
        self.documents = Documents(shelf)
        self.people = People(shelf)
        self.with_return: Callable[[], object] = lambda: None
        """Writes what must be on the disk too before the store goes back to it; blocks, raises OSError."""
        self._max_bytes = max_bytes
        self._witness = witness
        shelf.on_moved.append(self._note)
        room.on_head = self._note

    @property
    def durable(self) -> bool:
        """False when it lives in memory and a power cut takes it away."""
        return self.shelf.path is not None and self.shelf.trouble is None

    @property
    def trouble(self) -> str | None:
        """What is wrong with the database, for staff ("its disk is full"); None when nothing is."""
        return self.shelf.trouble

    @classmethod
    async def open(cls, path: Path | None) -> Self:
        """Open the file at ``path``, made when missing; None keeps everything in memory.

        Raises:
            laundryd.daemon.sqlite.MigrationError: a newer version wrote the file.
            sqlite3.Error, OSError: it cannot be opened or is no database.

        """
        return await cls._of(Shelf(await open_database(path, MIGRATIONS), path))

    @classmethod
    async def take_up(cls, path: Path, max_bytes: int | None = None) -> Self:
        """Open the file at ``path`` for the room's daemon, which must work whatever state its disk is in.

        A damaged file is moved aside and a new one begun; one that was restored from a backup begins a
        new epoch; where nothing can be written, everything is
        kept in memory under a new epoch, ``trouble`` says why, and ``run`` goes back to the disk later.
        ``max_bytes``: the file never grows past it; None: it may fill the disk.

        Raises:
            laundryd.daemon.sqlite.MigrationError: a newer version wrote the file.
            sqlite3.Error: another process holds the file.

        """
        try:
            shelf = Shelf(await open_on_disk(path, max_bytes), path)
        except (sqlite3.Error, OSError) as error:
            trouble = disk_trouble(error, path)
            if trouble is None:
                raise
            shelf = await _in_memory(path, trouble)
            log.error(  # noqa: TRY400 -- the finding is the message
                "the room's database %s cannot be used (%s: %s): going on in memory, a power cut now "
                "forgets what happens; free or mend the disk, then the room goes back by itself",
                path,
                trouble,
                error,
            )
        store = await cls._of(shelf, max_bytes, witness=Witness(path))
        if store.durable and is_older(path, store.room.head.position):
            await store.room.new_epoch("the database is older than the room was: it was restored")
        store.room.on_head(store.room.head.position)
        return store

    @classmethod
    async def _of(
        cls, shelf: Shelf, max_bytes: int | None = None, *, witness: Witness | None = None
    ) -> Self:
        try:
            room = await RoomStore.load(shelf, begins_run=witness is not None)
        except BaseException:
            await shelf.close()
            raise
        return cls(shelf, room, max_bytes, witness=witness)

    async def run(self, beat: Callable[[], None] = lambda: None) -> NoReturn:
        """Go back to the disk as soon as it is well again, and keep its log short, until cancelled."""
        pause_s, waited_s, since_emptied_s = RETURN_EVERY_S, 0.0, 0.0
        while True:
            beat()
            step_s = min(BEAT_S, pause_s)
            await asyncio.sleep(step_s)
            since_emptied_s += step_s
            if since_emptied_s >= EMPTY_LOG_EVERY_S:
                since_emptied_s = 0.0
                await self.shelf.empty_log()
            waited_s = waited_s + step_s if self.trouble is not None else 0.0
            if self.trouble is None:
                pause_s = RETURN_EVERY_S
            elif waited_s >= pause_s:
                waited_s = 0.0
                if not await self.back_to_disk():
                    pause_s = min(2 * pause_s, RETURN_EVERY_MAX_S)

    async def leave_disk(self, error: OSError) -> None:
        """Go on in memory because something beside the database cannot be kept; ``run`` goes back."""
        await self.shelf.leave_disk(error)

    async def back_to_disk(self) -> bool:
        """Try to go back to the disk under a new epoch; False when ``trouble`` still stands."""
        path = self.shelf.path
        if path is None or self.shelf.trouble is None:
            return False
        needed, free = await self._memory_bytes(), free_bytes(path)
        if self._max_bytes is not None and needed > self._max_bytes:
            return False  # each try would wear the disk for nothing
        if free is not None and free < FREE_TO_RETURN_BYTES + 2 * needed:
            return False
        try:
            await asyncio.to_thread(self.with_return)
            disk = await open_on_disk(path, self._max_bytes)
        except (sqlite3.Error, OSError, MigrationError) as error:
            self.shelf.trouble = disk_trouble(error, path) or str(error)
            return False
        try:
            await self.shelf.back_to(disk)
        except (sqlite3.Error, OSError) as error:
            await disk.close()
            self.shelf.trouble = disk_trouble(error, path) or str(error)
            log.warning("the disk takes the room not back yet: %s", error)
            return False
        except BaseException:
            await disk.close()
            raise
        log.warning("the room is on its disk again; what happens is durable")
        return True

    async def close(self) -> None:
        """Close the database; what was committed stays."""
        self._note(self.room.head.position, at_rest=True)
        await self.shelf.close()

    def _note(self, head: Position, *, at_rest: bool = False) -> None:
        # Only the room's daemon knows how far the journal is; a command line beside it knew it once.
        if self._witness is not None and self.durable:
            self._witness.note(head, at_rest=at_rest)

    async def _memory_bytes(self) -> int:
        ((size,),) = await self.shelf.read(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        )
        return int(size)


async def _in_memory(path: Path, trouble: str) -> Shelf:
    """Make a store in memory with what the file at ``path`` lets read; it begins a new epoch."""
    memory: aiosqlite.Connection = await open_database(None, MIGRATIONS)
    try:
        complete = await salvage(path, memory)
    except BaseException:
        await memory.close()
        raise
    return Shelf(memory, path, trouble=trouble, complete=complete)
