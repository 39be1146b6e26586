"""The store's cap on its size: an SD card cannot be filled, and the room goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiosqlite
import pytest

from edge.room.inputs import Tick
from edge.store.carrying import Bequest
from edge.store.commit import LearnedState
from edge.store.edge_store import EdgeStore
from edge.store.limits import ACKS_CARRIED_MAX, NOTICES_MAX, UNACKNOWLEDGED_MAX
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import WAL_BYTES_KEPT
from laundryd.wire.commands import CommandName, ResidentCommand
from laundryd.wire.ids import Position
from laundryd.wire.notices import Notice
from tests.edge.store.test_failing_disk import ROOM, SETUPS
from tests.edge.test_writer import HandClock

MIB = 1024 * 1024
CAP = 8 * MIB
LARGE = f'"{"x" * 200 * 1024}"'


async def _says(writer: RoomWriter, number: int) -> bool:
    name = (CommandName.CLAIM, CommandName.RELEASE)[number % 2]
    answer = await writer.command(
        ResidentCommand(id=f"c{number}", resident="anna", machine="w1", name=name)
    )
    assert answer.ok, answer.error
    return answer.durable


async def test_at_its_cap_a_snapshot_stands_for_what_goes_and_who_is_to_be_told_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / "room.db", HandClock()
    store = await EdgeStore.take_up(path, CAP)
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    notice = await a_hold_that_ends(writer, clock)
    before = writer.position
    told: list[Position] = []
    writer.on_new_epoch.append(lambda: told.append(writer.position))
    # What may not go takes most of the room; then the journal grows into the cap.
    for number in range(38):
        await store.documents.keep_learned(LearnedState(f"m{number}", LARGE))
    number = 0
    while "reached its cap" not in caplog.text:
        assert await _says(writer, number)
        number += 1
        assert number < 5_000
    assert await _says(writer, number)
    assert (store.durable, store.trouble) == (True, None)
    assert writer.position.epoch != before.epoch, "the relay gets a snapshot for what it never had"
    assert [one.epoch for one in told] == [writer.position.epoch]
    kept = await store.room.entries_after(0, 10_000)
    assert kept is not None
    assert [one.offset for one in kept] == list(range(1, writer.position.offset + 1))
    assert [one for entry in kept for one in entry.told] == [notice]
    assert path.stat().st_size <= CAP
    assert path.with_name("room.db-wal").stat().st_size <= 2 * WAL_BYTES_KEPT
    await store.close()
    assert path.stat().st_size <= CAP


async def test_at_its_cap_only_what_the_relay_has_goes_while_that_is_enough(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await EdgeStore.take_up(tmp_path / "room.db", CAP)
    writer = await RoomWriter.open(ROOM, SETUPS, store, Clock())
    epoch = writer.position.epoch
    for number in range(38):
        await store.documents.keep_learned(LearnedState(f"m{number}", LARGE))
    number = 0
    while "reached its cap" not in caplog.text:
        assert await _says(writer, number)
        assert await store.room.acknowledge(epoch, writer.position.offset)
        number += 1
        assert number < 5_000
    assert writer.position.epoch == epoch
    assert 0 < store.room.dropped < writer.position.offset
    await store.close()


async def a_hold_that_ends(writer: RoomWriter, clock: HandClock, nth: int = 1) -> Notice:
    """Bea claims and does not come; return what she is told."""
    answer = await writer.command(
        ResidentCommand(id=f"bea{nth}", resident="bea", machine="w2", name=CommandName.CLAIM)
    )
    assert answer.ok
    await clock.move(11)
    (entry,) = (await writer.apply(Tick())).entries
    (notice,) = entry.notices
    return notice


async def what_is_told_past_the_cap(path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Say whether a notice that waits for the relay still does after more happened than is kept."""
    monkeypatch.setattr("edge.store.room_store.UNACKNOWLEDGED_MAX", 8)
    store, clock = await EdgeStore.open(path), HandClock()
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    notice = await a_hold_that_ends(writer, clock)
    epochs = {writer.position.epoch}
    for number in range(40):
        assert await _says(writer, number)
        epochs.add(writer.position.epoch)
        assert writer.position.offset <= 8, "bounded"
    assert len(epochs) > 3
    kept = await store.room.entries_after(0, 100)
    assert kept is not None
    assert [one.offset for one in kept] == list(range(1, writer.position.offset + 1))
    await store.close()
    return notice in [one for entry in kept for one in entry.told]


async def test_with_more_waiting_than_is_kept_who_is_to_be_told_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await what_is_told_past_the_cap(tmp_path / "room.db", monkeypatch)
    assert NOTICES_MAX + ACKS_CARRIED_MAX < UNACKNOWLEDGED_MAX, "each new journal has room"


async def test_without_carrying_a_notice_that_waited_too_long_is_told_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_db: aiosqlite.Connection) -> Bequest:
        return Bequest()

    monkeypatch.setattr("edge.store.room_store.bequest_of", nothing)
    assert not await what_is_told_past_the_cap(tmp_path / "room.db", monkeypatch)


async def test_when_all_that_is_kept_must_stay_the_cap_moves_the_room_into_memory(
    tmp_path: Path,
) -> None:
    store = await EdgeStore.take_up(tmp_path / "room.db", CAP)
    writer = await RoomWriter.open(ROOM, SETUPS, store, Clock())
    for number in range(60):
        await store.documents.keep_learned(LearnedState(f"m{number}", LARGE))
    assert store.trouble == "what must be kept is more than store.max_mb: raise it"
    assert not await store.back_to_disk()
    assert not await _says(writer, 0)
    assert await store.documents.learned("m59") is not None, "what was refused went into memory"
    await store.close()


async def test_at_its_cap_with_nothing_in_the_journal_that_may_go_the_room_goes_into_memory(
    tmp_path: Path,
) -> None:
    store, clock = await EdgeStore.take_up(tmp_path / "room.db", CAP), HandClock()
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    notices = [await a_hold_that_ends(writer, clock, nth) for nth in range(3)]
    # Each begins an epoch with the notices alone once the cap is reached: that wins nothing the next time.
    async with asyncio.timeout(30):
        for number in range(60):
            learned = LearnedState(f"m{number}", LARGE)
            await writer.apply(Tick(), learned=learned)
    assert store.trouble == "what must be kept is more than store.max_mb: raise it"
    assert await store.documents.learned("m59") is not None, "what was refused went into memory"
    kept = await store.room.entries_after(0, 100)
    assert kept is not None
    assert [one for entry in kept for one in entry.told] == notices
    await store.close()


async def test_an_epoch_with_nothing_but_what_it_took_along_is_not_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, clock = await EdgeStore.open(tmp_path / "room.db"), HandClock()
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    notices = [await a_hold_that_ends(writer, clock, nth) for nth in range(3)]
    monkeypatch.setattr("edge.store.room_store.UNACKNOWLEDGED_MAX", 2)
    async with asyncio.timeout(30):
        assert await _says(writer, 0), "answered, though what is carried is more than may wait"
    kept = await store.room.entries_after(0, 100)
    assert kept is not None
    assert [one for entry in kept for one in entry.told] == notices
    await store.close()


async def test_what_a_detector_learned_is_kept_beside_its_state(tmp_path: Path) -> None:
    store = await EdgeStore.open(tmp_path / "room.db")
    assert await store.documents.learned("w1") is None
    await store.documents.keep_learned(LearnedState("w1", "[1]"))
    await store.documents.keep_learned(LearnedState("w1", "[1, 2]"))
    assert await store.documents.learned("w1") == "[1, 2]"
    assert await store.documents.detector("w1") is None
    await store.close()
