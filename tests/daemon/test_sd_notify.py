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


def test_a_service_manager_that_does_not_listen_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "notify"
    monkeypatch.setattr(sd_notify, "TAKE_S", 0.05)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        # The kernel keeps a queue for a reader who is slow; when it is full the word is lost.
        assert not all(sd_notify.notify("WATCHDOG=1") for _ in range(100_000))
    assert not sd_notify.notify("WATCHDOG=1"), "and one that is gone"


async def test_an_abstract_socket_is_reached(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = f"laundryd-test-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert sd_notify.notify("STOPPING=1")
        end.settimeout(5)
        assert end.recv(100) == b"STOPPING=1"


def test_a_task_is_late_after_its_patience_and_not_before() -> None:
    watchdog = sd_notify.Watchdog(lambda: "", patience_s=30)
    assert watchdog.late(1e9) == [], "a task is watched from its first beat"
    watchdog.beat("writer")
    at_s = watchdog._beats["writer"]
    assert watchdog.late(at_s + 30) == []
    assert watchdog.late(at_s + 31) == ["writer"]
