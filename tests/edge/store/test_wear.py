"""What an idle and a busy room write: an SD card must last for years."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from typing_extensions import override

from edge.room.reconcile import MachineSetup
from edge.sensing import Sensing
from edge.sources.router import Router
from edge.sources.source import PlugSpec
from edge.sources.table import build_source
from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon.clock import SteadyClock
from laundryd.daemon.steady import Sight
from laundryd.wire.ids import RoomRef
from laundryd.wire.machines import MachineKind
from laundryd.wire.phases import Phase, Sensor

ROOM = RoomRef(site="maple-hall", room="basement")
PLUGS: Final = 20
SETUPS = [
    MachineSetup(f"w{n}", MachineKind.WASHER, f"Washer {n}", has_plug=True) for n in range(PLUGS)
]
NOON_S = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
IDLE_BYTES_AN_HOUR: Final = 1_000_000
IO: Final = Path("/proc/self/io")


class HandClock(SteadyClock):
    """Moved by hand, all of it."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        super().__init__(sight=lambda: Sight(NOON_S + self.passed_s, 100 + self.passed_s, "a"))

    @override
    def monotonic_s(self) -> float:
        return self.passed_s


class Room:
    """Twenty plugs that report every second, and the shell that hears them, driven second by second."""

    def __init__(self, clock: HandClock, store: EdgeStore, writer: RoomWriter) -> None:
        self.clock, self.store, self.writer = clock, store, writer
        self.router = Router(
            [build_source(one.machine, PlugSpec("tasmota", one.machine, None)) for one in SETUPS]
        )
        self.sensing = Sensing(self.router, writer, store, clock, lambda _reading: None)
        self._chance = random.Random(1)  # noqa: S311 -- a test's dice

    async def seconds(self, seconds: int, power_w: float) -> None:
        for _ in range(seconds):
            self.clock.passed_s += 1
            for one in SETUPS:
                shown = round(power_w * self._chance.uniform(0.9, 1.1), 1)
                payload = json.dumps({"ENERGY": {"Power": shown, "Total": 12.5}}).encode()
                topic = f"tele/{one.machine}/SENSOR"
                for heard in self.router.take(topic, payload, self.clock.now(), retained=False):
                    await self.sensing._hear(heard)
            await self.sensing._look_at_clock()
            await self.sensing._tick(self.clock.now())
            await self.writer._keep_what_nothing_else_keeps()


def written_bytes() -> int:
    """All that this process has written to files, SQLite's log and its checkpoints among it."""
    if not IO.exists():
        pytest.skip("no /proc/self/io here")
    for line in IO.read_text(encoding="ascii").splitlines():
        if line.startswith("wchar: "):
            return int(line.removeprefix("wchar: "))
    raise AssertionError("no wchar in /proc/self/io")


async def test_an_idle_room_of_20_plugs_writes_less_than_1_mb_an_hour(tmp_path: Path) -> None:
    clock = HandClock()
    store = await EdgeStore.take_up(tmp_path / "room.db")
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    room = Room(clock, store, writer)
    await room.sensing.open([(one.machine, one.kind) for one in SETUPS])
    await room.seconds(120, 2.5)
    assert {one.sensor for one in writer.state.machines.values()} == {Sensor.OK}
    before = written_bytes()
    await room.seconds(1_800, 2.5)
    idle = 2 * (written_bytes() - before)
    assert {one.phase for one in writer.state.machines.values()} == {Phase.FREE}
    print(f"idle: {idle} bytes an hour")  # noqa: T201 -- the figure is the finding
    assert 0 < idle < IDLE_BYTES_AN_HOUR / 10, "with much room for what residents do"

    await room.seconds(300, 400.0)
    assert {one.phase for one in writer.state.machines.values()} == {Phase.IN_USE}
    before = written_bytes()
    await room.seconds(600, 400.0)
    busy = 6 * (written_bytes() - before)
    print(f"all {PLUGS} running: {busy} bytes an hour")  # noqa: T201
    assert busy < 5 * IDLE_BYTES_AN_HOUR, "running machines are kept together, once a minute"
    await store.close()
