"""A house full of programs that misbehave costs a room so much memory and no more."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from laundryd.demo.broker import Mosquitto
from laundryd.live.client import LiveClient
from laundryd.wire.commands import CommandName
from tests.edge.local.conftest import CODE, set_code
from tests.edge.running import ROOM, EdgeProcess
from tests.live.stage import identify_text

RESIDENTS = 9
EACH = 20
"""As many connections as one resident may have."""
UNFINISHED_BYTES = 8 * 8_000
"""Of a message without end: just less than the server takes of one."""
BARE_BYTES = 60_000
"""What a connection with its buffers may cost beside what it has sent; about 40 KB were seen."""


@pytest.fixture
def edge(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[EdgeProcess]:
    process = EdgeProcess(tmp_path / "edge", mosquitto.settings)
    asyncio.run(set_code(process.data_dir, CODE, RESIDENTS + 1))
    process.start()
    yield process
    assert process.stop() == 0, process.log
    assert "Traceback" not in process.log


def joined(edge: EdgeProcess) -> str:
    with contextlib.closing(edge.page()) as page:
        assert page.post("/api/v1/join", json={"code": CODE}).status_code == 200
        return str(page.cookies["laundryd_edge"])


def rss_bytes(edge: EdgeProcess) -> int:
    pages = int(Path(f"/proc/{edge.pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def without_end(socket: ClientConnection, over: asyncio.Event) -> None:
    """Begin a message that is never finished."""

    async def fragments() -> AsyncIterator[str]:
        for _ in range(UNFINISHED_BYTES // 8_000):
            yield "x" * 8_000
        await over.wait()

    with contextlib.suppress(ConnectionClosed):
        await socket.send(fragments())


async def test_nine_residents_with_twenty_messages_without_end_each(edge: EdgeProcess) -> None:
    tokens = [joined(edge) for _ in range(RESIDENTS)]
    bystander = joined(edge)
    over = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        anna = await stack.enter_async_context(
            LiveClient(edge.live_url, bystander, rooms=[ROOM.key])
        )
        await anna.welcomed()
        before = rss_bytes(edge)
        sockets = []
        for token in tokens * EACH:
            headers = {"Authorization": f"Bearer {token}"}
            socket = await stack.enter_async_context(
                connect(edge.live_url, additional_headers=headers, compression=None)
            )
            await socket.send(identify_text(rooms={ROOM.key: None}))
            sockets.append(socket)
        with pytest.raises(InvalidStatus) as one_more:
            await connect(edge.live_url, additional_headers={"Authorization": f"Bearer {token}"})
        assert one_more.value.response.status_code == 429
        sending = [asyncio.create_task(without_end(socket, over)) for socket in sockets]
        for socket in sockets:
            await (await socket.ping())  # answered between fragments: what came before was read
        grown = rss_bytes(edge) - before
        assert grown < RESIDENTS * EACH * (UNFINISHED_BYTES + BARE_BYTES), f"{grown / 1e6:.1f} MB"
        assert (await anna.send_command(ROOM.key, "w2", CommandName.CLAIM)).ok
        assert (await anna.send_command(ROOM.key, "w2", CommandName.RELEASE)).ok
        for socket in sockets:
            socket.transport.abort()
        over.set()
        await asyncio.gather(*sending)
        assert anna.connections == 1
