"""The real edge without a cloud, without a broker, without either: the page works, and all is tried again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloud_relay.enrol.mosquitto import BrokerFiles
from edge.app import ROSTER
from edge.local.codes import DATABASE, make_join_code
from edge.store.edge_store import EdgeStore
from laundryd.daemon.tokens import SigningKey
from laundryd.demo.broker import Mosquitto, free_port
from laundryd.wire.uplink import Roster
from tests.edge.room_watch import RoomWatch
from tests.edge.running import ROOM, EdgeProcess, enrolment_file, token_for

SEEN_S = 40.0
CLAIM = f"/api/v1/rooms/{ROOM.key}/machines/w2/claim"


class Manager:
    """Hears how the edge says it stands, as the service manager would."""

    def __init__(self, receiver: socket.socket) -> None:
        self._receiver = receiver
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.done = threading.Event()

    def listen(self) -> None:
        """Take what is said, as it comes: a daemon waits for a manager who does not."""
        while not self.done.is_set():
            with contextlib.suppress(TimeoutError):
                self._said.put(self._receiver.recv(4096).decode())

    def until(self, found: Callable[[str], bool]) -> str:
        ends_at = time.monotonic() + SEEN_S
        said = ""
        while not found(said):
            assert time.monotonic() < ends_at, said
            said = self._said.get(timeout=SEEN_S)
        return said


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(0.2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        hearing = Manager(receiver)
        thread = threading.Thread(target=hearing.listen)
        thread.start()
        yield hearing
        hearing.done.set()
        thread.join()


def logged(edge: EdgeProcess) -> list[dict[str, str]]:
    return [json.loads(line) for line in edge.log.splitlines()]


def warnings(edge: EdgeProcess, about: str) -> list[str]:
    return [
        line["message"]
        for line in logged(edge)
        if line["level"] == "warning" and line["message"].startswith(about)
    ]


async def keep_roster(data_dir: Path, key: SigningKey) -> None:
    """What an edge keeps that heard its relay once."""
    roster = Roster(
        version=1,
        audience=ROOM.audience,
        keys=[key.verify_key],
        revoked_devices=[],
        relay_url="https://laundry.example.org",
    )
    store = await EdgeStore.open(data_dir / DATABASE)
    await store.documents.put(ROSTER, roster.model_dump_json())
    await store.close()


async def page_works(edge: EdgeProcess, token: str | None = None) -> None:
    """A resident joins, or has the relay's ``token``, claims, and sees the claim."""
    code = await make_join_code(edge.data_dir)

    def visit() -> None:
        with edge.page(token) as page:
            assert page.get("/readyz").json() == {"ready": True, "durable": True, "trouble": None}
            if token is None:
                assert page.post("/api/v1/join", json={"code": code}).status_code == 200
            said = page.post(CLAIM, json={"id": code})
            assert said.status_code == 200, said.text
            room = page.get(f"/api/v1/rooms/{ROOM.key}").json()
            assert room["machines"][1]["phase"] == "claimed"

    await asyncio.to_thread(visit)


async def test_with_neither_cloud_nor_broker_the_page_works_and_both_are_noticed(
    tmp_path: Path, manager: Manager
) -> None:
    room, cloud = (
        Mosquitto(tmp_path / name, port=free_port()) for name in ("room-broker", "cloud-broker")
    )
    (tmp_path / "edge").mkdir()
    key = SigningKey.load_or_create(tmp_path / "key.pem")
    enrolment = enrolment_file(tmp_path / "edge", cloud.settings, key)
    edge = EdgeProcess(tmp_path / "edge", room.settings, enrolment=enrolment)
    await keep_roster(edge.data_dir, key)
    try:
        await asyncio.to_thread(edge.start)
        said = await asyncio.to_thread(
            manager.until, lambda said: "room's broker away (" in said and "cloud's" in said
        )
        assert "refused" in said.lower()
        await page_works(edge, token_for(key))
        assert len(warnings(edge, "room broker: no connection to 127.0.0.1")) == 1
        assert len(warnings(edge, "cloud broker: no connection to 127.0.0.1")) == 1
        await asyncio.to_thread(room.start)
        await asyncio.to_thread(manager.until, lambda said: "room's broker connected" in said)
        async with RoomWatch.on(room.settings) as watch:
            await watch.until(lambda: len(watch.states) == 3 and "online" in watch.availability)
            phase = watch.phase("w2")
            assert phase is not None
            assert phase.value == "claimed", "what happened meanwhile is told"
        await asyncio.to_thread(cloud.start)
        await asyncio.to_thread(manager.until, lambda said: "cloud's broker connected" in said)
    finally:
        code = edge.stop()
        room.stop()
        cloud.stop()
    assert code == 0, edge.log
    assert "Traceback" not in edge.log


@pytest.fixture
def edge(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[EdgeProcess]:
    # The least keepalive: a broker that froze is missed after some 8 s.
    process = EdgeProcess(
        tmp_path / "edge",
        mosquitto.settings,
        "keepalive_s = 5\n",
    )
    yield process
    assert process.stop() == 0, process.log
    assert "Traceback" not in process.log


async def test_a_broker_that_is_killed_is_told_once_and_its_return_is_noticed(
    edge: EdgeProcess, mosquitto: Mosquitto, manager: Manager
) -> None:
    await asyncio.to_thread(edge.start)
    await asyncio.to_thread(manager.until, lambda said: "room's broker connected" in said)
    mosquitto.kill()
    await asyncio.to_thread(manager.until, lambda said: "room's broker away (" in said)
    await page_works(edge)
    mosquitto.start()
    await asyncio.to_thread(manager.until, lambda said: "room's broker connected" in said)
    assert 1 <= len(warnings(edge, "room broker: no connection")) <= 2, "its loss, and its refusing"
    assert edge.log.count("room broker: connected to") == 2


async def test_a_broker_that_freezes_is_missed_and_its_thaw_is_noticed(
    edge: EdgeProcess, mosquitto: Mosquitto, manager: Manager
) -> None:
    await asyncio.to_thread(edge.start)
    await asyncio.to_thread(manager.until, lambda said: "room's broker connected" in said)
    os.kill(mosquitto.pid, signal.SIGSTOP)
    try:
        await page_works(edge)
        said = await asyncio.to_thread(manager.until, lambda said: "room's broker away (" in said)
        assert said.startswith("WATCHDOG=1"), "that is not our hanging"
        await asyncio.to_thread(edge.metric_becomes, 0, "room_broker_connected")
    finally:
        os.kill(mosquitto.pid, signal.SIGCONT)
    await asyncio.to_thread(manager.until, lambda said: "room's broker connected" in said)
    assert warnings(edge, "room broker: no connection")


async def test_a_wrong_password_is_named_and_its_mending_noticed(
    tmp_path: Path, manager: Manager
) -> None:
    files = BrokerFiles(tmp_path)
    files.set_password("edge", "another")
    broker = Mosquitto(tmp_path / "closed", extra=f"password_file {tmp_path}/passwords\n")
    broker.start()
    edge = EdgeProcess(
        tmp_path / "edge", broker.settings, 'username = "edge"\npassword = "correct-h0rse"\n'
    )
    try:
        await asyncio.to_thread(edge.start)
        said = await asyncio.to_thread(manager.until, lambda said: "room's broker away (" in said)
        assert "check username and password" in said
        await page_works(edge)
        (line,) = warnings(edge, "room broker: no connection")
        assert "check username and password" in line
        files.set_password("edge", "correct-h0rse")
        os.kill(broker.pid, signal.SIGHUP)
        await asyncio.to_thread(manager.until, lambda said: "room's broker connected" in said)
    finally:
        code = edge.stop()
        broker.stop()
    assert code == 0, edge.log
    assert "correct-h0rse" not in edge.log
    assert "Traceback" not in edge.log
