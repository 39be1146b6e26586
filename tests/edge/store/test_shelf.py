from __future__ import annotations

import asyncio

import aiosqlite
import pytest

from edge.store.edge_store import EdgeStore
from edge.store.shelf import Shelf

COUNT = "SELECT count(*) AS n FROM documents"


async def _read_at_once(shelf: Shelf, query: str) -> list[aiosqlite.Row]:
    return list(await shelf.db.execute_fetchall(query))


@pytest.mark.parametrize("is_on", [True, False], ids=["as it is", "without it"])
async def test_nobody_reads_what_a_write_may_yet_take_back(
    edge_store: EdgeStore, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        monkeypatch.setattr(Shelf, "read", _read_at_once)
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
    read = asyncio.create_task(reading())
    if not is_on:
        assert await read == before + 1, "one connection shows its own unfinished write"
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(RuntimeError, match="taken back"):
        await writing
    if is_on:
        assert await read == before
