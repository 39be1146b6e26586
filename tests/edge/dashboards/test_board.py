from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typing_extensions import override

from edge.dashboards.board import EVENTS_MAX, Dashboards
from edge.room.reconcile import MachineSetup
from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import BrokerSettings, MqttLink
from laundryd.wire.commands import CommandName, CommandParams, ResidentCommand
from laundryd.wire.ids import RoomRef
from laundryd.wire.machines import MachineKind

ROOM = RoomRef(site="maple-hall", room="basement")
SETUPS = [
    MachineSetup(f"w{n}", MachineKind.WASHER, f"Washer {n}", has_plug=False) for n in range(9)
]


class FrozenBroker(MqttLink):
    """A broker that took the connection and answers nothing more: each publish runs into its time-out."""

    def __init__(self) -> None:
        super().__init__(BrokerSettings(), "x", name="x")
        self.tried = 0

    @property
    @override
    def connected(self) -> bool:
        return True

    @override
    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        self.tried += 1
        await asyncio.sleep(0)
        return False


async def test_a_broker_that_stays_away_costs_a_bounded_number_of_events(tmp_path: Path) -> None:
    store, clock = await EdgeStore.open(tmp_path / "room.db"), Clock()
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    dashboards = Dashboards(writer, clock, MqttLink(BrokerSettings(), "x", name="x"), None)
    entries = await store.room.entries_after(0, 100)
    assert entries
    for _ in range(EVENTS_MAX):
        dashboards.told(entries)
    assert len(dashboards._events) == EVENTS_MAX
    await store.close()


class LeavingBroker(MqttLink):
    """A broker that goes while the first event is sent, and is back afterwards."""

    def __init__(self) -> None:
        super().__init__(BrokerSettings(), "x", name="x")
        self.up = True
        self.taken: list[str] = []

    @property
    @override
    def connected(self) -> bool:
        return self.up

    @override
    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        if not self.taken and self.up:
            self.up = False
            self.taken.append("lost")
            return False
        if self.up and topic.endswith("/event"):
            self.taken.append(json.loads(payload)["event_type"])
        return self.up


async def test_an_event_that_the_broker_did_not_take_is_sent_when_it_is_back(
    tmp_path: Path,
) -> None:
    store, clock = await EdgeStore.open(tmp_path / "room.db"), Clock()
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    broker = LeavingBroker()
    dashboards = Dashboards(writer, clock, broker, None)
    entries = await store.room.entries_after(0, 2)
    assert entries
    dashboards.told(entries)
    told = len(dashboards._events)
    await dashboards._publish_room(lambda: None)
    assert len(dashboards._events) == told
    broker.up = True
    await dashboards._publish_room(lambda: None)
    assert len(broker.taken) == 1 + told
    await store.close()


@pytest.mark.parametrize("at_cloud", [False, True])
async def test_a_frozen_broker_does_not_look_like_a_hung_task(
    tmp_path: Path, *, at_cloud: bool
) -> None:
    store, clock = await EdgeStore.open(tmp_path / "room.db"), Clock()
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    room, cloud = FrozenBroker(), FrozenBroker()
    broker = cloud if at_cloud else room
    dashboards = Dashboards(writer, clock, room, cloud)
    dashboards.connected(at_cloud=at_cloud)
    since_beat, longest = 0, 0
    all_tried = asyncio.Event()

    def beat() -> None:
        nonlocal since_beat, longest
        longest = max(longest, broker.tried - since_beat)
        since_beat = broker.tried
        if broker.tried == len(SETUPS):
            all_tried.set()

    task = asyncio.create_task(dashboards.run(beat))
    async with asyncio.timeout(10):
        await all_tried.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.close()
    assert longest == 1, "publishes between two beats"


class KeepingBroker(FrozenBroker):
    """A broker that keeps what it is told, by the topic's last two levels."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[str, dict[str, object]]] = []
        self._more = asyncio.Event()

    @override
    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        self.kept.append((topic.rpartition("/machine/")[2], json.loads(payload)))
        self._more.set()
        return True

    async def has(self, messages: int) -> None:
        while len(self.kept) < messages:
            self._more.clear()
            await self._more.wait()


async def test_what_residents_wrote_reaches_the_rooms_broker_and_never_the_clouds(
    tmp_path: Path,
) -> None:
    store, clock = await EdgeStore.open(tmp_path / "room.db"), Clock()
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    room, cloud = KeepingBroker(), KeepingBroker()
    dashboards = Dashboards(writer, clock, room, cloud)
    writer.on_entries.append(lambda entries, _changes: dashboards.told(entries))
    report = ResidentCommand(
        id="f1",
        resident="resident-anna",
        machine="w3",
        name=CommandName.REPORT_FAULT,
        params=CommandParams(text="water on the floor"),
    )
    assert (await writer.command(report)).ok
    task = asyncio.create_task(dashboards.run())
    async with asyncio.timeout(10):
        await room.has(2)
        await cloud.has(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.close()
    told = dict(room.kept)
    assert told["w3/event"]["fault_text"] == "water on the floor"
    assert told["w3/state"]["fault_text"] == "water on the floor"
    assert told["w3/state"]["fault_reports"] == 1
    assert "resident-anna" not in str(room.kept)
    ((topic, state),) = cloud.kept
    assert (topic, state["fault_reports"], state["fault_text"]) == ("w3/state", 1, None)


class BusyBroker(KeepingBroker):
    """A broker that stays connected and takes no state at its first word."""

    def __init__(self) -> None:
        super().__init__()
        self._refused = False

    @override
    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        if topic.endswith("/state") and not self._refused:
            self._refused = True
            return False
        return await super().publish(topic, payload, retain=retain)


@pytest.mark.parametrize("at_cloud", [False, True])
async def test_a_state_that_a_broker_did_not_take_is_published_again(
    tmp_path: Path, *, at_cloud: bool
) -> None:
    store, clock = await EdgeStore.open(tmp_path / "room.db"), Clock()
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    room, cloud = BusyBroker(), BusyBroker()
    dashboards = Dashboards(writer, clock, room, cloud)
    dashboards.connected(at_cloud=at_cloud)
    task = asyncio.create_task(dashboards.run())
    broker = cloud if at_cloud else room
    async with asyncio.timeout(10):
        await broker.has(len(SETUPS))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.close()
    assert {topic for topic, _ in broker.kept} == {f"{one.machine}/state" for one in SETUPS}


class ForgettingBroker(FrozenBroker):
    """A broker that can be away and notes which retained topics were emptied."""

    def __init__(self, *, up: bool) -> None:
        super().__init__()
        self.up = up
        self.emptied: list[str] = []

    @property
    @override
    def connected(self) -> bool:
        return self.up

    @override
    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        if self.up and retain and not payload:
            self.emptied.append(topic)
        return self.up

    async def has_emptied(self, messages: int) -> None:
        async with asyncio.timeout(10):
            while len(self.emptied) < messages:  # noqa: ASYNC110 -- the dashboards' own pace
                await asyncio.sleep(0.02)


async def test_a_removed_machine_is_emptied_at_both_brokers_also_at_one_that_was_away(
    tmp_path: Path,
) -> None:
    path = tmp_path / "room.db"
    store, clock = await EdgeStore.open(path), Clock()
    await RoomWriter.open(ROOM, SETUPS[:3], store, clock)
    await store.close()
    w1, w2 = (f"laundry/v1/maple-hall/basement/machine/{name}/state" for name in ("w1", "w2"))

    async def start(
        setups: list[MachineSetup], room: ForgettingBroker, cloud: ForgettingBroker
    ) -> None:
        store = await EdgeStore.open(path)
        dashboards = Dashboards(
            await RoomWriter.open(ROOM, setups, store, clock), clock, room, cloud
        )
        task = asyncio.create_task(dashboards.run())
        for broker in (room, cloud):
            if broker.up:
                dashboards.connected(at_cloud=broker is cloud)
                await broker.has_emptied(len(SETUPS[:3]) - len(setups))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()

    room, cloud = ForgettingBroker(up=True), ForgettingBroker(up=False)
    await start(SETUPS[:1], room, cloud)
    assert (room.emptied, cloud.emptied) == ([w1, w2], [])
    room, cloud = ForgettingBroker(up=False), ForgettingBroker(up=True)
    await start([SETUPS[0], SETUPS[2]], room, cloud)
    assert (room.emptied, cloud.emptied) == ([], [w1]), "one that is back is no ghost"
