from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typing_extensions import override

from edge.dashboards.board import EVENTS_MAX, Dashboards
from edge.room.reconcile import MachineSetup
from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import BrokerSettings, MqttLink
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
