from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from edge.local.session_keeper import DOCUMENT, SessionKeeper
from edge.store.edge_store import EdgeStore
from laundryd.live.kept import KeptSessions
from tests.live.stage import AT, Stage, eventually, running


@asynccontextmanager
async def kept_by(
    live: Stage, store: EdgeStore, now: datetime = AT
) -> AsyncGenerator[SessionKeeper]:
    keeper = SessionKeeper(store.documents, live.server, lambda: now)
    await keeper.load()
    task = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def written(store: EdgeStore) -> list[str]:
    body = await store.documents.get(DOCUMENT)
    kept = KeptSessions.model_validate_json(body) if body else None
    return [session.resident for session in kept.sessions] if kept else []


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[EdgeStore]:
    opened = await EdgeStore.open(tmp_path / "room.db")
    yield opened
    await opened.close()


async def until_written(store: EdgeStore, residents: list[str]) -> None:
    async with asyncio.timeout(10):
        while await written(store) != residents:  # noqa: ASYNC110 -- a database says nothing by itself
            await asyncio.sleep(0.01)


async def test_who_was_there_counts_as_dropped_just_now_in_the_next_life(
    store: EdgeStore,
) -> None:
    async with running() as live, kept_by(live, store) as keeper, live.client() as ann:
        session_id = (await ann.welcomed()).session_id
        keeper.changed()
        await until_written(store, ["ann"])
    async with (
        running(linger_s=1) as live,
        kept_by(live, store, AT + timedelta(seconds=3)) as keeper,
    ):
        (view,) = live.server.all_sessions()
        assert (view.session_id, view.attentive, view.connected) == (session_id, True, False)
        await eventually(lambda: live.server.all_sessions() == [])
        assert live.desk.presence_changes == 1, "who does not come back is told to be away"
        keeper.changed()
        await until_written(store, [])


async def test_who_comes_and_goes_over_and_over_is_written_seldom(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[str] = []
    put = store.documents.put

    async def counted(name: str, body: str) -> None:
        writes.append(name)
        await put(name, body)

    monkeypatch.setattr(store.documents, "put", counted)
    async with running() as live, kept_by(live, store) as keeper, live.client() as ann:
        await ann.welcomed()
        keeper.changed()
        await until_written(store, ["ann"])
        for _ in range(100):
            keeper.changed()
            await asyncio.sleep(0.01)
    assert writes == [DOCUMENT]


async def test_sessions_that_cannot_be_read_are_nobody_and_are_not_logged(
    store: EdgeStore, caplog: pytest.LogCaptureFixture
) -> None:
    await store.documents.put(
        DOCUMENT, '{"kept_at": "yesterday", "sessions": ["ann-the-resident"]}'
    )
    async with running() as live, kept_by(live, store):
        assert live.server.all_sessions() == []
    assert "forgotten" in caplog.text
    assert "ann-the-resident" not in caplog.text
