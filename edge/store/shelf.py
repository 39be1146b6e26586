"""The one connection that all parts of the store share, and its way off a disk that fails.

When the disk refuses (full, read-only, damaged), what can be read moves into memory under a new epoch,
and the write that was refused is done there: nothing that was accepted is lost between the two. What
comes back from such a write says ``durable: false``, because the writer numbers anew for a new epoch.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import aiosqlite

from edge.store.migrations import MIGRATIONS
from edge.store.rows import copy_rows, new_epoch_name, new_run_name
from laundryd.daemon.sqlite import (
    disk_trouble,
    empty_log,
    is_at_cap,
    open_database,
    primary_code,
    transaction,
)
from laundryd.wire.ids import Position

log = logging.getLogger("laundryd.edge.store")

AT_CAP: Final = "what must be kept is more than store.max_mb: raise it"

T = TypeVar("T")
Work = Callable[[aiosqlite.Connection], Awaitable[T]]
Values = Iterable[object] | Mapping[str, object]


class Shelf:
    """Reads and writes go through here. ``trouble``: why it is in memory; None when all is well.

    ``on_moved`` hears of each new epoch, with the journal's end in it, while no write is under way: each
    move off the disk or back on to it begins one. ``make_room`` prunes when the file has reached its cap,
    and says whether that began one.
    """

    def __init__(
        self,
        db: aiosqlite.Connection,
        path: Path | None,
        *,
        trouble: str | None = None,
        complete: bool = True,
    ) -> None:
        self.db = db
        self.path = path
        """The file, also while in memory because of its trouble; None: never on a disk."""
        self.trouble = trouble
        self.complete = complete
        """False when memory may lack what the file on the disk still has."""
        self.on_moved: list[Callable[[Position], None]] = []
        self.make_room: Work[bool] | None = None
        self.run = new_run_name()
        """Stands in every entry that is written from this opening on."""
        self._lock = asyncio.Lock()

    async def read(self, query: str, values: Values = ()) -> list[aiosqlite.Row]:
        """Return the rows of ``query``, as they were committed.

        The connection would also show what a write that is under way may yet take back, so reads wait for it.

        Raises:
            sqlite3.Error: the statement is at fault, or another process holds the file.

        """
        async with self._lock:
            try:
                return list(await self.db.execute_fetchall(query, values))
            except sqlite3.Error as error:
                if not self._is_fault_of_disk(error):
                    raise
                await self._to_memory(error)
            return list(await self.db.execute_fetchall(query, values))

    async def write(self, work: Work[T]) -> T:
        """Do ``work`` in one transaction; on a disk that fails, once more in memory.

        Raises:
            sqlite3.Error: the statement is at fault, or another process holds the file: nothing was
                written.

        """
        async with self._lock:
            try:
                return await _in_transaction(self.db, work)
            except sqlite3.Error as error:
                if not self._is_fault_of_disk(error):
                    raise
                if not await self._made_room(error):
                    await self._to_memory(error)
            # Pruned, or in memory: once more; and should that not have been enough, in memory.
            try:
                return await _in_transaction(self.db, work)
            except sqlite3.Error as error:
                if not self._is_fault_of_disk(error):
                    raise
                await self._to_memory(error)
            return await _in_transaction(self.db, work)

    async def empty_log(self) -> None:
        """Bring the disk's log into its file. A disk that refuses is logged: the next write finds it."""
        async with self._lock:
            if self.path is None or self.trouble is not None:
                return
            try:
                await empty_log(self.db, cut=False)
            except sqlite3.Error as error:
                log.warning("the log cannot be brought into the database yet: %s", error)

    async def back_to(self, disk: aiosqlite.Connection) -> None:
        """Copy everything from memory to ``disk``, in one transaction, and go on there.

        Raises:
            sqlite3.Error, OSError: it could not be kept there; nothing changed.

        """
        async with self._lock:
            epoch = new_epoch_name()
            async with transaction(disk):
                await copy_rows(self.db, disk, epoch, self.run, replace_all=self.complete)
            memory, self.db, self.trouble, self.complete = self.db, disk, None, True
            await self._moved()
        await memory.close()

    async def close(self) -> None:
        """Close the connection, once nothing is being written."""
        async with self._lock:
            await self.db.close()

    def _is_fault_of_disk(self, error: sqlite3.Error | OSError) -> bool:
        on_disk = self.path is not None and self.trouble is None
        return on_disk and disk_trouble(error) is not None

    async def leave_disk(self, error: sqlite3.Error | OSError) -> None:
        """Go on in memory if ``error`` is the disk's; nothing happens when that is so already."""
        async with self._lock:
            if self._is_fault_of_disk(error):
                await self._to_memory(error)

    async def _made_room(self, error: sqlite3.Error) -> bool:
        """Prune when it was our own cap and not the disk that refused; False when it was not."""
        if self.make_room is None or primary_code(error) != sqlite3.SQLITE_FULL:
            return False
        if not await self._is_at_cap():
            return False
        log.warning("the store has reached its cap: the older half of what can go is forgotten")
        try:
            begins_epoch = await _in_transaction(self.db, self.make_room)
        except sqlite3.Error:
            log.exception("no room could be made in the store")
            return False
        if begins_epoch:
            await self._moved()
        return True

    async def _is_at_cap(self) -> bool:
        try:
            return await is_at_cap(self.db)
        except sqlite3.Error:  # a file that cannot even say how large it is has worse troubles
            return False

    async def _trouble(self, error: sqlite3.Error | OSError) -> str:
        is_full = isinstance(error, sqlite3.Error) and primary_code(error) == sqlite3.SQLITE_FULL
        if is_full and await self._is_at_cap():
            return AT_CAP
        return disk_trouble(error, self.path) or str(error)

    async def _to_memory(self, error: sqlite3.Error | OSError) -> None:
        trouble = await self._trouble(error)
        memory, epoch = await open_database(None, MIGRATIONS), new_epoch_name()
        try:
            async with transaction(memory):
                complete = await copy_rows(self.db, memory, epoch, self.run)
        except BaseException:
            await memory.close()
            raise
        log.error(
            "the room's database fails (%s: %s): going on in memory, a power cut now forgets what "
            "happens; free or mend the disk, then the room goes back to it by itself",
            trouble,
            error,
        )
        disk, self.db, self.trouble, self.complete = self.db, memory, trouble, complete
        await self._moved()
        try:
            await disk.close()
        except sqlite3.Error:
            log.exception("the failed database could not be closed")

    async def _moved(self) -> None:
        ((epoch, head),) = await self.db.execute_fetchall("SELECT epoch, head FROM meta")
        self.tell_moved(Position(epoch=epoch, offset=head))

    def tell_moved(self, head: Position) -> None:
        """Tell everybody that a new epoch began, whose journal ends at ``head`` yet."""
        for told in self.on_moved:
            told(head)


async def _in_transaction(db: aiosqlite.Connection, work: Work[T]) -> T:
    async with transaction(db):
        return await work(db)
