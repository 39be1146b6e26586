"""The command itself, as an admin or systemd starts it."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from laundryd import __version__
from laundryd.daemon.enrolment import Enrolment, write_enrolment
from laundryd.daemon.mqtt import BrokerSettings
from laundryd.daemon.tokens import SigningKey
from tests.edge.running import MACHINES


def laundryd(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "laundryd", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1", **variables},
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "edge.toml"
    path.write_text(
        f'site = "maple-hall"\nroom = "basement"\ndata_dir = "{tmp_path}/data"\n{MACHINES}\n'
    )
    return path


def add(config: Path, text: str) -> Path:
    config.write_text(config.read_text() + text)
    return config


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[http]\nport = -1\n", ("http.port", "found -1", "greater than or equal to 0")),
        ("[broker]\nport = 'x'\n", ("broker.port", "found 'x'", "valid integer")),
        ("[testing]\nclock_speed = 60\n", ("testing", "testing.enabled = true")),
        ("[http]\nprot = 1\n", ("http.prot", "no such setting", "http.port")),
        ("[[machines]]\nid = 'w1'\nkind = 'washer'\nname = 'x'\n", ("two machines", "w1")),
        ("port =\n", ("is not TOML",)),
    ],
)
def test_wrong_settings_stop_the_edge_and_name_themselves(
    config: Path, more: str, said: tuple[str, ...]
) -> None:
    done = laundryd("edge", "run", "--config", str(add(config, more)))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for part in said:
        assert part in done.stderr


def test_a_wrong_variable_stops_the_edge_and_is_named(config: Path) -> None:
    done = laundryd("edge", "run", "-c", str(config), LAUNDRYD_EDGE_HTTP__PORT="many")
    assert done.returncode == 2
    assert "LAUNDRYD_EDGE_HTTP__PORT: found 'many'" in done.stderr


def test_a_missing_file_stops_the_edge_and_is_named(tmp_path: Path) -> None:
    done = laundryd("edge", "run", "-c", str(tmp_path / "no.toml"))
    assert done.returncode == 2
    assert "no.toml" in done.stderr


def test_an_enrolment_file_of_another_room_stops_the_edge(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "enrolment.toml"
    key = SigningKey.load_or_create(tmp_path / "key.pem").verify_key
    write_enrolment(
        path,
        Enrolment(
            site="maple-hall",
            room="attic",
            relay_url="https://laundry.example.org",
            broker=BrokerSettings(),
            enrolment_key=key,
        ),
    )
    done = laundryd("edge", "run", "-c", str(add(config, f'[cloud]\nenrolment = "{path}"\n')))
    assert done.returncode == 2
    assert "maple-hall.attic" in done.stderr
    assert "maple-hall.basement" in done.stderr


@pytest.mark.parametrize("content", [None, "site = ", "site = 'maple-hall'"])
def test_an_enrolment_file_that_is_none_stops_the_edge(
    config: Path, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "enrolment.toml"
    if content is not None:
        path.write_text(content)
    done = laundryd("edge", "run", "-c", str(add(config, f'[cloud]\nenrolment = "{path}"\n')))
    assert done.returncode == 2
    assert "cloud.enrolment" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_taken_is_named(config: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = laundryd("edge", "run", "-c", str(add(config, f"[http]\nport = {port}\n")))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_of_a_newer_version_is_left_alone(config: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "room.db") as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    done = laundryd("edge", "run", "-c", str(add(config, "[http]\nport = 0\n")))
    assert done.returncode == 1
    assert "schema 999 is newer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_join_code_is_made_for_a_room_of_its_own_only(config: Path, tmp_path: Path) -> None:
    done = laundryd("edge", "join-code", "-c", str(config))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip()) == 9
    assert done.stdout.strip().encode() not in (tmp_path / "data" / "room.db").read_bytes()
    done = laundryd("edge", "join-code", "-c", str(add(config, '[cloud]\nenrolment = "e"\n')))
    assert done.returncode == 2
    assert "at the relay" in done.stderr


def test_a_join_code_for_a_broken_database_says_which(config: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "room.db").write_bytes(b"this is no database" * 100)
    done = laundryd("edge", "join-code", "-c", str(config))
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_lists_its_words_and_knows_no_others() -> None:
    assert "laundryd WORD --help" in laundryd().stdout
    assert laundryd("--version").stdout == f"laundryd {__version__}\n"
    done = laundryd("wash")
    assert done.returncode == 2
    assert "there is no 'wash'" in done.stderr
    assert "run" in laundryd("edge", "--help").stdout


def test_an_edge_never_loads_the_relay_or_its_libraries() -> None:
    script = (
        "import sys, edge.app, edge.cli, laundryd.cli\n"
        "heavy = {'cloud_relay', 'firebase_admin', 'pywebpush', 'aiohttp'} & set(sys.modules)\n"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
