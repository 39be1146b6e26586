from __future__ import annotations

import asyncio

import aiosqlite
import pytest

from edge.store.edge_store import EdgeStore

COUNT = "SELECT count(*) AS n FROM documents"


async def test_nobody_reads_what_a_write_may_yet_take_back(edge_store: EdgeStore) -> None:
    shelf, is_written, may_end = edge_store.shelf, asyncio.Event(), asyncio.Event()
    ((before,),) = await shelf.read(COUNT)

    async def work(db: aiosqlite.Connection) -> None:
        await db.execute("INSERT INTO documents VALUES ('half', '{}')")
        is_written.set()
        await may_end.wait()
        raise RuntimeError("taken back")

    async def reading() -> int:
        ((found,),) = await shelf.read(COUNT)
        return int(found)

    writing = asyncio.create_task(shelf.write(work))
    await is_written.wait()
    # Without waiting for its turn, the same connection shows what is not committed.
    ((half_done,),) = await shelf.db.execute_fetchall(COUNT)
    assert half_done == before + 1
    read = asyncio.create_task(reading())
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(RuntimeError, match="taken back"):
        await writing
    assert await read == before
