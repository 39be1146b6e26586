from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from laundryd.daemon.serve import listen, serve


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    if scope["path"] == "/slow":
        await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


@asynccontextmanager
async def served() -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    started = asyncio.Event()
    task = asyncio.create_task(serve(answering, listener, on_started=started.set))
    async with asyncio.timeout(10):
        await started.wait()
    yield f"http://127.0.0.1:{port}", task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_serves_on_the_port_that_the_system_chose() -> None:
    async with served() as (url, _task), httpx.AsyncClient() as client:
        answer = await client.get(url)
    assert answer.text == "here"
    assert "server" not in answer.headers


async def test_cancelled_it_finishes_what_is_under_way_and_stops() -> None:
    async with served() as (url, task), httpx.AsyncClient() as client:
        asking = asyncio.create_task(client.get(f"{url}/slow"))
        await asyncio.sleep(0.1)
        task.cancel()
        assert (await asking).text == "here"
        async with asyncio.timeout(5):
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


def test_an_address_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}: "):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1 port 0: "):
        listen("192.0.2.1", 0)
