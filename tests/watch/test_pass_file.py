from __future__ import annotations

import stat
from pathlib import Path

import pytest

from laundryd.watch.pass_file import Pass, PassFileError, default_path, read_pass, write_pass

ORIGIN = "https://laundry.example.org"
HELD = Pass(origin=ORIGIN, token="t" * 40)


def test_it_is_kept_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "pass.json"
    write_pass(path, HELD)
    write_pass(path, HELD)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_pass(path, ORIGIN) == HELD
    assert [found.name for found in path.parent.iterdir()] == ["pass.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_one_that_others_may_read_is_not_used(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pass.json"
    write_pass(path, HELD)
    path.chmod(mode)
    with pytest.raises(PassFileError, match="chmod 600"):
        read_pass(path, ORIGIN)


def test_it_goes_to_the_server_that_gave_it_and_to_no_other(tmp_path: Path) -> None:
    path = tmp_path / "pass.json"
    write_pass(path, HELD)
    with pytest.raises(PassFileError, match="not for http:"):
        read_pass(path, "http://laundry.example.org")


@pytest.mark.parametrize("text", ["", "{", '{"origin": "x"}', '{"origin": "x", "token": 1}'])
def test_a_damaged_one_says_so_and_not_what_is_in_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pass.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(PassFileError, match="is damaged: join again"):
        read_pass(path, ORIGIN)


def test_a_missing_one_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(PassFileError, match="--join"):
        read_pass(tmp_path / "none.json", ORIGIN)


def test_each_server_has_its_own(tmp_path: Path) -> None:
    origins = [ORIGIN, "http://laundry.example.org", "https://laundry.example.org:8443"]
    paths = {default_path(origin, {}, tmp_path) for origin in origins}
    assert len(paths) == 3
    assert all(path.parent == tmp_path / ".config/laundryd/watch" for path in paths)
    elsewhere = default_path(ORIGIN, {"XDG_CONFIG_HOME": "/etc/x"}, tmp_path)
    assert elsewhere.parent == Path("/etc/x/laundryd/watch")
    assert default_path(ORIGIN, {"XDG_CONFIG_HOME": "x"}, tmp_path).parent.is_relative_to(tmp_path)
