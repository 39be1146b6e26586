"""The store's cap on its size: an SD card cannot be filled, and the room goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.store.commit import LearnedState
from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import WAL_BYTES_KEPT
from laundryd.wire.commands import CommandName, ResidentCommand
from tests.edge.store.test_failing_disk import ROOM, SETUPS

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


async def test_at_its_cap_the_oldest_go_and_a_snapshot_stands_for_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "room.db"
    store = await EdgeStore.take_up(path, CAP)
    writer = await RoomWriter.open(ROOM, SETUPS, store, Clock())
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
    assert store.room.overflow, "the relay gets a snapshot for what it never had"
    assert store.room.dropped > 0
    kept = await store.room.entries_after(store.room.dropped, 10_000)
    assert kept is not None
    assert [one.offset for one in kept] == list(
        range(store.room.dropped + 1, writer.position.offset + 1)
    )
    assert path.stat().st_size <= CAP
    assert path.with_name("room.db-wal").stat().st_size <= 2 * WAL_BYTES_KEPT
    await store.close()
    assert path.stat().st_size <= CAP


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


async def test_what_a_detector_learned_is_kept_beside_its_state(tmp_path: Path) -> None:
    store = await EdgeStore.open(tmp_path / "room.db")
    assert await store.documents.learned("w1") is None
    await store.documents.keep_learned(LearnedState("w1", "[1]"))
    await store.documents.keep_learned(LearnedState("w1", "[1, 2]"))
    assert await store.documents.learned("w1") == "[1, 2]"
    assert await store.documents.detector("w1") is None
    await store.close()
