"""Damage of a write-ahead log: told from a torn end, never silent."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.checks.look import look_at_database
from edge.errors import JoinCodeError
from edge.local.codes import DATABASE, make_join_code
from edge.store import edge_store as edge_store_module
from edge.store.edge_store import EdgeStore
from edge.store.wal import FRAME, HEAD, look_at_log
from tests.edge.store.test_failing_disk import asides, room_at

PAGE: Final = 4096
SIZE: Final = FRAME.size + PAGE
COMMITS: Final = 12


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A log that SQLite wrote: ``COMMITS`` transactions of a few pages each."""
    path = tmp_path_factory.mktemp("log") / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (body)")
        for number in range(COMMITS - 1):
            db.execute("INSERT INTO t VALUES (?)", ("x" * 3000 * (1 + number % 3),))
        return path.with_name("x.db-wal").read_bytes()


def commits_at(log: bytes) -> list[int]:
    """Where each transaction of a whole log ends."""
    ends = range(HEAD.size + SIZE, len(log) + 1, SIZE)
    return [end for end in ends if FRAME.unpack_from(log, end - SIZE)[1]]


def test_a_whole_log_is_read_as_sqlite_reads_it(log: bytes) -> None:
    assert look_at_log(log).commits == COMMITS == len(commits_at(log))
    assert look_at_log(log).damage is None


@given(share=st.floats(0, 1))
def test_a_log_that_ends_anywhere_is_no_damage(log: bytes, share: float) -> None:
    end = int(share * len(log))
    seen = look_at_log(log[:end])
    assert seen.damage is None
    assert seen.commits == sum(one <= end for one in commits_at(log))


@pytest.mark.parametrize("sectors", [1, 2, 9])
def test_a_last_transaction_that_a_power_cut_tore_is_no_damage(log: bytes, sectors: int) -> None:
    hole = sectors * 512
    first = -(-commits_at(log)[-2] // 512) * 512
    for begin in range(first, len(log), 512):
        torn = (log[:begin] + bytes(hole) + log[begin + hole :])[: len(log)]
        assert look_at_log(torn).damage is None, begin


@given(share=st.floats(0, 1), noise=st.binary(min_size=4, max_size=64).filter(any))
def test_noise_before_the_last_two_transactions_is_damage(
    log: bytes, share: float, noise: bytes
) -> None:
    at = int(share * (commits_at(log)[-3] - len(noise)))
    # Turned, not overwritten: what was the same by chance would be no damage.
    turned = bytes(old ^ new for old, new in zip(log[at : at + len(noise)], noise, strict=True))
    if 24 <= at % SIZE - HEAD.size % SIZE < SIZE - 64 or at < 20:
        assert look_at_log(log[:at] + turned + log[at + len(noise) :]).damage is not None


@pytest.mark.parametrize("begin", [0, HEAD.size, HEAD.size + 5 * SIZE])
def test_a_log_that_is_overwritten_from_anywhere_is_damage(log: bytes, begin: int) -> None:
    assert look_at_log(log[:begin] + os.urandom(len(log) - begin)).damage is not None


def test_what_an_older_log_left_behind_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (body)")
        for generation in range(5):
            for _ in range(10 - generation):
                db.execute("INSERT INTO t VALUES (?)", ("x" * 5000,))
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        db.execute("INSERT INTO t VALUES ('last')")
        seen = look_at_log(path.with_name("x.db-wal").read_bytes())
    assert (seen.commits, seen.damage) == (1, None)


async def crashed(folder: Path) -> Path:
    """Leave a young room as a power cut does: all that was promised is in its log."""
    live, path = folder / "live" / DATABASE, folder / "left" / DATABASE
    path.parent.mkdir()
    async with room_at(live) as room:
        for _ in range(5):
            await room.say("claim")
            await room.say("release")
        await room.say("claim")
        for end in ("", "-wal"):
            shutil.copyfile(live.with_name(DATABASE + end), path.with_name(DATABASE + end))
    return path


async def test_a_new_room_does_not_live_in_its_log_alone(tmp_path: Path) -> None:
    store = await EdgeStore.take_up(tmp_path / DATABASE)
    shutil.copyfile(tmp_path / DATABASE, tmp_path / "copy.db")
    await store.close()
    with closing(sqlite3.connect(tmp_path / "copy.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() != (0,)


async def test_a_sound_log_is_taken_up_in_silence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = await crashed(tmp_path)
    assert look_at_database(path).trouble is None
    async with room_at(path) as room:
        assert room.owners == {"w1": "anna"}
        assert path.with_name(DATABASE + "-wal").stat().st_size < PAGE * 8
    assert not asides(path)
    assert "damaged" not in caplog.text


@pytest.mark.parametrize("begin", [0, HEAD.size + FRAME.size], ids=["all", "but its head"])
async def test_a_damaged_log_is_told_and_moved_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, begin: int
) -> None:
    path = await crashed(tmp_path)
    log = path.with_name(DATABASE + "-wal")
    damaged = log.read_bytes()[:begin] + os.urandom(log.stat().st_size - begin)
    log.write_bytes(damaged)
    assert "its log" in str(look_at_database(path).trouble), "edge check says so"
    with pytest.raises(JoinCodeError, match="its log"):
        await make_join_code(path.parent)
    assert log.read_bytes() == damaged, "a look changes nothing"
    with caplog.at_level(logging.ERROR):
        async with room_at(path) as room:
            assert room.store.durable
            assert (await room.say("claim")).durable
    assert "was damaged" in caplog.text
    [aside] = asides(path)
    assert aside.with_name(aside.name + "-wal").read_bytes() == damaged


async def test_a_room_whose_schema_went_with_its_log_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / DATABASE
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    path.with_name(DATABASE + "-wal").write_bytes(bytes(50 * SIZE))
    assert look_at_database(path).trouble is not None
    async with room_at(path) as room:
        assert room.store.durable
    assert len(asides(path)) == 1


async def test_the_log_goes_into_the_file_from_time_to_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_store_module, "EMPTY_LOG_EVERY_S", 0.0)
    monkeypatch.setattr(edge_store_module, "RETURN_EVERY_S", 0.01)
    path = tmp_path / DATABASE
    async with room_at(path) as room:
        await room.say("claim")
        running = asyncio.create_task(room.store.run())
        try:
            async with asyncio.timeout(10):
                while b"anna" not in path.read_bytes():  # noqa: ASYNC110 -- a file, no event of ours
                    await asyncio.sleep(0.02)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
