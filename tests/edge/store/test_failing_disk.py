"""A disk that is full, read-only or damaged: at the start, while the room works, and well again."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge.errors import JoinCodeError
from edge.local.codes import DATABASE, make_join_code
from edge.room.reconcile import MachineSetup
from edge.store import edge_store as edge_store_module
from edge.store.commit import LearnedState
from edge.store.edge_store import EdgeStore
from edge.store.limits import DAMAGED_FILES_MAX
from edge.store.migrations import MIGRATIONS
from edge.store.people import JoinCode
from edge.store.rows import TABLES
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.wire.commands import CommandAnswer, CommandName, ResidentCommand
from laundryd.wire.events import Entry
from laundryd.wire.ids import RoomRef
from laundryd.wire.machines import MachineKind
from laundryd.wire.notices import Lang
from tests.edge.store.small_disk import SmallDisk, small_disk

ROOM = RoomRef(site="maple-hall", room="basement")
SETUPS = [MachineSetup(f"w{n}", MachineKind.WASHER, f"Washer {n}", has_plug=False) for n in (1, 2)]
MAX_BYTES = 8 * 1024 * 1024
_numbers = itertools.count()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", "16m") as disk:
        yield disk


class Room:
    """A store and its writer, as the daemon has them."""

    def __init__(self, store: EdgeStore, writer: RoomWriter) -> None:
        self.store, self.writer = store, writer

    async def say(self, name: str, machine: str = "w1", who: str = "anna") -> CommandAnswer:
        self.said = ResidentCommand(
            id=f"c{next(_numbers)}", resident=who, machine=machine, name=CommandName(name)
        )
        answer = await self.writer.command(self.said)
        assert answer.ok, answer.error
        return answer

    @property
    def owners(self) -> dict[str, str]:
        return {name: one.owner for name, one in self.writer.state.machines.items() if one.owner}


@asynccontextmanager
async def room_at(path: Path, max_bytes: int | None = MAX_BYTES) -> AsyncIterator[Room]:
    store = await EdgeStore.take_up(path, max_bytes)
    try:
        yield Room(store, await RoomWriter.open(ROOM, SETUPS, store, Clock()))
    finally:
        await store.close()


async def owners_on_disk(path: Path) -> dict[str, str]:
    store = await EdgeStore.open(path)
    try:
        return {one.machine: one.owner for one in await store.room.records() if one.owner}
    finally:
        await store.close()


def overwrite(path: Path, *, but: int = 0) -> None:
    """Write noise over every page but the first ``but``, as a dying card does."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(but * 4096)
        file.write(os.urandom(size - but * 4096))


def page_count(path: Path) -> int:
    return path.stat().st_size // 4096


def content(path: Path) -> bytes:
    return path.read_bytes()


def rename(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


def asides(path: Path) -> list[Path]:
    return list(path.parent.glob("*.damaged-*Z"))


async def test_a_disk_that_fills_up_moves_the_room_into_memory_and_space_moves_it_back(
    disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    path = disk.folder / "room.db"
    async with room_at(path) as room:
        first = await room.say("claim")
        claimed = room.said
        told: list[str] = []
        room.writer.on_new_epoch.append(lambda: told.append(room.writer.position.epoch))
        disk.fill()
        # SQLite may still have a few blocks of its own: in the end the disk refuses.
        while (answer := await room.say("claim", "w2", "ben")).durable:
            await room.say("release", "w2", "ben")
        assert first.durable
        assert answer.position is not None
        assert first.position is not None
        assert answer.position == room.writer.position
        assert answer.position.epoch != first.position.epoch, "a new epoch"
        assert (room.writer.durable, room.store.trouble) == (False, "its disk is full")
        assert room.owners == {"w1": "anna", "w2": "ben"}
        assert "going on in memory" in caplog.text
        again = await room.writer.command(claimed)
        assert again == first, "what was answered before is answered again"
        assert not await room.store.back_to_disk(), "it is still full"

        disk.free()
        assert await room.store.back_to_disk()
        assert room.store.trouble is None
        last = await room.say("arrive", "w2", "ben")
        assert last.durable
        assert last.position is not None
        assert last.position.epoch not in {first.position.epoch, answer.position.epoch}
        assert told == [answer.position.epoch, last.position.epoch]
    assert await owners_on_disk(path) == {"w1": "anna", "w2": "ben"}


async def test_a_disk_that_becomes_read_only_moves_the_room_and_back(disk: SmallDisk) -> None:
    path = disk.folder / "room.db"
    async with room_at(path) as room:
        await room.say("claim")
    async with room_at(path):
        pass  # closed and opened anew: nothing holds the file open for writing
    disk.read_only()
    async with room_at(path) as room:
        assert not room.store.durable
        assert room.store.trouble is not None
        assert room.owners == {"w1": "anna"}, "what can be read is not forgotten"
        answer = await room.say("claim", "w2", "ben")
        assert not answer.durable
        assert not await room.store.back_to_disk()
        disk.writable()
        assert await room.store.back_to_disk()
        assert (await room.say("arrive")).durable
    assert await owners_on_disk(path) == {"w1": "anna", "w2": "ben"}


async def test_a_start_on_a_full_disk_goes_on_from_what_can_be_read(disk: SmallDisk) -> None:
    path = disk.folder / "room.db"
    async with room_at(path) as room:
        await room.say("claim")
    disk.fill()
    async with room_at(path) as room:
        assert room.store.trouble == "its disk is full"
        assert room.owners == {"w1": "anna"}
        assert not (await room.say("arrive")).durable
    disk.free()


async def test_a_start_where_nothing_can_be_made_works_from_memory(disk: SmallDisk) -> None:
    disk.read_only()
    async with room_at(disk.folder / "data" / "room.db") as room:
        assert not room.store.durable
        assert not (await room.say("claim")).durable
        disk.writable()
        # The loop that the daemon runs does it by itself.
        assert await room.store.back_to_disk()
    assert await owners_on_disk(disk.folder / "data" / "room.db") == {"w1": "anna"}


@pytest.mark.parametrize("but", [0, 1, 4], ids=["all", "all but the first page", "the later pages"])
async def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(
    store_path: Path, caplog: pytest.LogCaptureFixture, but: int
) -> None:
    async with room_at(store_path) as room:
        await room.say("claim")
        before = room.writer.position
        for number in range(30):
            await room.store.documents.keep_learned(LearnedState(f"m{number}", f'"{"x" * 3000}"'))
    overwrite(store_path, but=but)
    damaged = content(store_path)
    with caplog.at_level(logging.ERROR):
        async with room_at(store_path) as room:
            assert room.store.durable
            assert room.writer.position.epoch != before.epoch
            assert (await room.say("claim", "w2", "ben")).durable
    assert "was damaged" in caplog.text
    (aside,) = asides(store_path)
    assert content(aside) == damaged, "never deleted, never touched"
    assert (await owners_on_disk(store_path))["w2"] == "ben"


async def test_what_a_damaged_file_lets_read_is_taken_along(store_path: Path) -> None:
    async with room_at(store_path) as room:
        await room.say("claim")
        await room.store.people.set_join_code("code", 5, None)
        now = Clock().now()
        joined = await room.store.people.join(
            "code", "anna", "phone", device_name="Phone", lang=Lang.KO, now=now
        )
        assert joined is JoinCode.TAKEN
        pages = page_count(store_path)
        for number in range(50):
            await room.store.documents.put(f"large-{number}", f'"{"x" * 4000}"')
    overwrite(store_path, but=pages + 40)
    async with room_at(store_path) as room:
        assert room.owners == {"w1": "anna"}
        found = await room.store.people.device("phone")
        assert found is not None
        assert found.resident == "anna"


async def test_a_file_that_breaks_while_the_room_works_moves_it_with_the_state_it_knows(
    store_path: Path,
) -> None:
    async with room_at(store_path) as room:
        await room.say("claim")
        await room.store.shelf.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await room.store.shelf.db.execute("PRAGMA cache_size = 0")
        overwrite(store_path, but=1)
        await room.store.shelf.db.execute("PRAGMA shrink_memory")
        answer = await room.say("claim", "w2", "ben")
        assert not answer.durable
        assert room.store.trouble == "it is damaged"
        assert room.owners == {"w1": "anna", "w2": "ben"}
        kept = {one.machine: one.owner for one in await room.store.room.records()}
        assert kept == {"w1": "anna", "w2": "ben"}, "the whole state went along, not what was read"
        assert await room.store.back_to_disk()
        assert (await room.say("arrive")).durable
    assert await owners_on_disk(store_path) == {"w1": "anna", "w2": "ben"}
    assert len(asides(store_path)) == 1


async def test_a_disk_that_damages_file_after_file_is_left_alone(store_path: Path) -> None:
    for _ in range(DAMAGED_FILES_MAX):
        async with room_at(store_path):
            pass
        overwrite(store_path)
    async with room_at(store_path) as room:
        assert room.store.durable
    overwrite(store_path)
    async with room_at(store_path) as room:
        assert not room.store.durable
        assert room.store.trouble is not None
        assert "the disk is dying" in room.store.trouble
        assert not (await room.say("claim")).durable


async def test_a_kill_between_the_last_steps_of_mending_loses_nothing(store_path: Path) -> None:
    async with room_at(store_path) as room:
        await room.say("claim")
    # As the mending leaves it: the damaged one is aside, the new one has not its name yet.
    rename(store_path, f"{store_path.name}.new")
    async with room_at(store_path) as room:
        assert room.store.durable
        assert room.owners == {"w1": "anna"}


async def test_reads_of_a_damaged_file_are_answered_from_memory(store_path: Path) -> None:
    async with room_at(store_path) as room:
        await room.say("claim")
        await room.store.shelf.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await room.store.shelf.db.execute("PRAGMA cache_size = 0")
        overwrite(store_path, but=1)
        await room.store.shelf.db.execute("PRAGMA shrink_memory")
        assert await room.store.documents.get("roster") is None
        assert not room.store.durable


async def test_what_is_no_fault_of_the_disk_is_an_error_and_moves_nothing(
    edge_store: EdgeStore, store_path: Path
) -> None:
    await edge_store.shelf.db.execute("PRAGMA busy_timeout = 10")
    with sqlite3.connect(store_path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await edge_store.documents.put("a", "1")
        other.execute("ROLLBACK")
    other.close()
    with pytest.raises(sqlite3.IntegrityError):
        await edge_store.people.add_link_code("code", "nobody", Clock().now())
    assert edge_store.durable
    await edge_store.documents.put("a", "1")


async def test_the_loop_goes_back_by_itself_and_waits_longer_when_it_cannot(
    disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    class Enough(BaseException):
        pass

    async def rest(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            disk.free()
        if room.store.durable:
            raise Enough

    path = disk.folder / "room.db"
    async with room_at(path):
        pass
    disk.fill()
    async with room_at(path) as room:
        monkeypatch.setattr(edge_store_module, "RETURN_EVERY_S", 4.0)
        monkeypatch.setattr(asyncio, "sleep", rest)
        beats: list[int] = []
        with pytest.raises(Enough):
            await room.store.run(lambda: beats.append(1))
        monkeypatch.undo()
        assert room.store.durable
        # Tries after 4, 8 and 16 s, each step no longer than a beat; then the space is there.
        assert pauses[:3] == [4.0, 8.0, 10.0]
        assert len(beats) == len(pauses)


@pytest.mark.parametrize("turns", [0, 3, 10, 30, 100])
async def test_commands_under_way_while_the_disk_breaks_are_each_done_once_and_answered_truly(
    store_path: Path, turns: int
) -> None:
    async with room_at(store_path) as room:
        told: list[Entry] = []
        room.writer.on_entries.append(lambda entries, _changes: told.extend(entries))

        async def break_the_disk() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            # From here on every write is refused by SQLite, and all can still be read.
            await room.store.shelf.db.execute("PRAGMA query_only = ON")

        async def come_and_go(number: int) -> list[CommandAnswer]:
            who = f"r{number}"
            machine = ("w1", "w2")[number % 2]
            return [
                await room.writer.command(
                    ResidentCommand(
                        id=f"{who}-{name}", resident=who, machine=machine, name=CommandName(name)
                    )
                )
                for name in ("claim", "release")
            ]

        found = await asyncio.gather(break_the_disk(), *(come_and_go(one) for one in range(20)))
        answers = [answer for some in found if some is not None for answer in some]
        assert not room.store.durable
        memory = room.writer.position.epoch
        accepted = [one.position for one in answers if one.ok and one.position is not None]
        assert sorted(accepted, key=str) == sorted((one.position for one in told), key=str)
        assert all(
            (one.position is None) or one.durable == (one.position.epoch != memory)
            for one in answers
        )
        last = [one.offset for one in accepted if one.epoch == memory]
        assert sorted(last) == list(range(1, len(last) + 1))


@pytest.mark.parametrize("turns", [0, 5, 20, 60])
async def test_commands_under_way_on_the_way_back_are_each_done_once(
    store_path: Path, turns: int
) -> None:
    async with room_at(store_path) as room:
        await room.store.shelf.db.execute("PRAGMA query_only = ON")
        assert not (await room.say("claim")).durable

        async def back() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            assert await room.store.back_to_disk()

        async def come_and_go() -> list[CommandAnswer]:
            return [await room.say(name, "w2", "ben") for name in ("claim", "release") * 10]

        _, answers = await asyncio.gather(back(), come_and_go())
        assert room.store.durable
        here = room.writer.position.epoch
        assert all(
            one.position is not None and one.durable == (one.position.epoch == here)
            for one in answers
        )
        kept = [one.position.offset for one in answers if one.durable and one.position]
        entries = await room.store.room.entries_after(0, 100)
        assert entries is not None
        assert [one.offset for one in entries] == kept == list(range(1, len(kept) + 1))
        assert room.owners == {"w1": "anna"}
    assert await owners_on_disk(store_path) == {"w1": "anna"}


async def test_what_could_not_be_read_at_the_start_is_not_forgotten_by_the_way_back(
    disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now = disk.folder / "room.db", Clock().now()
    async with room_at(path) as room:
        await room.store.people.set_join_code("code", 5, None)
        await room.store.people.join(
            "code", "anna", "phone", device_name="Phone", lang=Lang.KO, now=now
        )
        await room.store.documents.put("roster", "{}")
    disk.read_only()
    # Nowhere to read a copy from: memory begins empty.
    monkeypatch.setattr(tempfile, "tempdir", str(disk.folder / "nowhere"))
    async with room_at(path) as room:
        monkeypatch.undo()
        assert await room.store.people.device("phone") is None
        await room.say("claim")
        disk.writable()
        assert await room.store.back_to_disk()
        found = await room.store.people.device("phone")
        assert found is not None
        assert await room.store.documents.get("roster") == "{}"
        assert room.owners == {"w1": "anna"}


def test_every_table_is_taken_along() -> None:
    db = sqlite3.connect(":memory:")
    for migration in MIGRATIONS:
        db.executescript(migration)
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    db.close()
    assert tables == {*TABLES, "journal", "meta", "runs"}


async def test_the_disk_is_taken_again_only_with_what_must_lie_beside_it(tmp_path: Path) -> None:
    async with room_at(tmp_path / "room.db") as room:
        kept: list[bool] = []

        def write() -> None:
            if not kept:
                raise OSError("the key cannot be written")

        room.store.with_return = write
        await room.store.leave_disk(OSError("the key cannot be written"))
        assert (await room.say("claim")).durable is False
        assert not await room.store.back_to_disk()
        assert not room.store.durable
        assert "the key cannot be written" in str(room.store.trouble)
        kept.append(True)
        assert await room.store.back_to_disk()
        assert (await room.say("arrive")).durable is True
    assert await owners_on_disk(tmp_path / "room.db") == {"w1": "anna"}


async def test_a_join_code_that_went_into_memory_alone_is_not_given(disk: SmallDisk) -> None:
    async with room_at(disk.folder / DATABASE):
        disk.fill()
        with pytest.raises(JoinCodeError, match="its disk is full"):
            await make_join_code(disk.folder)
        disk.free()
        assert len(await make_join_code(disk.folder)) == 9
