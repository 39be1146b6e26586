from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from laundryd.daemon import sd_notify

STATUS = "serving maple.basement on port 8080; room's broker away"
HEARD_S = 5.0


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What the service manager has: the socket that it names in the environment."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "30000")
        yield receiver


async def _heard(manager: socket.socket, watchdog: sd_notify.Watchdog) -> str:
    """Return the first message of a running watchdog."""
    task = asyncio.create_task(watchdog.run())
    try:
        async with asyncio.timeout(HEARD_S):
            return (await asyncio.get_running_loop().sock_recv(manager, 4096)).decode()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_the_watchdog_is_fed_and_says_how_things_stand(manager: socket.socket) -> None:
    assert await _heard(manager, sd_notify.Watchdog(lambda: STATUS)) == (
        f"WATCHDOG=1\nSTATUS={STATUS}"
    )


async def test_a_task_that_hangs_is_named_and_the_watchdog_not_fed(manager: socket.socket) -> None:
    watchdog = sd_notify.Watchdog(lambda: STATUS, patience_s=-1)
    watchdog.beat("writer")
    assert await _heard(manager, watchdog) == "STATUS=no progress in: writer"


def test_without_a_service_manager_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not sd_notify.notify("READY=1")
