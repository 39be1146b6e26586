"""SQLite for the simulated programs: the real library and real files, but no threads.

``aiosqlite`` hands each statement to a thread of its connection. Here the statement is carried out by
the loop, after as much simulated time as the disk takes: in order, also when its caller was cancelled
meanwhile, as by that thread. A kill closes the file as the end of a process does: what was not
committed is gone.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final, TypeVar

import aiosqlite
from typing_extensions import override

T = TypeVar("T")
MEMORY: Final = Path(":memory:")
"""Only the edge ever goes there."""


class KilledError(sqlite3.OperationalError):
    """The process that asks is dead; whatever of it still runs ends with this."""


class Disks:
    """Every open database, by its file.

    ``delay_s``: how long each statement takes there. ``full``: files whose disk takes nothing more.
    """

    def __init__(self) -> None:
        self._open: dict[Path, list[InlineConnection]] = {}
        self.delay_s: dict[Path, float] = {}
        self.full: set[Path] = set()

    def connect(self, database: Path | str, *, isolation_level: None) -> InlineConnection:
        """Stand in for ``aiosqlite.connect``."""
        del isolation_level  # always autocommit, as ours are
        path = Path(database)
        connection = InlineConnection(path, self)
        self._open.setdefault(path, []).append(connection)
        return connection

    def kill(self, *paths: Path) -> None:
        """Let the process that has ``paths`` open vanish."""
        for path in paths:
            for connection in self._open.pop(path, []):
                connection.kill()

    def delete(self, path: Path) -> None:
        """Lose the file with its side files."""
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)

    def copy(self, source: Path, target: Path) -> None:
        """Copy what is committed, as an admin's backup does; the file may be in use."""
        self.delete(target)
        with sqlite3.connect(source) as live, sqlite3.connect(target) as copy:
            live.backup(copy)
        live.close()
        copy.close()

    def put_back(self, backup: Path, path: Path) -> None:
        """Restore a backup over a file that nobody has open."""
        self.delete(path)
        shutil.copy(backup, path)


class InlineConnection(aiosqlite.Connection):
    """One connection whose statements the loop carries out."""

    def __init__(self, path: Path, disks: Disks) -> None:
        super().__init__(lambda: sqlite3.connect(path, isolation_level=None), iter_chunk_size=64)
        self._path, self._disks = path, disks
        self._is_killed = False
        self._work: deque[tuple[asyncio.Future[Any], Callable[[], object]]] = deque()

    @override
    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        return self._connect().__await__()

    @override
    async def _connect(self) -> aiosqlite.Connection:
        await asyncio.sleep(0)
        self._connection = self._connector()
        return self

    @override
    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        if self._connection is None:
            raise self._ended()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        is_commit = bool(args) and args[0] == "COMMIT"

        def carried_out() -> T:
            if is_commit and self._path in self._disks.full:
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
            return fn(*args, **kwargs)

        self._work.append((future, carried_out))
        if len(self._work) == 1:
            self._next_turn(loop)
        return await future

    @override
    async def close(self) -> None:
        if self._connection is not None:
            await self._execute(self._connection.close)
            self._connection = None

    @override
    def stop(self) -> None:
        self._connection = None

    def kill(self) -> None:
        """Close without a word; whoever waits for a statement hears an error."""
        self._is_killed = True
        raw, self._connection = self._connection, None
        if raw is not None:
            raw.close()
        while self._work:
            future, _ = self._work.popleft()
            if not future.done():
                future.set_exception(KilledError)

    @property
    @override
    def _conn(self) -> sqlite3.Connection:
        if self._connection is None:
            raise self._ended()
        return self._connection

    def _ended(self) -> Exception:
        return KilledError() if self._is_killed else ValueError("Connection closed")

    def _next_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        delay_s = self._disks.delay_s.get(self._path, 0.0)
        if delay_s:
            loop.call_later(delay_s, self._carry_out)
        else:
            loop.call_soon(self._carry_out)

    def _carry_out(self) -> None:
        if not self._work:
            return  # killed
        future, function = self._work[0]
        result: object = None
        error: BaseException | None = None
        try:
            result = function()
        except (sqlite3.Error, ValueError) as caught:
            error = caught
        self._work.popleft()
        if not future.done():
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        if self._work:
            self._next_turn(asyncio.get_running_loop())
