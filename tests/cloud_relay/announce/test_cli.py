"""Staff and announcements from the relay's own computer, beside a relay that runs or not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cloud_relay.explaining import load
from cloud_relay.push.outcomes import Outcome
from cloud_relay.push.subscriptions import Attempted
from cloud_relay.settings import RelaySettings
from cloud_relay.staff.cli import opened
from tests.cloud_relay.residents.test_subscriptions import NOW, House, body
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


def test_the_bells_of_a_resident_are_said_and_never_where_they_are(
    config: tuple[str, str],
) -> None:
    number = asyncio.run(with_a_bell(load(Path(config[1]))))
    found = relay("notices", number, *config)
    assert found.exit_code == 0, found.output
    assert "Firefox on Linux: rings, app opened 2026-11-23 12:00 UTC, " in found.stdout
    assert "http_503 at 2026-11-23 12:00 UTC" in found.stdout
    assert "googleapis" not in found.output
    assert "No device of theirs" in relay("notices", "nobody", *config).stderr


async def with_a_bell(settings: RelaySettings) -> str:
    """Keep a resident with a bell that a push service had no time for; return their number."""
    async with opened(settings) as db:
        house = House(db)
        resident, (device,) = await house.resident()
        named = body("somewhere").model_copy(update={"name": "Firefox on Linux"})
        await house.store.put(device, named, NOW)
        (push,) = await house.store.for_resident(resident)
        await house.store.note([Attempted(push.id, Outcome.LATER, "http_503", NOW)])
    return resident
