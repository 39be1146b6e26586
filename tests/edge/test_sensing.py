"""The shell between plugs and room: what it keeps, and what it does when something fails."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Self

import pytest
from typing_extensions import override

from edge import sensing as sensing_module
from edge.detect.detector import Detector
from edge.detect.signals import CycleFinished, CycleStarted
from edge.room.inputs import CycleFinished as RoomCycleFinished
from edge.room.inputs import RoomInput, StaffOrder
from edge.room.reconcile import MachineSetup
from edge.sensing import INBOX_MAX, Sensing
from edge.sources.router import Router
from edge.sources.source import PlugSpec
from edge.sources.table import build_source
from edge.store.commit import DetectorState, LearnedState
from edge.store.edge_store import EdgeStore
from edge.writer import Outcome, RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import Message
from laundryd.wire.commands import StaffCommand, StaffCommandName
from laundryd.wire.ids import RoomRef
from laundryd.wire.machines import MachineKind
from laundryd.wire.phases import Phase, Sensor

ROOM = RoomRef(site="maple-hall", room="basement")
WASHER = ("w1", MachineKind.WASHER)
SETUP = MachineSetup("w1", MachineKind.WASHER, "Washer 1", has_plug=True)
NOW = datetime.now(UTC).replace(microsecond=0)
STARTED = CycleStarted(NOW, NOW - timedelta(minutes=40))
FINISHED = CycleFinished(NOW, STARTED.started_at, NOW - timedelta(minutes=5))


class PowerCut(BaseException):
    """The process is gone."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EdgeStore]:
    store = await EdgeStore.open(tmp_path / "room.db")
    yield store
    await store.close()


async def sensing_of(store: EdgeStore) -> tuple[Sensing, RoomWriter]:
    """Start anew on what is kept, as a restart does."""
    clock = Clock()
    writer = await RoomWriter.open(ROOM, [SETUP], store, clock)
    router = Router([build_source("w1", PlugSpec("tasmota", "washer-1", None))])
    sensing = Sensing(router, writer, store, clock, lambda _reading: None)
    await sensing.open([WASHER])
    return sensing, writer


async def test_a_crash_between_two_signals_loses_neither(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # After a long hold-up one reading may show a start and its end.
    sensing, writer = await sensing_of(store)
    sensing._ears["w1"].due += [STARTED, FINISHED]
    real = writer.apply

    async def cut_at_the_end(
        given: RoomInput,
        *,
        detector: DetectorState | None = None,
        learned: LearnedState | None = None,
    ) -> Outcome:
        if isinstance(given, RoomCycleFinished):
            raise PowerCut
        return await real(given, detector=detector, learned=learned)

    monkeypatch.setattr(writer, "apply", cut_at_the_end)
    with pytest.raises(PowerCut):
        await sensing._tick(NOW)
    assert writer.state.machines["w1"].phase is Phase.IN_USE

    sensing, writer = await sensing_of(store)
    assert writer.state.machines["w1"].phase is Phase.IN_USE
    await sensing._tick(NOW)
    record = writer.state.machines["w1"]
    assert record.phase is Phase.FINISHED
    assert (record.started_at, record.ended_at) == (STARTED.started_at, FINISHED.ended_at)

    sensing, writer = await sensing_of(store)
    position = writer.position
    await sensing._tick(NOW)
    assert writer.position == position, "and neither is told twice"


async def test_a_cycle_that_staff_ended_ends_at_the_detector_too_over_a_restart(
    store: EdgeStore,
) -> None:
    sensing, writer = await sensing_of(store)
    begin = NOW - timedelta(minutes=30)
    for second in range(0, 1_200, 5):
        for heard in sensing._router.take(
            "tele/washer-1/SENSOR", b'{"ENERGY": {"Power": 200}}', begin + timedelta(seconds=second)
        ):
            await sensing._hear(heard)
    assert writer.state.machines["w1"].phase is Phase.IN_USE
    ended = StaffCommand(id="e", machine="w1", name=StaffCommandName.ENDED)
    assert (await writer.command(StaffOrder("kim", ended))).ok
    assert sensing._ears["w1"].detector.started_at is not None

    sensing, writer = await sensing_of(store)
    assert writer.state.machines["w1"].stopped_cycle is not None
    await sensing._tick(begin + timedelta(seconds=1_201))
    record = writer.state.machines["w1"]
    assert (record.phase, record.stopped_cycle) == (Phase.FINISHED, None)
    assert sensing._ears["w1"].detector.started_at is None
    position = writer.position
    await sensing._tick(begin + timedelta(seconds=1_202))
    assert writer.position == position


async def test_what_a_full_disk_refused_stays_due(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sensing_module, "RETRY_S", 0.0)
    sensing, writer = await sensing_of(store)
    sensing._ears["w1"].due += [STARTED, FINISHED]
    real = writer.apply

    async def full(
        _given: RoomInput,
        *,
        detector: DetectorState | None = None,
        learned: LearnedState | None = None,
    ) -> Outcome:
        del detector, learned
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(writer, "apply", full)
    await sensing._tick(NOW)
    assert "cannot be kept yet" in caplog.text
    monkeypatch.setattr(writer, "apply", real)
    await sensing._tick(NOW)
    assert writer.state.machines["w1"].phase is Phase.FINISHED


async def test_a_full_disk_holds_up_a_look_at_all_machines_once_and_not_once_for_each(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensing, writer = await sensing_of(store)
    for number in range(20):
        await sensing.open([(f"w{number}", MachineKind.WASHER)])
        sensing._ears[f"w{number}"].due.append(STARTED)
    rests: list[float] = []

    async def full(
        _given: RoomInput,
        *,
        detector: DetectorState | None = None,
        learned: LearnedState | None = None,
    ) -> Outcome:
        del detector, learned
        raise sqlite3.OperationalError("database or disk is full")

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr(writer, "apply", full)
    monkeypatch.setattr(asyncio, "sleep", rest)
    await sensing._tick(NOW)
    assert rests == [sensing_module.RETRY_S]


@pytest.mark.parametrize("body", ["{", "{}", '{"detector": {}, "due": []}', "[1]", '{"due": 1}'])
async def test_a_kept_detector_that_cannot_be_read_begins_anew(
    store: EdgeStore, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    await store.documents.keep_detectors([DetectorState("w1", body)])
    sensing, _ = await sensing_of(store)
    assert sensing._ears["w1"].detector.started_at is None
    assert [one.machine for one in caplog.records if hasattr(one, "machine")] == ["w1"]


async def test_more_than_is_kept_is_dropped_and_counted(store: EdgeStore) -> None:
    sensing, _ = await sensing_of(store)
    for _ in range(INBOX_MAX + 3):
        sensing.arrived(Message("tele/washer-1/SENSOR", b"{}", retained=False))
    assert sensing.dropped == 3


async def test_it_works_through_its_inbox_and_judges_the_sensor(store: EdgeStore) -> None:
    sensing, writer = await sensing_of(store)
    assert writer.state.machines["w1"].sensor is Sensor.SILENT
    beats = 0
    done = asyncio.Event()

    def beat() -> None:
        nonlocal beats
        beats += 1
        if writer.state.machines["w1"].sensor is Sensor.SILENT and beats > 5:
            done.set()

    sensing.arrived(Message("tele/washer-1/SENSOR", b'{"ENERGY": {"Power": 3}}', retained=False))
    sensing.arrived(Message("tele/washer-1/LWT", b"Offline", retained=True))
    task = asyncio.create_task(sensing.run(beat))
    async with asyncio.timeout(10):
        await done.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert sensing._ears["w1"].last_reading_at is not None
    await writer.settle()


class LearningDetector(Detector):
    """A detector that has learned what a test says that it did."""

    learned: ClassVar[dict[str, object]] = {}
    loaded: ClassVar[object] = None

    @property
    @override
    def learned_revision(self) -> int:
        return len(str(self.learned)) if self.learned else 0

    @override
    def dump_learned(self) -> dict[str, object]:
        return self.learned

    @classmethod
    @override
    def load(
        cls,
        kind: MachineKind,
        kept: Mapping[str, object] | None,
        learned: Mapping[str, object] | None = None,
    ) -> Self:
        cls.loaded = learned
        return super().load(kind, kept)


async def test_what_a_detector_learned_is_kept_apart_with_the_signal_and_only_when_it_changed(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensing_module, "Detector", LearningDetector)
    sensing, writer = await sensing_of(store)
    monkeypatch.setattr(LearningDetector, "learned", {"cycles": [1]})
    ear = sensing._ears["w1"]
    written: list[LearnedState | None] = []
    real = writer.apply

    async def watched(
        given: RoomInput,
        *,
        detector: DetectorState | None = None,
        learned: LearnedState | None = None,
    ) -> Outcome:
        if detector is not None:
            assert "cycles" not in detector.body, "the small part is small"
            written.append(learned)
        return await real(given, detector=detector, learned=learned)

    monkeypatch.setattr(writer, "apply", watched)
    ear.due += [STARTED]
    await sensing._tick(NOW)
    monkeypatch.setattr(LearningDetector, "learned", {"cycles": [1, 2]})
    ear.due += [FINISHED]
    await sensing._tick(NOW)
    ear.due += [CycleStarted(NOW, NOW)]
    await sensing._tick(NOW)
    bodies = [one.body if one else None for one in written]
    assert bodies == ['{"cycles":[1]}', '{"cycles":[1,2]}', None]
    assert await store.documents.learned("w1") == '{"cycles":[1,2]}'

    await sensing_of(store)
    assert LearningDetector.loaded == {"cycles": [1, 2]}, "a restart gives it back"


async def test_more_than_may_be_learned_is_not_kept_and_said(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sensing_module, "Detector", LearningDetector)
    monkeypatch.setattr(sensing_module, "LEARNED_BYTES_MAX", 4)
    sensing, writer = await sensing_of(store)
    monkeypatch.setattr(LearningDetector, "learned", {"cycles": [1]})
    sensing._ears["w1"].due.append(STARTED)
    await sensing._tick(NOW)
    assert writer.state.machines["w1"].phase is Phase.IN_USE
    assert await store.documents.learned("w1") is None
    assert "a restart forgets it" in caplog.text


async def test_while_the_broker_is_away_nothing_is_concluded(store: EdgeStore) -> None:
    sensing, writer = await sensing_of(store)
    ear = sensing._ears["w1"]
    finder = ear.detector._finder
    begin_s = NOW.timestamp() - 7_200
    for second in range(0, 3_600, 10):
        finder.sample(begin_s + second, 300.0 + second % 7)
    for second in range(3_600, 3_720, 10):
        finder.sample(begin_s + second, 1.0)
    assert ear.detector.started_at is not None

    def later(seconds: float) -> datetime:
        return datetime.fromtimestamp(begin_s + 3_720 + seconds, UTC)

    sensing.not_listening()
    finder.state.gone_s = begin_s + 3_720
    assert ear.detector.tick(later(590)) == []
    sensing._deaf_since_s -= 1_000
    sensing.listening_again()
    assert ear.detector.tick(later(590)) == [], "it was away for long: what was said last is old"

    sensing.not_listening()
    sensing.listening_again()
    assert ear.detector.tick(later(590)) == [], "gone before, it is gone still"
    ear.detector.back()
    [finished] = ear.detector.tick(later(590))
    assert isinstance(finished, CycleFinished)
    assert writer.state.machines["w1"].phase is Phase.FREE
