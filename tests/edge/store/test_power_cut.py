"""A power cut: what the disk itself holds at that moment, as a copy of its image while it is in use."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.wire.commands import CommandName, ResidentCommand
from laundryd.wire.ids import Offset
from tests.edge.store.small_disk import leave_common_namespace
from tests.edge.store.test_failing_disk import ROOM, SETUPS

COMMANDS = 100
IMAGE_BYTES = 64 * 1024 * 1024


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no loop file system here: {command[0]}: {done.stderr.strip()}")


@contextmanager
def _mounted(image: Path, folder: Path) -> Iterator[Path]:
    leave_common_namespace()
    folder.mkdir()
    _run("mount", "-o", "loop", image, folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def _cut(image: Path, copy: Path) -> None:
    """Take what the disk holds now, and nothing of what the kernel still has in memory."""
    subprocess.run(["cp", "--reflink=never", "--sparse=always", image, copy], check=True)


def _image(path: Path) -> Path:
    with path.open("wb") as image:
        image.truncate(IMAGE_BYTES)
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("no mkfs.ext4 here")
    _run("mkfs.ext4", "-q", "-F", path)
    return path


async def _say(writer: RoomWriter, first: int) -> dict[str, Offset]:
    told: dict[str, Offset] = {}
    for number in range(first, first + COMMANDS):
        name = (CommandName.CLAIM, CommandName.RELEASE)[number % 2]
        command = ResidentCommand(id=f"c{number}", resident="anna", machine="w1", name=name)
        answer = await writer.command(command)
        assert answer.position is not None
        told[command.id] = answer.position.offset
    return told


async def _kept(path: Path, told: dict[str, Offset]) -> int:
    store = await EdgeStore.take_up(path)
    try:
        assert store.durable
        answers = [await store.room.answer_to("anna", one) for one in told]
        return sum(
            answer is not None
            and answer.answer.position is not None
            and answer.answer.position.offset == offset
            for answer, offset in zip(answers, told.values(), strict=True)
        )
    finally:
        await store.close()


@pytest.mark.full
@pytest.mark.parametrize(("synchronous", "kept"), [("FULL", COMMANDS), ("NORMAL", 0)])
async def test_a_power_cut_takes_nothing_that_was_answered(
    tmp_path: Path, synchronous: str, kept: int
) -> None:
    """``NORMAL`` is the control: it shows that the test can tell, and why the store never uses it."""
    image, copy = _image(tmp_path / "disk.img"), tmp_path / "cut.img"
    with _mounted(image, tmp_path / "disk") as disk:
        store = await EdgeStore.take_up(disk / "room.db")
        writer = await RoomWriter.open(ROOM, SETUPS, store, Clock())
        await store.shelf.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await store.shelf.db.execute(f"PRAGMA synchronous = {synchronous}")
        told = await _say(writer, 0)
        _cut(image, copy)
        with _mounted(copy, tmp_path / "after") as after:
            found = await _kept(after / "room.db", told)
        await store.close()
    assert found == kept
