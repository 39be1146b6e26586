"""A cloud for the bench: a real broker and relay, rooms enrolled by the code behind ``relay room add``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from cloud_relay.enrol.init import RelayPlan, initialise
from cloud_relay.enrol.mosquitto import Listeners
from cloud_relay.enrol.rooms import AddedRoom, add_room
from edge.local.codes import DATABASE
from edge.room.journal import JournalHead
from edge.store.commit import Commit
from edge.store.edge_store import EdgeStore
from laundryd.demo.broker import Mosquitto, free_port
from laundryd.demo.processes import Program
from laundryd.live.client import LiveClient
from laundryd.wire.events import Entry, PublicEvent
from laundryd.wire.ids import Position, RoomRef
from laundryd.wire.machines import MachineKind, MachineView
from laundryd.wire.notices import NoticeKind, derive
from laundryd.wire.phases import Cause, Phase, Sensor

BUSY = RoomRef(site="maple-hall", room="basement")
QUIET = RoomRef(site="maple-hall", room="attic")
MACHINES = 20
NOTICE_EVERY = 10
"""Entries from one that tells somebody something to the next."""
CHUNK = 500


@dataclass(frozen=True)
class Cloud:
    """What runs, and how to reach it."""

    folder: Path
    broker: Mosquitto
    relay: Program
    url: str
    http: aiohttp.ClientSession
    rooms: dict[str, AddedRoom]

    async def join(self, room: RoomRef) -> tuple[str, str]:
        """Become a resident of ``room``; return the resident and their token."""
        async with self.http.post(
            f"{self.url}/api/v1/join",
            json={"code": self.rooms[room.key].join_code, "lang": "en", "device_name": "bench"},
            headers={"Origin": self.url, "Accept": "application/json; token=1"},
        ) as answer:
            body = await answer.json()
            assert answer.status == 200, body
        return body["resident"], body["token"]

    def page(self, room: RoomRef, token: str) -> LiveClient:
        return LiveClient(self.url.replace("http", "ws") + "/api/v1/live", token, rooms=[room.key])

    async def metric(self, url: str, name: str) -> float:
        """Read one gauge or unlabelled counter."""
        async with self.http.get(f"{url}/metrics") as answer:
            text = await answer.text()
        lines = [line for line in text.splitlines() if line.startswith(name + " ")]
        return float(lines[0].split()[1]) if lines else -1.0


@asynccontextmanager
async def cloud(folder: Path) -> AsyncIterator[Cloud]:
    port, broker_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    config = folder / "relay" / "relay.toml"
    done = initialise(
        RelayPlan(
            data_dir=folder / "relay",
            config=config,
            public_url=url,
            vapid_subject="mailto:bench@example.org",
            listeners=Listeners(broker_port),
            edge_host="127.0.0.1",
            tables={"http": {"port": port}},
        )
    )
    rooms = {room.key: await add_room(done.settings, room, room.room) for room in (BUSY, QUIET)}
    files = folder / "relay" / "mosquitto"
    broker = Mosquitto(
        folder / "broker",
        port=broker_port,
        extra=f"allow_anonymous false\npassword_file {files / 'passwords'}\n"
        f"acl_file {files / 'acl'}\n",
    )
    broker.start()
    relay = Program(
        "the relay",
        ["relay", "run", "--config", str(config)],
        log_path=folder / "relay.log",
        ready_url=f"{url}/readyz",
    )
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        try:
            await relay.start()
            await relay.ready(http)
            yield Cloud(folder, broker, relay, url, http, rooms)
        finally:
            await relay.stop()
            broker.stop()


def edge(town: Cloud, room: RoomRef) -> tuple[Program, str]:
    """Write the settings of an edge; return it, to be started, and its page's address."""
    port = free_port()
    machines = "".join(
        f'[[machines]]\nid = "w{n}"\nkind = "washer"\nname = "Washer {n}"\n'
        for n in range(1, MACHINES + 1)
    )
    config = town.folder / f"{room.room}.toml"
    config.write_text(
        f'site = "{room.site}"\nroom = "{room.room}"\nname = "{room.room}"\n'
        f'data_dir = "{data_dir(town, room)}"\n{machines}[http]\nport = {port}\n'
        f"[broker]\nport = {free_port()}\n"
        f'[cloud]\nenrolment = "{town.rooms[room.key].enrolment_file}"\n',
        encoding="utf-8",
    )
    url = f"http://127.0.0.1:{port}"
    program = Program(
        room.room,
        ["edge", "run", "--config", str(config)],
        log_path=town.folder / f"{room.room}.log",
        ready_url=f"{url}/healthz",
    )
    return program, url


def data_dir(town: Cloud, room: RoomRef) -> Path:
    return town.folder / room.room


async def fill(town: Cloud, room: RoomRef, count: int, residents: list[str]) -> Position:
    """Give the edge of ``room`` a day of ``count`` entries that no relay has heard of."""
    store = await EdgeStore.open(data_dir(town, room) / DATABASE)
    began = datetime.now(UTC) - timedelta(days=1)
    step = timedelta(days=1) / count
    try:
        for first in range(1, count + 1, CHUNK):
            epoch = store.room.head.epoch
            numbers = range(first, min(first + CHUNK, count + 1))
            entries = tuple(
                _entry(room, epoch, number, began + number * step, residents) for number in numbers
            )
            head = JournalHead(epoch, numbers[-1], numbers[-1])
            await store.room.commit(
                Commit(at=began + numbers[-1] * step, head=head, entries=entries)
            )
        return store.room.head.position
    finally:
        await store.close()


def _entry(room: RoomRef, epoch: str, number: int, at: datetime, residents: list[str]) -> Entry:
    owner = residents[number % len(residents)]
    position = Position(epoch=epoch, offset=number)
    phase = Phase.FINISHED if number % NOTICE_EVERY == 0 else Phase.IN_USE
    name = f"w{1 + number % MACHINES}"
    view = MachineView(
        machine=name,
        kind=MachineKind.WASHER,
        name=name,
        phase=phase,
        since=at,
        sensor=Sensor.OK,
        has_owner=True,
    )
    event = PublicEvent(
        room=room.key,
        epoch=epoch,
        offset=number,
        follows=number - 1,
        at=at,
        cause=Cause.SENSOR_CHANGED,
        machine=view,
    )
    notices = []
    if phase is Phase.FINISHED:
        notices.append(
            derive(
                NoticeKind.DONE,
                room=room.key,
                position=position,
                machine=name,
                resident=owner,
                params={"name": name},
                at=at,
            )
        )
    return Entry(epoch=epoch, offset=number, event=event, owner=owner, notices=notices)
