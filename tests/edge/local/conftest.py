from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from edge.store.edge_store import EdgeStore
from laundryd.daemon import codes
from laundryd.daemon.mqtt import Message, MqttLink
from laundryd.daemon.tokens import SigningKey
from laundryd.demo.broker import Mosquitto
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import DownRoster, Roster
from tests.edge.running import ROOM, EdgeProcess, enrolment_file

CODE = "ABCD-EFGH"
SETTINGS = """
[timings]
hold_s = 3

[[programmes]]
id = "wool"
kind = "washer"
name = "Wool 30"
minutes = 35
"""


@pytest.fixture(scope="module")
def room_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.stop()


@dataclass
class OpenRoom:
    """A room without a relay, and two residents who joined it with its code."""

    edge: EdgeProcess
    anna: httpx.Client
    ben: httpx.Client
    joined: httpx.Response


async def set_code(data_dir: Path, code: str, cap: int) -> None:
    store = await EdgeStore.open(data_dir / "room.db")
    await store.people.set_join_code(codes.digest(code), cap, None)
    await store.close()


@pytest.fixture(scope="module")
def open_room(
    tmp_path_factory: pytest.TempPathFactory, room_broker: Mosquitto
) -> Iterator[OpenRoom]:
    edge = EdgeProcess(tmp_path_factory.mktemp("open"), room_broker.settings, SETTINGS)
    asyncio.run(set_code(edge.data_dir, CODE, 2))
    edge.start()
    anna, ben = edge.page(), edge.page()
    joined = anna.post("/api/v1/join", json={"code": CODE, "lang": "ko"})
    assert joined.status_code == 200, joined.text
    assert ben.post("/api/v1/join", json={"code": CODE}).status_code == 200
    yield OpenRoom(edge, anna, ben, joined)
    anna.close()
    ben.close()
    assert edge.stop() == 0, edge.log


@dataclass
class EnrolledRoom:
    """A room of a relay whose roster has come.

    ``key`` signs its residents' tokens, ``enrolment`` its rosters.
    """

    edge: EdgeProcess
    key: SigningKey
    enrolment: SigningKey


@asynccontextmanager
async def connected(
    link: MqttLink, heard: Callable[[Message], None] = lambda _message: None
) -> AsyncIterator[MqttLink]:
    there = asyncio.Event()

    async def greet() -> None:
        there.set()

    task = asyncio.create_task(link.run(heard, greet))
    try:
        async with asyncio.timeout(10):
            await there.wait()
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish_roster(broker: Mosquitto, enrolment: SigningKey, roster: Roster | None) -> None:
    """Retain ``roster`` at the broker; None: take away what is retained."""
    payload = b""
    if roster is not None:
        message = DownRoster(jws=enrolment.sign(roster.model_dump(mode="json")))
        payload = message.model_dump_json().encode()
    async with connected(MqttLink(broker.settings, "relay", name="relay")) as link:
        name = topic_name(ROOM, Topic.DOWN_ROSTER)
        assert await link.publish(name, payload, retain=True)


@pytest.fixture(scope="module")
def enrolled_room(
    tmp_path_factory: pytest.TempPathFactory, room_broker: Mosquitto
) -> Iterator[EnrolledRoom]:
    folder = tmp_path_factory.mktemp("enrolled")
    enrolment = SigningKey.load_or_create(folder / "enrolment.pem")
    key = SigningKey.load_or_create(folder / "relay.pem")
    roster = Roster(
        version=1,
        audience=ROOM.audience,
        keys=[key.verify_key],
        revoked_devices=["d-gone"],
        relay_url="https://laundry.example.org",
    )
    asyncio.run(publish_roster(room_broker, enrolment, roster))
    edge = EdgeProcess(
        folder,
        room_broker.settings,
        enrolment=enrolment_file(folder, room_broker.settings, enrolment),
    )
    edge.start()
    edge.metric_becomes(1, "uplink_connected")
    yield EnrolledRoom(edge, key, enrolment)
    assert edge.stop() == 0, edge.log
