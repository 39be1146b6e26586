from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud_relay.cli import app
from cloud_relay.enrol.mosquitto import BrokerFiles
from cloud_relay.push.keys import VapidKeys
from cloud_relay.settings import RelaySettings
from edge.link.enrolment import read_enrolment
from laundryd.daemon.settings import load_settings
from laundryd.daemon.tokens import SigningKey
from laundryd.wire.ids import RoomRef

URL = "https://laundry.example.org"


def relay(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def init(folder: Path, *more: str) -> Result:
    return relay(
        *("init", "--data-dir", str(folder), "--public-url", URL),
        *("--vapid-subject", "mailto:staff@example.org", *more),
    )


def add(folder: Path, room: str = "maple-hall.north", *more: str) -> Result:
    return relay(
        "room", "add", room, "--name", "North", "--config", str(folder / "relay.toml"), *more
    )


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "relay"
    assert init(folder).exit_code == 0
    return folder


def test_init_makes_everything_and_only_its_owner_can_read_it(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.rglob("*") if path.is_file()]
    names = {str(path.relative_to(folder)) for path in files}
    assert names == {
        "relay.toml",
        "keys/signing.pem",
        "keys/enrolment.pem",
        "keys/vapid.pem",
        "mosquitto/laundryd.conf",
        "mosquitto/standalone.conf",
        "mosquitto/passwords",
        "mosquitto/acl",
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_init_again_changes_nothing(folder: Path) -> None:
    before = digests(folder)
    again = init(folder)
    assert again.exit_code == 0
    assert "nothing was changed" in again.output
    assert digests(folder) == before


def test_init_gives_the_broker_the_password_of_settings_that_were_made_anew(folder: Path) -> None:
    (folder / "relay.toml").unlink()
    again = init(folder)
    assert f"made {folder / 'mosquitto' / 'passwords'}" in again.output
    password = load_settings(RelaySettings, folder / "relay.toml").broker.password
    assert password is not None
    assert BrokerFiles(folder / "mosquitto").accepts("relay", password.get_secret_value())
    assert "nothing was changed" in init(folder).output


def test_init_mends_what_is_missing_and_keeps_the_rest(folder: Path) -> None:
    before = digests(folder)
    (folder / "mosquitto" / "acl").unlink()
    again = init(folder)
    assert f"made {folder / 'mosquitto' / 'acl'}" in again.output
    assert digests(folder) == before


def test_init_refuses_what_would_not_run_and_writes_nothing(tmp_path: Path) -> None:
    done = relay(
        *("init", "--data-dir", str(tmp_path / "r"), "--public-url", "http://laundry.example.org"),
        *("--vapid-subject", "mailto:me@localhost"),
    )
    assert done.exit_code == 2
    assert "http.public_url" in done.output
    assert "push.vapid_subject" in done.output
    assert not (tmp_path / "r" / "relay.toml").exists()


def test_with_a_certificate_edges_are_sent_to_the_public_name_over_tls(tmp_path: Path) -> None:
    folder = tmp_path / "relay"
    done = init(folder, "--broker-tls-cert", "/c.pem", "--broker-tls-key", "/k.pem")
    assert done.exit_code == 0, done.output
    edge = load_settings(RelaySettings, folder / "relay.toml").edge_broker
    assert (edge.host, edge.port, edge.tls) == ("laundry.example.org", 8883, True)
    conf = (folder / "mosquitto" / "laundryd.conf").read_text()
    assert "listener 8883\ncertfile /c.pem\nkeyfile /k.pem" in conf


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    assert init(tmp_path / "relay", "--broker-tls-cert", "/c.pem").exit_code == 2


def test_room_add_prints_code_and_picture_and_writes_a_file_that_the_edge_reads(
    folder: Path,
) -> None:
    done = add(folder, "maple-hall.north", "--cap", "7")
    assert done.exit_code == 0, done.output
    assert f"{URL}/#join=" in done.output
    assert "█" in done.output
    assert "systemctl reload mosquitto" in done.output
    path = folder / "enrolments" / "maple-hall.north.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    enrolment = read_enrolment(path, RoomRef(site="maple-hall", room="north"))
    key = SigningKey.load_or_create(folder / "keys" / "enrolment.pem")
    assert enrolment.enrolment_key == key.verify_key
    assert enrolment.relay_url == URL
    password = enrolment.broker.password
    assert password is not None
    assert password.get_secret_value() not in done.output
    assert password.get_secret_value() not in (folder / "mosquitto" / "passwords").read_text()


def test_a_room_that_is_enrolled_already_is_refused_and_kept(folder: Path) -> None:
    add(folder)
    before = digests(folder)
    again = add(folder)
    assert again.exit_code == 1
    assert "room code" in again.output
    assert {name: one for name, one in digests(folder).items() if ".db" not in name} == {
        name: one for name, one in before.items() if ".db" not in name
    }


def test_a_room_can_get_a_new_code_and_a_new_credential(folder: Path) -> None:
    add(folder)
    config = str(folder / "relay.toml")
    path = folder / "enrolments" / "maple-hall.north.toml"
    before = path.read_text()
    assert "join code" in relay("room", "code", "maple-hall.north", "--config", config).output
    assert relay("room", "renew", "maple-hall.north", "--config", config).exit_code == 0
    assert path.read_text() != before


@pytest.mark.parametrize("word", ["code", "renew"])
def test_a_room_that_is_not_enrolled_has_nothing_to_renew(folder: Path, word: str) -> None:
    done = relay("room", word, "maple-hall.attic", "--config", str(folder / "relay.toml"))
    assert done.exit_code == 1
    assert "room add" in done.output


@pytest.mark.parametrize("room", ["north", "Maple.north", "a.b.c"])
def test_a_room_key_that_is_none_is_refused(folder: Path, room: str) -> None:
    done = add(folder, room)
    assert done.exit_code == 2
    assert "is not a room key" in done.output


def test_a_name_that_does_not_fit_is_refused_before_anything_is_made(folder: Path) -> None:
    done = relay(
        *("room", "add", "maple-hall.north", "--name", "N" * 41),
        *("--config", str(folder / "relay.toml")),
    )
    assert done.exit_code == 1
    assert add(folder).exit_code == 0


def test_room_add_before_init_says_what_to_run(relay_toml: Path) -> None:
    done = relay("room", "add", "a.b", "--name", "N", "--config", str(relay_toml))
    assert done.exit_code == 1
    assert "laundryd relay init" in done.output


def test_nothing_that_is_printed_is_a_secret(folder: Path) -> None:
    said = json.dumps(init(folder).output)
    settings = load_settings(RelaySettings, folder / "relay.toml")
    assert settings.broker.password is not None
    assert settings.broker.password.get_secret_value() not in said


def test_the_push_key_is_rotated_once_and_the_key_before_is_kept(tmp_path: Path) -> None:
    init(tmp_path)
    config = ("--config", str(tmp_path / "relay.toml"))
    vapid, subject = tmp_path / "keys" / "vapid.pem", "mailto:staff@example.org"
    before = VapidKeys.load_or_create(vapid, subject).present.public_key
    done = relay("keys", "rotate", *config)
    assert done.exit_code == 0, done.output
    assert "restart the relay" in done.output
    keys = VapidKeys.load_or_create(vapid, subject)
    assert keys.old is not None
    assert keys.old.public_key == before
    again = relay("keys", "rotate", *config)
    assert again.exit_code == 1
    assert "is not over" in again.output
    tokens = relay("keys", "rotate", "--tokens", *config)
    assert tokens.exit_code == 0, tokens.output
    assert (tmp_path / "keys" / "signing-old.pem").exists()
