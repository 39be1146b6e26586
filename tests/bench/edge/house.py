"""A laundry room to measure: the real edge, a real broker, twenty plugs and fifty open pages."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from edge.app import OWN_KEY
from edge.local.codes import DATABASE
from edge.sources.simulated import Programme, tasmota_sensor_payload
from edge.sources.tasmota import lwt_topic, sensor_topic
from edge.store.edge_store import EdgeStore
from laundryd.daemon import codes
from laundryd.daemon.mqtt import BrokerSettings, MqttLink
from laundryd.daemon.tokens import SigningKey
from laundryd.demo.broker import Mosquitto
from laundryd.wire.machines import MachineKind
from laundryd.wire.notices import Lang
from tests.edge.running import ROOM, EdgeProcess, token_for

PLUGS = 20
STEPPER = PLUGS
"""The number of one plug more, which speaks only when it is told to: what it says is always news."""
PAGES = 50
JOIN_CODE = "BENCHBENCH"
WASH = Programme(MachineKind.WASHER, 60)


def machine(number: int) -> str:
    return f"w{number}"


def plug(number: int) -> str:
    return f"washer-{number}"


@contextmanager
def house(folder: Path) -> Iterator[EdgeProcess]:
    """Run a broker and an edge with ``PLUGS`` washers in ``folder``; both end with the context."""
    machines = "\n".join(
        f'[[machines]]\nid = "{machine(number)}"\nkind = "washer"\nname = "Washer {number}"\n'
        f'plug = {{ topic = "{plug(number)}" }}'
        for number in range(PLUGS + 1)
    )
    broker = Mosquitto(folder / "broker")
    broker.start()
    edge = EdgeProcess(folder, broker.settings, machines=machines)
    try:
        edge.start()
        yield edge
    finally:
        edge.stop()
        broker.stop()


async def move_in(data_dir: Path) -> None:
    """Let ``PAGES`` residents in, before the edge runs: its page would let in ten an hour."""
    store = await EdgeStore.open(data_dir / DATABASE)
    try:
        digest = codes.digest(JOIN_CODE)
        await store.people.set_join_code(digest, PAGES, None)
        for number in range(PAGES):
            await store.people.join(
                digest,
                f"r-{number}",
                f"d-{number}",
                device_name="Bench",
                lang=Lang.EN,
                now=datetime.now(UTC),
            )
    finally:
        await store.close()


@dataclass
class Plugs:
    """The plugs' own voice: each says its power once a second, at its own moment of the second."""

    broker: BrokerSettings
    washing: frozenset[int] = frozenset()
    washing_since_s: float = 0.0

    def __post_init__(self) -> None:
        self._link = MqttLink(self.broker, "bench-plugs", name="bench", subscriptions=[])
        self._in = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.run(lambda _message: None, self._came_in))
            for number in range(PLUGS):
                tasks.create_task(self._speak(number))

    async def connected(self) -> None:
        """Wait until the broker let the plugs in."""
        await self._in.wait()

    def wash(self, numbers: Sequence[int]) -> None:
        self.washing, self.washing_since_s = frozenset(numbers), time.monotonic()

    async def say_power(self, number: int) -> None:
        since_s = time.monotonic() - self.washing_since_s
        power_w = WASH.power_w(since_s if number in self.washing else -1.0)
        payload = tasmota_sensor_payload(power_w, 1000.0, datetime.now(UTC))
        await self._link.publish(sensor_topic(plug(number)), payload)

    async def say_offline(self, number: int) -> None:
        await self._link.publish(lwt_topic(plug(number)), b"Offline")

    async def _speak(self, number: int) -> None:
        next_s = time.monotonic() + number / PLUGS
        while True:
            await asyncio.sleep(max(0.0, next_s - time.monotonic()))
            next_s += 1.0
            if self._link.connected:
                await self.say_power(number)

    async def _came_in(self) -> None:
        self._in.set()


@dataclass
class Pages:
    """Open pages, each of a resident of its own. ``seen``: (machine, sensor) -> when each page saw it."""

    edge: EdgeProcess
    seen: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    frames: int = 0

    def __post_init__(self) -> None:
        self._news = asyncio.Event()

    async def saw(self, seen: list[float], pages: int) -> None:
        """Wait until ``pages`` pages have seen it."""
        while len(seen) < pages:
            self._news.clear()
            await self._news.wait()

    async def run(self, stack: AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
        """Open all of them; they are read by ``tasks`` and closed by ``stack``."""
        key = SigningKey.load_or_create(self.edge.data_dir / OWN_KEY)
        for number in range(PAGES):
            token = token_for(key, resident=f"r-{number}", device=f"d-{number}")
            page = await stack.enter_async_context(
                connect(
                    self.edge.live_url,
                    additional_headers={"Cookie": f"laundryd_edge={token}"},
                    origin=Origin(self.edge.origin),
                    compression=None,
                )
            )
            rooms = {ROOM.key: None}
            identify = {"type": "identify", "rooms": rooms, "visible": True, "lang": "en"}
            await page.send(json.dumps(identify))
            welcome = json.loads(await page.recv())
            assert welcome["type"] == "welcome", welcome
            tasks.create_task(self._read(page))

    async def _read(self, page: ClientConnection) -> None:
        async for text in page:
            now_s = time.monotonic()
            frame = json.loads(text)
            self.frames += 1
            if frame["type"] == "ping":
                await page.send('{"type":"pong"}')
            for event in frame.get("events", ()):
                shown = event["machine"]
                self.seen.setdefault((shown["machine"], shown["sensor"]), []).append(now_s)
            self._news.set()
