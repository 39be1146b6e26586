from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cloud_relay.enrol.mosquitto import BrokerFiles, relay_acl, room_acl
from laundryd.wire.ids import RoomRef

NORTH = RoomRef(site="maple-hall", room="north")


def test_what_an_admin_added_stays(tmp_path: Path) -> None:
    files = BrokerFiles(tmp_path)
    files.passwords.write_text("# ours\ngrafana:$7$101$c2FsdA==$aGFzaA==\n")
    files.acl.write_text("# the board\nuser grafana\ntopic read laundry/v1/+/+/machine/#\n")
    for _ in range(2):
        files.set_password("relay", "secret")
        files.set_rules(relay_acl())
        files.set_rules(room_acl(NORTH))
    lines = files.passwords.read_text().splitlines()
    assert lines[:2] == ["# ours", "grafana:$7$101$c2FsdA==$aGFzaA=="]
    assert [line.partition(":")[0] for line in lines[2:]] == ["relay"]
    text = files.acl.read_text()
    assert text.startswith("# the board\nuser grafana\ntopic read laundry/v1/+/+/machine/#\n\n")
    assert text.count("user relay") == text.count("user room.maple-hall.north") == 1


def test_the_mode_that_lets_the_broker_read_stays(tmp_path: Path) -> None:
    files = BrokerFiles(tmp_path)
    files.set_password("relay", "secret")
    assert stat.S_IMODE(files.passwords.stat().st_mode) == 0o600
    files.passwords.chmod(0o640)
    files.set_password("relay", "other")
    assert stat.S_IMODE(files.passwords.stat().st_mode) == 0o640


def test_a_user_whose_name_begins_like_anothers_is_another(tmp_path: Path) -> None:
    files = BrokerFiles(tmp_path)
    files.set_password("room.a.b2", "secret")
    assert not files.accepts("room.a.b", "secret")


def test_in_a_folder_with_the_setgid_bit_its_group_may_read_and_elsewhere_nobody(
    tmp_path: Path,
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2750)
    for folder, mode in ((tmp_path / "own", 0o600), (shared, 0o640)):
        files = BrokerFiles(folder)
        files.set_password("relay", "secret")
        files.set_rules(relay_acl())
        assert stat.S_IMODE(files.passwords.stat().st_mode) == mode
        assert stat.S_IMODE(files.acl.stat().st_mode) == mode


@pytest.mark.parametrize("digest", ["", "$6$c2FsdA==$aGFzaA==", "plain", "$7$101$!$!"])
def test_a_password_is_accepted_only_as_we_hash_it(tmp_path: Path, digest: str) -> None:
    files = BrokerFiles(tmp_path)
    assert not files.accepts("relay", "secret")
    files.passwords.write_text(f"relay:{digest}\n")
    assert not files.accepts("relay", "secret")
    files.set_password("relay", "secret")
    assert files.accepts("relay", "secret")
    assert not files.accepts("relay", "other")
