"""The real edge on a disk that fills up and is freed again: what residents and staff see."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from edge.local.codes import make_join_code
from laundryd.demo.broker import Mosquitto
from tests.edge.running import ROOM, EdgeProcess
from tests.edge.store.small_disk import SmallDisk, small_disk

MACHINE = f"/api/v1/rooms/{ROOM.key}/machines/w2"


@pytest.fixture
def edge(tmp_path: Path, mosquitto: Mosquitto) -> EdgeProcess:
    return EdgeProcess(tmp_path / "edge", mosquitto.settings)


@pytest.fixture
def disk(edge: EdgeProcess) -> Iterator[SmallDisk]:
    with small_disk(edge.data_dir, "16m") as disk:
        yield disk
        edge.kill()


@pytest.fixture
def statuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the edge says of itself to systemd, as long as it is read: else it would have to wait."""
    said: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "1500000")

        def read() -> None:
            while word := receiver.recv(4096).decode():
                said.append(word)

        reader = threading.Thread(target=read)
        reader.start()
        yield said
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", str(tmp_path / "notify"))
        reader.join(5)


def joined(edge: EdgeProcess, code: str) -> httpx.Client:
    page = edge.page()
    assert page.post("/api/v1/join", json={"code": code}).status_code == 200
    return page


def join_code(edge: EdgeProcess) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "laundryd", "edge", "join-code", "-c", str(edge.config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def says(page: httpx.Client, name: str, number: int) -> bool:
    """Say a command that must be accepted; return whether the answer is durable."""
    answer = page.post(f"{MACHINE}/{name}", json={"id": f"c{number}"})
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["durable"])


def until(found: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 30
    while not found():
        assert time.monotonic() < ends_at
        time.sleep(0.1)


def test_a_disk_that_fills_up_is_seen_by_all_and_the_room_goes_on_and_back(
    edge: EdgeProcess, disk: SmallDisk, statuses: list[str]
) -> None:
    code = asyncio.run(make_join_code(edge.data_dir))
    edge.start()
    with contextlib.closing(joined(edge, code)) as page:
        assert says(page, "claim", 0)
        epoch = page.get(f"/api/v1/rooms/{ROOM.key}").json()["position"]["epoch"]
        disk.fill()
        number = 1
        while says(page, ("release", "claim")[(number - 1) % 2], number):
            number += 1
        room = page.get(f"/api/v1/rooms/{ROOM.key}").json()
        assert room["durable"] is False
        assert room["position"]["epoch"] != epoch
        assert page.get("/readyz").json() == {
            "ready": True,
            "durable": False,
            "trouble": "its disk is full",
        }
        edge.metric_becomes(0, "store_durable")
        until(lambda: "IN MEMORY, its database fails: its disk is full" in statuses[-1])
        assert "going on in memory" in edge.log
        phases = {one["machine"]: one["phase"] for one in room["machines"]}

        disk.free()
        until(lambda: page.get("/readyz").json()["durable"])
        edge.metric_becomes(1, "store_durable")
        room = page.get(f"/api/v1/rooms/{ROOM.key}").json()
        assert room["durable"] is True
        assert {one["machine"]: one["phase"] for one in room["machines"]} == phases
        assert says(page, "release" if phases["w2"] == "claimed" else "claim", number + 1)
        edge.kill()
        edge.start()
        after = page.get(f"/api/v1/rooms/{ROOM.key}").json()
        assert {one["machine"]: one["phase"] for one in after["machines"]} != phases
        assert after["durable"] is True
    assert edge.stop() == 0


def test_a_start_where_nothing_can_be_written_serves_the_room(
    edge: EdgeProcess, disk: SmallDisk
) -> None:
    disk.read_only()
    edge.start()
    with edge.page() as page:
        assert page.get("/").status_code == 200
        ready = page.get("/readyz").json()
        assert (ready["ready"], ready["durable"]) == (True, False)
        assert ready["trouble"]
    disk.writable()
    with edge.page() as page:
        until(lambda: page.get("/readyz").json()["durable"])
    assert edge.stop() == 0


def test_who_joins_at_a_first_start_on_a_full_disk_is_still_in_after_a_restart(
    edge: EdgeProcess, disk: SmallDisk
) -> None:
    code = asyncio.run(make_join_code(edge.data_dir))
    disk.fill()
    edge.start()
    with contextlib.closing(joined(edge, code)) as page:
        assert page.get("/readyz").json()["durable"] is False
        disk.free()
        until(lambda: page.get("/readyz").json()["durable"])
        edge.kill()
        edge.start()
        assert page.get(f"/api/v1/rooms/{ROOM.key}").status_code == 200
    assert edge.stop() == 0


def test_a_join_code_that_would_be_forgotten_is_not_given(
    edge: EdgeProcess, disk: SmallDisk
) -> None:
    edge.start()
    assert edge.stop() == 0
    disk.fill()
    done = join_code(edge)
    assert (done.returncode, done.stdout) == (1, ""), "nobody serves, and nothing can be kept"
    assert "its disk is full" in done.stderr
    edge.start()
    done = join_code(edge)
    assert (done.returncode, done.stdout) == (1, ""), "the edge would overwrite it"
    assert "runs from memory" in done.stderr
    disk.free()
    with edge.page() as page:
        until(lambda: page.get("/readyz").json()["durable"])
        done = join_code(edge)
        assert done.returncode == 0, done.stderr
        joined(edge, done.stdout.strip()).close()
    assert edge.stop() == 0


def test_a_database_of_a_newer_version_is_refused_in_one_sentence(edge: EdgeProcess) -> None:
    asyncio.run(make_join_code(edge.data_dir))
    edge.start()
    assert edge.stop() == 0
    database = edge.data_dir / "room.db"
    content = bytearray(database.read_bytes())
    content[60:64] = (99).to_bytes(4, "big")  # user_version: https://www.sqlite.org/fileformat.html
    database.write_bytes(content)
    with pytest.raises(AssertionError, match="schema 99 is newer than this program knows"):
        edge.start()
    assert "Traceback" not in edge.log
    assert database.read_bytes() == content
