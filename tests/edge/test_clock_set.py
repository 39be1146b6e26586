"""The whole room under a clock that is set: running, over a restart, and over a reboot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from edge import sensing as sensing_module
from edge import writer as writer_module
from edge.detect.detector import Detector
from edge.detect.signals import CycleStarted
from edge.room.inputs import CycleStarted as CycleBegan
from edge.room.inputs import Tick
from edge.room.reconcile import MachineSetup
from edge.sensing import Sensing
from edge.sources.router import Router
from edge.sources.source import PlugSpec
from edge.sources.table import build_source
from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon.clock import SteadyClock
from laundryd.daemon.mqtt import Message
from laundryd.daemon.steady import Sight
from laundryd.wire.commands import CommandName, CommandParams, ResidentCommand
from laundryd.wire.events import Entry
from laundryd.wire.ids import RoomRef
from laundryd.wire.machines import MachineKind
from laundryd.wire.notices import Notice, NoticeKind
from laundryd.wire.phases import Cause, Phase, Sensor

ROOM = RoomRef(site="maple-hall", room="basement")
SETUPS = [
    MachineSetup("w1", MachineKind.WASHER, "Washer 1", has_plug=True),
    MachineSetup("w2", MachineKind.WASHER, "Washer 2", has_plug=False),
]
NOON_S = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
HOUR = timedelta(hours=1)


class Computer:
    """Its clocks, moved by hand."""

    def __init__(self) -> None:
        self.wall_s, self.boot_s, self.boot_id = NOON_S, 100.0, "first"

    def sees(self) -> Sight:
        return Sight(self.wall_s, self.boot_s, self.boot_id)

    def passes(self, duration: timedelta) -> None:
        self.wall_s += duration.total_seconds()
        self.boot_s += duration.total_seconds()

    def is_set(self, by: timedelta) -> None:
        self.wall_s += by.total_seconds()

    def reboots(self, wall_s: float) -> None:
        self.wall_s, self.boot_s, self.boot_id = wall_s, 5.0, "second"


class MovableDetector(Detector):
    """A detector that takes note of what it is moved by."""

    shifted_s = 0.0

    @override
    def shift(self, delta_s: float) -> None:
        self.shifted_s += delta_s


class Room:
    """Store, writer and sensing on a computer, started anew as often as a test wants."""

    def __init__(self, path: Path, computer: Computer) -> None:
        self.path, self.computer = path, computer
        self.told: list[Entry] = []

    async def start(self) -> None:
        self.clock = SteadyClock(sight=self.computer.sees)
        self.store = await EdgeStore.take_up(self.path)
        self.writer = await RoomWriter.open(ROOM, SETUPS, self.store, self.clock)
        self.writer.on_entries.append(lambda entries, _changes: self.told.extend(entries))
        router = Router([build_source("w1", PlugSpec("tasmota", "washer-1", None))])
        self.sensing = Sensing(router, self.writer, self.store, self.clock, lambda _reading: None)
        await self.sensing.open([("w1", MachineKind.WASHER)])

    async def dies(self) -> None:
        await self.store.close()

    async def say(self, name: str, machine: str = "w2", minutes: int | None = None) -> None:
        answer = await self.writer.command(
            ResidentCommand(
                id=f"{name}-{machine}",
                resident="anna",
                machine=machine,
                name=CommandName(name),
                params=CommandParams(minutes=minutes),
            )
        )
        assert answer.ok, answer.error

    async def run_until(self, found: Callable[[], bool]) -> None:
        tasks = [
            asyncio.create_task(self.writer.run()),
            asyncio.create_task(self.sensing.run()),
        ]
        async with asyncio.timeout(10):
            while not found():  # noqa: ASYNC110 -- the things under test have no events for tests
                await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.writer.settle()

    def left(self, machine: str = "w2") -> timedelta:
        """How long the machine is still held or runs."""
        record = self.writer.state.machines[machine]
        until = record.held_until or record.ends_at
        assert until is not None
        return until - self.clock.now()


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(sensing_module, "Detector", MovableDetector)
    room = Room(tmp_path / "room.db", Computer())
    await room.start()
    return room


@pytest.mark.parametrize("by", [HOUR, -HOUR, timedelta(days=-300)])
async def test_a_clock_that_is_set_while_the_room_works_moves_every_deadline(
    room: Room, by: timedelta
) -> None:
    await room.say("claim")
    began = room.clock.now()
    room.computer.passes(timedelta(minutes=4))
    await room.writer.apply(CycleBegan("w1", began))
    room.sensing.arrived(Message("tele/washer-1/LWT", b"Online", retained=True))
    assert room.left() == timedelta(minutes=6)
    room.computer.is_set(by)
    assert room.left() == timedelta(minutes=6), "nobody sees the new time before it is taken in"
    await room.run_until(lambda: room.clock.now() == began + timedelta(minutes=4) + by)

    assert room.left() == timedelta(minutes=6)
    running = room.writer.state.machines["w1"]
    assert running.started_at == running.plug_cycle_since == began + by
    ear = room.sensing._ears["w1"]
    assert isinstance(ear.detector, MovableDetector)
    assert ear.detector.shifted_s == by.total_seconds()
    assert ear.listening_since == began + by
    told = {entry.event.machine.machine: entry.event for entry in room.told if entry.event}
    assert told["w2"].cause is Cause.SENSOR_CHANGED, "who counts down is told the new end"
    assert told["w2"].machine.held_until == room.clock.now() + timedelta(minutes=6)
    assert await room.store.room.records() == list(room.writer.state.machines.values())

    # A kill right after it does not move anything a second time.
    await room.dies()
    room.computer.passes(timedelta(minutes=1))
    await room.start()
    assert room.left() == timedelta(minutes=5)
    await room.dies()


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_holds_warning_comes_once_over_a_set_clock_and_a_kill(
    room: Room, by: timedelta
) -> None:
    def warnings() -> list[Notice]:
        told = [notice for entry in room.told for notice in entry.notices]
        return [one for one in told if one.kind is NoticeKind.HOLD_ENDING]

    await room.say("claim")
    room.computer.passes(timedelta(minutes=4))
    room.computer.is_set(by)
    await room.run_until(lambda: room.clock.now() == datetime.fromtimestamp(NOON_S + 240, UTC) + by)
    assert warnings() == []
    await room.dies()
    room.computer.passes(timedelta(minutes=4, seconds=1))
    await room.start()
    await room.run_until(lambda: bool(warnings()))
    await room.dies()
    room.computer.passes(timedelta(minutes=1))
    await room.start()
    await room.writer.apply(Tick())
    (warning,) = warnings()
    assert (warning.resident, warning.params["minutes"]) == ("anna", 2)
    assert room.writer.state.machines["w2"].phase is Phase.CLAIMED
    (card,) = await room.store.room.pending_notices("anna", room.clock.now())
    assert card == warning.card()
    await room.dies()


async def test_slewing_moves_nothing_and_is_followed(room: Room) -> None:
    await room.say("claim")
    for _ in range(10):
        room.computer.passes(timedelta(seconds=1))
        room.computer.is_set(timedelta(seconds=-0.5))
        assert room.clock.look() is None
    assert room.clock.now() == datetime.fromtimestamp(NOON_S + 5, UTC)
    assert room.left() == timedelta(seconds=595)
    await room.dies()


async def test_a_clock_that_is_set_while_the_daemon_is_down_is_noticed_at_its_start(
    room: Room,
) -> None:
    await room.say("claim")
    ear = room.sensing._ears["w1"]
    ear.due.append(CycleStarted(room.clock.now(), room.clock.now()))
    await room.sensing._tick(room.clock.now())
    assert room.writer.state.machines["w1"].phase is Phase.IN_USE
    await room.dies()
    room.computer.passes(timedelta(minutes=4))
    room.computer.is_set(HOUR)
    await room.start()
    assert room.left() == timedelta(minutes=6)
    detector = room.sensing._ears["w1"].detector
    assert isinstance(detector, MovableDetector)
    assert detector.shifted_s == HOUR.total_seconds(), "what was kept is in the old time"
    await room.dies()
    await room.start()
    detector = room.sensing._ears["w1"].detector
    assert isinstance(detector, MovableDetector)
    assert detector.shifted_s == HOUR.total_seconds(), "it was not kept anew"
    assert room.left() == timedelta(minutes=6)
    await room.dies()


async def test_over_a_reboot_what_was_due_meanwhile_is_done_at_the_start(room: Room) -> None:
    await room.say("start", minutes=60)
    await room.say("claim", "w1")
    await room.dies()
    room.computer.reboots(NOON_S + 1_200)
    await room.start()
    assert room.left("w2") == timedelta(minutes=40)
    assert room.writer.state.machines["w1"].phase is Phase.CLAIMED, "not before it is at work"
    await room.run_until(lambda: room.writer.state.machines["w1"].phase is Phase.FREE)
    assert Cause.HOLD_ENDED in [entry.event.cause for entry in room.told if entry.event]
    assert room.left("w2") == timedelta(minutes=40)
    await room.dies()


async def test_without_a_battery_clock_time_goes_on_until_the_clock_is_set(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    await room.say("claim")
    await room.dies()
    room.computer.reboots(0.0)
    await room.start()
    assert "the computer's clock is not set" in caplog.text
    assert room.clock.now() == datetime.fromtimestamp(NOON_S, UTC)
    assert room.clock.real_now() == room.clock.now()
    assert room.left() == timedelta(minutes=10)
    room.computer.passes(timedelta(minutes=1))
    await room.dies()
    await room.start()
    assert room.left() == timedelta(minutes=9), "and over a restart in that boot"
    room.computer.wall_s = NOON_S + 7_200
    await room.run_until(lambda: room.clock.now().timestamp() == NOON_S + 7_200)
    assert room.left() == timedelta(minutes=9)
    await room.dies()


async def test_the_relays_time_counts_while_the_clock_is_not_set(room: Room) -> None:
    await room.say("claim")
    room.clock.heard_from_relay(room.clock.now() + HOUR)
    assert room.clock.look() is None, "a set clock is believed"
    await room.dies()
    room.computer.reboots(0.0)
    await room.start()
    room.clock.heard_from_relay(room.clock.now() + HOUR)
    room.computer.passes(timedelta(seconds=2))
    await room.run_until(lambda: room.clock.now().timestamp() == NOON_S + 3_602)
    assert room.left() == timedelta(seconds=598)
    await room.dies()


async def test_notices_that_wait_keep_their_time_too(room: Room) -> None:
    await room.say("claim")
    room.computer.passes(timedelta(minutes=10))
    await room.run_until(lambda: room.writer.state.machines["w2"].phase is Phase.FREE)
    (before,) = await room.store.room.pending_notices("anna", room.clock.now())
    room.computer.is_set(timedelta(days=1))
    await room.run_until(lambda: room.store.room.clock_shift == timedelta(days=1))
    (after,) = await room.store.room.pending_notices("anna", room.clock.now())
    assert after.useful_until - before.useful_until == timedelta(days=1)
    assert after.id == before.id
    await room.dies()


async def test_messages_that_wait_move_with_the_rest(room: Room) -> None:
    room.sensing.arrived(
        Message("tele/washer-1/SENSOR", b'{"ENERGY": {"Power": 3}}', retained=False)
    )
    room.sensing.clock_set(HOUR)
    at, _ = room.sensing._inbox.get_nowait()
    assert at == room.clock.now() + HOUR
    await room.dies()


async def test_an_idle_room_keeps_its_clock_now_and_then(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "KEEP_CLOCK_S", 0.0)
    kept = room.store.room.clock
    room.computer.passes(HOUR)
    await room.run_until(lambda: room.store.room.clock != kept)
    await room.dies()
    room.computer.reboots(0.0)
    await room.start()
    assert room.clock.now() == datetime.fromtimestamp(NOON_S, UTC) + HOUR
    assert room.writer.state.machines["w1"].sensor is Sensor.SILENT
    await room.dies()
