"""The whole edge under a service manager of the test's own: what hangs stops the watchdog's feeding."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge.app import Edge
from edge.dashboards.board import Dashboards
from edge.sensing import Sensing
from edge.settings import EdgeSettings
from edge.writer import RoomWriter
from laundryd.daemon import sd_notify
from laundryd.daemon.settings import load_settings
from laundryd.demo.broker import Mosquitto
from tests.edge.running import EdgeProcess

PATIENCE_S = 2.5
FEED_S = 0.1
HEARD_S = 20.0


class Manager:
    """The service manager's end: what the daemon said, in order."""

    def __init__(self, receiver: socket.socket) -> None:
        self._receiver = receiver

    async def until(self, wanted: str) -> list[str]:
        """Take what is said up to the first message with ``wanted`` in it."""
        said: list[str] = []
        async with asyncio.timeout(HEARD_S):
            while not said or wanted not in said[-1]:
                said.append(await self.next())
        return said

    async def next(self) -> str:
        return (await asyncio.get_running_loop().sock_recv(self._receiver, 4096)).decode()


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", str(int(3 * FEED_S * 1e6)))
        yield Manager(receiver)


@asynccontextmanager
async def running(settings: EdgeSettings) -> AsyncIterator[Edge]:
    edge = Edge(settings)
    edge._watchdog = sd_notify.Watchdog(edge._status, PATIENCE_S)
    task = asyncio.create_task(edge.run())
    try:
        yield edge
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("task", "owner", "step"),
    [
        ("sensing", Sensing, "_tick"),
        ("writer", RoomWriter, "_keep_what_nothing_else_keeps"),
        ("dashboards", Dashboards, "_publish_room"),
    ],
)
async def test_a_task_that_hangs_stops_the_feeding_until_it_goes_on(  # noqa: PLR0917 -- fixtures
    tmp_path: Path,
    mosquitto: Mosquitto,
    manager: Manager,
    monkeypatch: pytest.MonkeyPatch,
    task: str,
    owner: type[object],
    step: str,
) -> None:
    monkeypatch.setattr("edge.writer.BEAT_S", FEED_S)
    monkeypatch.setattr("edge.store.edge_store.BEAT_S", FEED_S)
    free = asyncio.Event()
    free.set()
    real: Callable[..., Awaitable[object]] = getattr(owner, step)

    async def hanging(*given: object) -> object:
        await free.wait()
        return await real(*given)

    monkeypatch.setattr(owner, step, hanging)
    process = EdgeProcess(tmp_path / "edge", mosquitto.settings)
    process.write()
    async with running(load_settings(EdgeSettings, process.config)) as edge:
        before = await manager.until("READY=1")
        assert not any("no progress" in one for one in before)
        said = await manager.until("room's broker connected")
        assert said[-1].startswith("WATCHDOG=1\nSTATUS=serving maple-hall.basement on port ")
        watched = edge._watchdog._beats.keys()
        assert watched == {"writer", "store", "sensing", "dashboards", "live"}
        free.clear()
        said = await manager.until("no progress")
        assert said[-1] == f"STATUS=no progress in: {task}"
        for _ in range(5):
            assert (await manager.next()) == f"STATUS=no progress in: {task}", "not fed"
        free.set()
        await manager.until("WATCHDOG=1")
    assert (await manager.until("STOPPING=1"))[-1] == "STOPPING=1"
