"""The command itself, before a real room's edge that is killed and comes back."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from laundryd.demo.broker import Mosquitto
from laundryd.watch.pass_file import default_path
from tests.edge.local.conftest import CODE, set_code
from tests.edge.running import ROOM, EdgeProcess
from tests.watch.terminal import WAIT_S, command, watching


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeProcess]:
    broker = Mosquitto(tmp_path_factory.mktemp("broker"))
    broker.start()
    edge = EdgeProcess(tmp_path_factory.mktemp("edge"), broker.settings)
    asyncio.run(set_code(edge.data_dir, CODE, 50))
    edge.start()
    yield edge
    assert edge.stop() == 0, edge.log
    broker.stop()


@pytest.fixture
def anna(edge: EdgeProcess) -> Iterator[httpx.Client]:
    with edge.page() as page:
        assert page.post("/api/v1/join", json={"code": CODE}).status_code == 200
        yield page


def say(page: httpx.Client, name: str) -> None:
    body = {"id": uuid.uuid4().hex}
    answer = page.post(f"/api/v1/rooms/{ROOM.key}/machines/w1/{name}", json=body)
    assert answer.status_code == 200, answer.text


def refused(edge: EdgeProcess, home: Path, *more: str, room: str = ROOM.key, code: str = "") -> str:
    done = subprocess.run(
        command(edge.origin, room, *more),
        env={**os.environ, "XDG_CONFIG_HOME": str(home)},
        input=code,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode in {1, 2}, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_it_joins_tells_events_and_survives_a_kill_of_the_server(
    edge: EdgeProcess, anna: httpx.Client, tmp_path: Path
) -> None:
    with watching(edge.origin, ROOM.key, tmp_path, "--join", code=f"{CODE}\n") as terminal:
        lines = terminal.until_has("-- live")
        assert any("Basement: " in text for text in lines)
        say(anna, "claim")
        terminal.until_has("(somebody is on the way)")
        edge.kill()
        terminal.until_has("-- connection lost")
        edge.start()
        terminal.until_has("-- live")
        say(anna, "release")
        last = terminal.until_has("(given back)")
        # What it resumed was told before and is not told again.
        assert not any("on the way" in text for text in last)
    path = default_path(edge.origin, {"XDG_CONFIG_HOME": str(tmp_path)}, tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # The next time the pass is enough.
    with watching(edge.origin, ROOM.key, tmp_path, "--json") as terminal:
        live = terminal.until(lambda text: json.loads(text).get("state") == "live")
        assert [json.loads(text)["type"] for text in live] == ["room", "connection"]
        say(anna, "claim")
        told = terminal.until(lambda text: json.loads(text)["type"] == "event")
        assert json.loads(told[-1])["cause"] == "claimed"
        say(anna, "release")


def test_a_refusal_says_why_and_what_to_do(edge: EdgeProcess, tmp_path: Path) -> None:
    assert "--join" in refused(edge, tmp_path)
    assert "refused with 4" in refused(edge, tmp_path, "--join", code="WRNG-CODE\n")
    assert "6 to 20 characters" in refused(edge, tmp_path, "--join", code="x\n")
    assert "write site.room" in refused(edge, tmp_path, room="Basement")
    path = tmp_path / "mine.json"
    with watching(
        edge.origin, ROOM.key, tmp_path, "--join", "--token-file", str(path), code=f"{CODE}\n"
    ) as terminal:
        terminal.until_has("-- live")
    asked = ("--token-file", str(path))
    assert "refused with 404" in refused(edge, tmp_path, *asked, room="oak.attic")
    # A token that the server does not know, for the server it is said to be for.
    held = json.loads(path.read_text())
    path.write_text(json.dumps({**held, "token": "x" * 40}))
    assert "refused with 401 unauthenticated" in refused(edge, tmp_path, *asked)
    path.chmod(0o644)
    assert "chmod 600" in refused(edge, tmp_path, *asked)


def test_it_ends_quietly_when_nobody_reads_it_any_more(
    edge: EdgeProcess, anna: httpx.Client, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        command(edge.origin, ROOM.key, "--join"),
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(f"{CODE}\n")
    process.stdin.close()
    while "-- live" not in process.stdout.readline():
        pass
    process.stdout.close()
    say(anna, "claim")
    say(anna, "release")
    assert process.wait(WAIT_S) == 0
    assert "Error" not in process.stderr.read()
    process.stderr.close()
