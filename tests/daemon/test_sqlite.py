import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
import pytest

from laundryd.daemon.sqlite import open_database, transaction

SCHEMA = ("CREATE TABLE kept (number INTEGER PRIMARY KEY) STRICT",)


@asynccontextmanager
async def database(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    db = await open_database(path, SCHEMA)
    try:
        yield db
    finally:
        await db.close()


async def keep(db: aiosqlite.Connection, number: int) -> None:
    async with transaction(db):
        await db.execute("INSERT INTO kept VALUES (?)", (number,))


async def numbers(db: aiosqlite.Connection) -> list[int]:
    return [row[0] for row in await db.execute_fetchall("SELECT number FROM kept ORDER BY number")]


@pytest.mark.parametrize("turns", range(12))
async def test_a_transaction_cancelled_at_any_point_is_whole_or_nothing_and_the_next_one_works(
    turns: int, tmp_path: Path
) -> None:
    async with database(tmp_path / "x.db") as db:
        task = asyncio.create_task(keep(db, 1))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert outcome is None or isinstance(outcome, asyncio.CancelledError)
        assert not db.in_transaction
        await keep(db, 2)
        assert await numbers(db) in ([1, 2], [2])


async def test_a_second_cancellation_does_not_cut_the_rollback_short(tmp_path: Path) -> None:
    async with database(tmp_path / "x.db") as db:
        entered = asyncio.Event()

        async def never_done() -> None:
            async with transaction(db):
                await db.execute("INSERT INTO kept VALUES (1)")
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(never_done())
        await entered.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        next_one = asyncio.create_task(keep(db, 2))
        await asyncio.gather(task, return_exceptions=True)
        await next_one
        assert await numbers(db) == [2]


async def keep_all(db: aiosqlite.Connection, *wanted: int) -> None:
    async with transaction(db):
        for number in wanted:
            await db.execute("INSERT INTO kept VALUES (?)", (number,))


async def test_an_error_inside_takes_everything_back(tmp_path: Path) -> None:
    async with database(tmp_path / "x.db") as db:
        await keep(db, 1)
        with pytest.raises(aiosqlite.IntegrityError):
            await keep_all(db, 2, 1)
        assert await numbers(db) == [1]


async def test_a_cancellation_while_a_failed_transaction_is_rolled_back_is_not_lost(
    tmp_path: Path,
) -> None:
    # A task that goes on after an error would otherwise never end, and nor would the program.
    async with database(tmp_path / "x.db") as db:
        entered, go_on = asyncio.Event(), asyncio.Event()

        async def fails() -> None:
            async with transaction(db):
                await db.execute("INSERT INTO kept VALUES (1)")
                entered.set()
                await go_on.wait()
                raise aiosqlite.OperationalError("disk I/O error")

        task = asyncio.create_task(fails())
        await entered.wait()
        go_on.set()
        await asyncio.sleep(0)  # it has failed and waits for its rollback
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await numbers(db) == []
