"""Staff and announcements from the relay's own computer, beside a relay that runs or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cloud_relay.test_cli import URL, add, init, relay

WATER = ("--title-en", "Water off", "--body-en", "Until noon.")


@pytest.fixture
def config(tmp_path: Path) -> tuple[str, str]:
    assert init(tmp_path / "relay").exit_code == 0
    assert add(tmp_path / "relay").exit_code == 0
    return ("--config", str(tmp_path / "relay" / "relay.toml"))


def test_staff_is_added_listed_and_revoked(config: tuple[str, str]) -> None:
    added = relay("staff", "add", "Kim", *config)
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith(f"{URL}/#staff=")
    assert "?" not in added.stdout, "never in a query"
    listed = relay("staff", "list", *config).stdout
    assert listed.startswith("Kim: since ")
    assert "signed in 0, link until" in listed
    assert relay("staff", "revoke", "Kim", *config).exit_code == 0
    assert relay("staff", "list", *config).stdout == ""
    unknown = relay("staff", "revoke", "Kim", *config)
    assert unknown.exit_code == 1
    assert relay("staff", "add", "x" * 41, *config).exit_code == 2


def test_one_is_announced_listed_replaced_and_cancelled(config: tuple[str, str]) -> None:
    written = relay(
        "announce", "--room", "maple-hall.north", *WATER,
        *("--at", "2099-12-01T09:00", "--zone", "Asia/Seoul", "--repeat", "weekly"), *config,
    )  # fmt: skip
    assert written.exit_code == 0, written.output
    assert "scheduled, goes 2099-12-01 00:00 UTC  maple-hall.north: Water off" in written.stdout
    assert "the same words" in written.stderr
    name = written.stdout.split()[0]
    both = ("--title-ko", "단수", "--body-ko", "정오까지.", *WATER)
    until = ("--at", "2099-12-01T09:00+09:00", "--until", "2099-12-01T12:00+09:00")
    replaced = relay("announce", "--everybody", *both, *until, "--replace", name, *config)
    assert replaced.exit_code == 0, replaced.output
    assert "everybody: Water off" in replaced.stdout
    assert replaced.stderr == ""
    assert relay("announcements", "list", *config).stdout == replaced.stdout
    assert "cancelled" in relay("announcements", "cancel", name, *config).stdout
    again = relay("announcements", "cancel", name, *config)
    assert again.exit_code == 1
    assert "has gone, or is over" in again.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (WATER, "name one of --everybody"),
        (("--everybody", "--site", "maple-hall", *WATER), "name one of --everybody"),
        (("--everybody",), "texts"),
        (("--everybody", "--title-en", "x" * 41, "--body-en", "x"), "texts.en.title"),
        (("--everybody", "--at", "2099-01-01T09:00", *WATER), "by which clocks"),
        (("--everybody", "--at", "tomorrow", *WATER), "is no moment"),
        (("--everybody", "--repeat", "daily", *WATER), "its clocks"),
    ],
)
def test_what_makes_no_sense_is_said(
    config: tuple[str, str], words: tuple[str, ...], said: str
) -> None:
    refused = relay("announce", *words, *config)
    assert refused.exit_code == 2, refused.output
    assert said in refused.stderr


def test_a_room_that_is_not_there_is_refused(config: tuple[str, str]) -> None:
    refused = relay("announce", "--room", "maple-hall.roof", *WATER, *config)
    assert refused.exit_code == 1
    assert "There is no room maple-hall.roof." in refused.stderr


def test_nobody_can_be_revoked_who_is_not_there(config: tuple[str, str]) -> None:
    for words in (("nobody",), ("nobody", "--device", "none")):
        refused = relay("revoke", *words, *config)
        assert refused.exit_code == 1
        assert "not known here" in refused.stderr


def test_a_resident_who_was_told_nothing(config: tuple[str, str]) -> None:
    found = relay("notices", "nobody", *config)
    assert found.exit_code == 0
    assert "nothing to tell them" in found.stderr
