"""The watchdog is fed as long as the database takes transactions and the inbox moves, and by nothing else."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud_relay import supervision
from cloud_relay.supervision import supervise
from laundryd.daemon.mqtt import Message
from laundryd.wire.topics import Topic, topic_name
from tests.cloud_relay.world import REF, World, eventually, relay, running

SOME = 3


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "ROUND_S", 0.01)


def beat_in(beats: Counter[str]) -> Callable[[str], None]:
    def beat(what: str) -> None:
        beats[what] += 1

    return beat


async def more(beats: Counter[str], what: str) -> None:
    before = beats[what]
    await eventually(lambda: beats[what] >= before + SOME, f"beats for {what}")


async def test_what_moves_is_beaten_for() -> None:
    beats = Counter[str]()
    async with relay(None) as world, running(supervise(world.db, world.ingest, beat_in(beats))):
        await more(beats, "database")
        await more(beats, "ingest")


async def test_a_database_that_another_process_holds_is_not_beaten_for_and_ends_nothing(
    tmp_path: Path,
) -> None:
    path, beats = tmp_path / "relay.db", Counter[str]()
    async with relay(path) as world:
        await world.db.execute("PRAGMA busy_timeout = 10")
        other = sqlite3.connect(path, isolation_level=None)
        async with running(supervise(world.db, world.ingest, beat_in(beats))):
            await more(beats, "database")
            other.execute("BEGIN IMMEDIATE")
            await more(beats, "ingest")
            held = beats["database"]
            await more(beats, "ingest")
            assert beats["database"] == held
            other.execute("ROLLBACK")
            await more(beats, "database")
        other.close()


async def test_an_inbox_that_stands_still_is_not_beaten_for() -> None:
    beats = Counter[str]()
    async with relay(None) as world, running(supervise(world.db, world.ingest, beat_in(beats))):
        await more(beats, "ingest")
        world.ingest.on_message(hello_of_nobody())
        await more(beats, "database")
        held = beats["ingest"]
        await more(beats, "database")
        assert beats["ingest"] == held
        await take_one(world)
        await more(beats, "ingest")


def hello_of_nobody() -> Message:
    return Message(topic_name(REF, Topic.UP_HELLO), b"{}", retained=False)


async def take_one(world: World) -> None:
    async with running(world.ingest.run()):
        await eventually(lambda: world.ingest.waiting == 0, "taken")
