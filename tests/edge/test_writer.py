from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from edge.room.decision import Accepted, Change
from edge.room.inputs import CycleFinished, CycleStarted, SensorChanged
from edge.room.reconcile import MachineSetup
from edge.room.waits import Waits
from edge.store import room_store
from edge.store.commit import Commit, DetectorState
from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.wire.commands import CommandName, CommandParams, ResidentCommand
from laundryd.wire.errors import ErrorCode
from laundryd.wire.events import AckKind, Entry, NoticeAck
from laundryd.wire.ids import Position, RoomRef
from laundryd.wire.machines import MachineKind
from laundryd.wire.phases import Cause, Phase, Sensor
from tests.edge.room.driver import NOON

ROOM = RoomRef(site="maple-hall", room="basement")
SETUPS = [
    MachineSetup("w1", MachineKind.WASHER, "Left", has_plug=True),
    MachineSetup("bare", MachineKind.WASHER, "Right", has_plug=False),
]


class HandClock(Clock):
    """A real clock whose room time a test moves by hand; sleepers wake when it has moved far enough."""

    def __init__(self) -> None:
        super().__init__()
        self._now = NOON
        self._moved = asyncio.Condition()

    @override
    def now(self) -> datetime:
        return self._now

    @override
    async def sleep_until(self, moment: datetime) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._now >= moment)

    async def move(self, minutes: float) -> None:
        async with self._moved:
            self._now += timedelta(minutes=minutes)
            self._moved.notify_all()


class Told:
    """Collects what the writer tells, and lets a test wait for a cause."""

    def __init__(self, writer: RoomWriter) -> None:
        self.entries: list[Entry] = []
        self._more = asyncio.Event()
        writer.on_entries.append(self._take)

    def _take(self, entries: list[Entry], _changes: Sequence[Change]) -> None:
        self.entries += entries
        self._more.set()

    @property
    def causes(self) -> list[Cause]:
        return [entry.event.cause for entry in self.entries if entry.event is not None]

    async def holds(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not what():
                self._more.clear()
                await self._more.wait()

    async def until(self, cause: Cause) -> Entry:
        async with asyncio.timeout(5):
            while cause not in self.causes:
                self._more.clear()
                await self._more.wait()
        return next(
            entry
            for entry in self.entries
            if entry.event is not None and entry.event.cause is cause
        )


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "edge.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[EdgeStore]:
    store = await EdgeStore.open(path)
    yield store
    await store.close()


@pytest.fixture
async def writer(store: EdgeStore, clock: HandClock) -> RoomWriter:
    return await RoomWriter.open(ROOM, SETUPS, store, clock)


def say(
    name: str, id_: str, machine: str = "w1", resident: str = "anna", minutes: int | None = None
) -> ResidentCommand:
    return ResidentCommand(
        id=id_,
        resident=resident,
        machine=machine,
        name=CommandName(name),
        params=CommandParams(minutes=minutes),
    )


async def test_a_command_repeated_with_its_id_gets_the_same_answer_and_is_done_once(
    writer: RoomWriter,
) -> None:
    told = Told(writer)
    first = await writer.command(say("claim", "c1"))
    await writer.command(say("release", "c2"))
    again = await writer.command(say("claim", "c1"))
    assert first.ok
    assert again == first
    assert told.causes == [Cause.CLAIMED, Cause.RELEASED]
    assert writer.state.machines["w1"].phase is Phase.FREE


async def test_a_refused_command_stays_refused_when_its_message_comes_again(
    writer: RoomWriter,
) -> None:
    await writer.command(say("claim", "c1", resident="ben"))
    refused = await writer.command(say("claim", "c2"))
    await writer.command(say("release", "c3", resident="ben"))
    assert await writer.command(say("claim", "c2")) == refused
    assert refused.error is not None
    assert refused.error.code is ErrorCode.NOT_YOURS
    assert writer.state.machines["w1"].phase is Phase.FREE


async def test_an_id_used_for_another_command_is_refused(writer: RoomWriter) -> None:
    await writer.command(say("claim", "c1"))
    answer = await writer.command(say("release", "c1"))
    assert answer.error is not None
    assert answer.error.code is ErrorCode.INVALID_BODY
    assert (await writer.command(say("claim", "c1", "bare", resident="ben"))).ok


async def test_the_answer_names_the_position_that_the_entries_have(writer: RoomWriter) -> None:
    told = Told(writer)
    answer = await writer.command(say("claim", "c1"))
    assert answer.position == told.entries[-1].position == writer.position
    assert answer.durable


async def test_a_restart_goes_on_with_machines_answers_and_numbers(
    path: Path, clock: HandClock
) -> None:
    store = await EdgeStore.open(path)
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    await writer.apply(SensorChanged("w1", Sensor.OK))
    await writer.apply(CycleStarted("w1", NOON))
    answer = await writer.command(say("adopt", "a1"))
    position = writer.position
    await store.close()

    store = await EdgeStore.open(path)
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    assert writer.position == position
    assert writer.state.machines["w1"].owner == "anna"
    assert await writer.command(say("adopt", "a1")) == answer
    outcome = await writer.apply(CycleFinished("w1", NOON, NOON))
    assert [entry.offset for entry in outcome.entries] == [position.offset + 1]
    await store.close()


async def test_a_machine_removed_from_the_settings_is_dropped_and_logged(
    path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = await EdgeStore.open(path)
    await RoomWriter.open(ROOM, SETUPS, store, clock)
    with caplog.at_level(logging.WARNING):
        writer = await RoomWriter.open(ROOM, SETUPS[:1], store, clock)
    assert list(writer.state.machines) == ["w1"]
    assert [record.machine for record in await store.room.records()] == ["w1"]
    assert "no machine of the settings any more" in caplog.text
    await store.close()


async def test_what_cannot_be_kept_is_neither_done_nor_told(
    writer: RoomWriter, store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(writer)
    before = writer.state

    async def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(room_store, "write", full)
    with pytest.raises(sqlite3.OperationalError):
        await writer.command(say("claim", "c1"))
    monkeypatch.undo()
    assert writer.state is before
    assert told.entries == []
    assert (await writer.command(say("claim", "c1"))).ok
    events = await store.room.since(Position(epoch=writer.position.epoch, offset=2), 10)
    assert events is not None
    assert [event.cause for event in events] == [Cause.CLAIMED]


async def test_a_request_that_goes_away_in_mid_commit_is_still_done_and_told(
    writer: RoomWriter, store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(writer)
    reached, go = asyncio.Event(), asyncio.Event()
    commit = store.room.commit

    async def slow(work: Commit) -> None:
        reached.set()
        await go.wait()
        await commit(work)

    monkeypatch.setattr(store.room, "commit", slow)
    request = asyncio.create_task(writer.command(say("claim", "c1")))
    await reached.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    go.set()
    await told.until(Cause.CLAIMED)
    assert writer.state.machines["w1"].owner == "anna"


async def test_commands_of_many_at_once_have_one_winner_and_gapless_numbers(
    writer: RoomWriter,
) -> None:
    told = Told(writer)
    answers = await asyncio.gather(
        *(writer.command(say("claim", f"c{n}", resident=f"r{n}")) for n in range(20))
    )
    assert [answer.ok for answer in answers].count(True) == 1
    assert [entry.offset for entry in told.entries] == [writer.position.offset]


async def test_a_failing_listener_costs_nobody_else_anything(
    writer: RoomWriter, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_entries: list[Entry], _changes: Sequence[Change]) -> None:
        raise ValueError("listener")

    writer.on_entries.append(fails)
    told = Told(writer)
    assert (await writer.command(say("claim", "c1"))).ok
    assert told.causes == [Cause.CLAIMED]
    assert "a listener failed" in caplog.text


async def test_the_run_ends_holds_and_programmes_at_their_time(
    writer: RoomWriter, clock: HandClock
) -> None:
    told = Told(writer)
    running = asyncio.create_task(writer.run())
    await writer.command(say("claim", "c1"))
    await writer.command(say("start", "c2", "bare", minutes=12))
    await clock.move(7)
    soon = await told.until(Cause.ENDING_SOON)
    assert soon.notices[0].params == {"name": "Right", "minutes": 5}
    await clock.move(3)
    await told.until(Cause.HOLD_ENDED)
    await clock.move(2)
    done = await told.until(Cause.FINISHED)
    assert done.notices[0].resident == "anna"
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_an_acknowledgement_becomes_one_entry_of_its_resident(
    writer: RoomWriter, clock: HandClock, store: EdgeStore
) -> None:
    await writer.command(say("start", "c1", "bare", minutes=4))
    told = Told(writer)
    running = asyncio.create_task(writer.run())
    await clock.move(4)
    (notice,) = (await told.until(Cause.FINISHED)).notices
    running.cancel()
    ack = NoticeAck(notice_id=notice.id, resident="anna", kind=AckKind.SHOWN, at=clock.now())
    foreign = ack.model_copy(update={"resident": "ben"})
    assert await writer.ack(foreign) is None
    entry = await writer.ack(ack)
    assert entry is not None
    assert entry.ack == ack
    assert told.entries[-1] == entry
    assert await writer.ack(ack) is None
    assert await store.room.pending_notices("anna", clock.now()) == []


async def test_acknowledgements_that_come_together_are_kept_together(
    writer: RoomWriter, clock: HandClock, store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = asyncio.create_task(writer.run())
    told = Told(writer)
    await writer.command(say("start", "c1", "bare", minutes=4))
    await clock.move(4)
    await told.until(Cause.FINISHED)
    running.cancel()
    (notice,) = await store.room.pending_notices("anna", clock.now())
    acks = [
        NoticeAck(notice_id=notice.id, resident="anna", kind=kind, at=clock.now())
        for kind in AckKind
    ]
    commits: list[Commit] = []
    real = store.room.commit

    async def counted(work: Commit) -> None:
        commits.append(work)
        await real(work)

    monkeypatch.setattr(store.room, "commit", counted)
    entries = await writer.acks([*acks, *acks])
    assert [entry.ack for entry in entries] == acks, "each once"
    assert [entry.offset for entry in entries] == list(
        range(entries[0].offset, entries[0].offset + len(acks))
    )
    assert len(commits) == 1
    assert await writer.acks(acks) == []


async def test_an_input_that_says_nothing_new_writes_nothing(
    writer: RoomWriter, store: EdgeStore
) -> None:
    before = store.shelf.db.total_changes
    outcome = await writer.apply(SensorChanged("bare", Sensor.NONE))
    assert outcome.decision == Accepted()
    assert store.shelf.db.total_changes == before


async def test_the_detectors_state_is_kept_with_its_signal(
    writer: RoomWriter, store: EdgeStore
) -> None:
    await writer.apply(CycleStarted("w1", NOON), detector=DetectorState("w1", '{"on": true}'))
    assert await store.documents.detector("w1") == '{"on": true}'


async def test_a_new_epoch_begins_its_numbers_at_one(writer: RoomWriter) -> None:
    old = writer.position
    epoch = await writer.new_epoch("the relay has seen more")
    answer = await writer.command(say("claim", "c1"))
    assert epoch != old.epoch
    assert answer.position == Position(epoch=epoch, offset=1)


async def test_settle_waits_for_what_has_begun(writer: RoomWriter) -> None:
    request = asyncio.create_task(writer.command(say("claim", "c1")))
    await asyncio.sleep(0)
    await writer.settle()
    assert writer.state.machines["w1"].owner == "anna"
    assert (await request).ok


async def test_who_waits_is_kept_told_and_carried_over_a_restart(
    path: Path, clock: HandClock
) -> None:
    store = await EdgeStore.open(path)
    writer = await RoomWriter.open(ROOM, SETUPS[1:], store, clock)
    await writer.command(say("start", "c1", "bare", minutes=30))
    told = Told(writer)
    answer = await writer.command(say("watch", "c2", "bare", "ben"))
    await writer.command(say("mute_pickup", "c3", "bare", "ben"))
    assert answer.ok
    assert answer.position == told.entries[0].position
    assert [entry.event for entry in told.entries] == [None, None]
    waiting = told.entries[-1].waiting
    assert waiting is not None
    assert (waiting.watches, waiting.pickup_muted) == ({MachineKind.WASHER: None}, True)
    await store.close()

    store = await EdgeStore.open(path)
    writer = await RoomWriter.open(ROOM, SETUPS[1:], store, clock)
    told = Told(writer)
    assert writer.state.waits.of("ben") == waiting
    running = asyncio.create_task(writer.run())
    await writer.command(say("release", "c4", "bare"))
    (notice,) = told.entries[-1].notices
    assert (notice.resident, notice.machine) == ("ben", "bare")
    assert [card.id for card in await store.room.pending_notices("ben", clock.now())] == [notice.id]
    await clock.move(3)
    await told.holds(lambda: not writer.state.waits.watches)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()


async def test_who_waits_that_cannot_be_read_is_forgotten_and_logged(
    store: EdgeStore, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    await store.documents.put("waits", "{broken")
    with caplog.at_level(logging.ERROR):
        writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    assert writer.state.waits == Waits()
    assert "who waits cannot be read" in caplog.text


async def test_a_rate_limit_says_how_long_and_a_repeated_message_gets_the_same_answer(
    writer: RoomWriter, clock: HandClock
) -> None:
    def report(id_: str) -> ResidentCommand:
        params = CommandParams(text="water on the floor")
        wish = say("report_fault", id_)
        return wish.model_copy(update={"params": params})

    assert (await writer.command(report("f1"))).ok
    await clock.move(4)
    refused = await writer.command(report("f2"))
    assert refused.error is not None
    assert (refused.error.code, refused.error.retry_after_s) == (ErrorCode.RATE_LIMITED, 360)
    await clock.move(10)
    assert await writer.command(report("f2")) == refused
    assert (await writer.command(report("f3"))).ok


async def test_a_machine_that_the_settings_add_is_told_to_who_waits(
    path: Path, clock: HandClock
) -> None:
    store = await EdgeStore.open(path)
    writer = await RoomWriter.open(ROOM, SETUPS[1:], store, clock)
    await writer.command(say("start", "c1", "bare"))
    await writer.command(say("watch", "c2", "bare", "ben"))
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    told = Told(writer)
    running = asyncio.create_task(writer.run())
    await told.holds(lambda: bool(told.entries))
    (notice,) = told.entries[0].notices
    assert (notice.resident, notice.machine) == ("ben", "w1")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()
