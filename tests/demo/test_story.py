from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

STORY_WITHIN_S = 90.0
STEPS = ("claim", "arrive", "start", "running", "ending_soon", "done", "collect", "announce")
WAY_OF = {"room": "socket at the edge", "remote": "socket at the relay", "away": "push"}


@asynccontextmanager
async def demo(*arguments: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command as a user starts it; its temporary files go below ``folder``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "laundryd",
        "demo",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.communicate()


def programs_of(folder: Path) -> dict[int, str]:
    """The command line of every process that was started with a path below ``folder``."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in line:
                found[int(entry.parent.name)] = line
    return found


def left_by_the_demo(folder: Path) -> list[str]:
    return [str(path) for path in folder.glob("laundryd-demo-*")] + [*programs_of(folder).values()]


@pytest.mark.timeout(120)
async def test_one_story_is_seen_by_everyone_who_should_see_it_once(tmp_path: Path) -> None:
    async with (
        demo("--once", "--json", folder=tmp_path) as process,
        asyncio.timeout(STORY_WITHIN_S),
    ):
        out, err = await process.communicate()

    assert err.decode() == ""
    lines = [json.loads(line) for line in out.decode().splitlines()]
    assert process.returncode == 0, lines
    *steps, story = lines
    assert story["step"] == "story"
    assert story["ok"] is True
    assert [(line["step"], line["resident"]) for line in steps] == [
        (step, resident) for step in STEPS for resident in ("room", "remote", "away")
    ]
    for line in steps:
        assert line["ok"] is True
        assert line["missing"] == line["doubled"] == []
        events = sorted((one["who"], one["how"]) for one in line["seen"] if one["what"] == "event")
        is_announced = line["step"] == "announce"  # it happens to no machine
        assert (line["machine"] == "") == is_announced
        seen = [] if is_announced else [("remote", WAY_OF["remote"]), ("room", WAY_OF["room"])]
        assert events == seen
        notices = [(one["who"], one["how"]) for one in line["seen"] if one["what"] == "notice"]
        told = line["step"] in {"ending_soon", "done", "announce"}
        if line["step"] == "start":  # in the app only
            told = line["resident"] != "away"
        assert notices == ([(line["resident"], WAY_OF[line["resident"]])] if told else [])
        assert all(one["latency_ms"] >= 0 for one in line["seen"])
    assert left_by_the_demo(tmp_path) == []


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--once",), 130)])
async def test_ctrl_c_ends_everything_and_leaves_nothing(
    tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    async with demo(*arguments, folder=tmp_path) as process, asyncio.timeout(STORY_WITHIN_S):
        assert process.stdout is not None
        said = b""
        # The first thing that somebody did, as the account or the story tells it.
        while b"is on the way" not in said and b"claim" not in said:
            said += await process.stdout.readline()
            assert not process.stdout.at_eof(), said
        assert len(programs_of(tmp_path)) == 4
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()

    assert process.returncode == code
    assert b"Traceback" not in out + err
    assert left_by_the_demo(tmp_path) == []


async def test_a_program_that_ends_by_itself_is_named_and_its_last_lines_are_shown(
    tmp_path: Path,
) -> None:
    async with (
        demo("--once", "--json", folder=tmp_path) as process,
        asyncio.timeout(STORY_WITHIN_S),
    ):
        assert process.stdout is not None
        await process.stdout.readline()
        programs = programs_of(tmp_path)
        (edge,) = [pid for pid, line in programs.items() if "laundryd edge run" in line]
        os.kill(edge, signal.SIGKILL)
        out, err = await process.communicate()

    assert process.returncode == 1
    story = json.loads(out.decode().splitlines()[-1])
    assert (story["step"], story["ok"]) == ("story", False)
    assert "the edge has ended with -9" in story["error"]
    assert "the room's page is on port" in story["error"]
    assert b"Traceback" not in err
    assert left_by_the_demo(tmp_path) == []
