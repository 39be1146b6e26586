from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import requires
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cloud_relay.notify.quiet import quiet_until
from laundryd.wire.preferences import QuietHours

SEOUL = QuietHours(begin="23:00", end="07:30", zone="Asia/Seoul")
CLOCK = st.times().map(lambda moment: f"{moment:%H:%M}")
ZONES = st.sampled_from(["Asia/Seoul", "Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata"])


def at(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-26T22:59:59", None),
        ("2026-11-26T23:00:00", "2026-11-27T07:30"),
        ("2026-11-27T03:00:00", "2026-11-27T07:30"),
        ("2026-11-27T07:29:59", "2026-11-27T07:30"),
        ("2026-11-27T07:30:00", None),
        ("2026-11-27T12:00:00", None),
    ],
)
def test_a_night_goes_over_midnight(now: str, until: str | None) -> None:
    expected = None if until is None else at("Asia/Seoul", until)
    assert quiet_until(SEOUL, at("Asia/Seoul", now)) == expected


def test_a_rest_at_noon_stays_within_its_day() -> None:
    noon = QuietHours(begin="12:00", end="14:00", zone="Asia/Seoul")
    assert quiet_until(noon, at("Asia/Seoul", "2026-11-27T13:00")) == at(
        "Asia/Seoul", "2026-11-27T14:00"
    )
    assert quiet_until(noon, at("Asia/Seoul", "2026-11-27T11:00")) is None


def test_without_quiet_hours_it_is_never_quiet() -> None:
    assert quiet_until(None, at("UTC", "2026-11-27T03:00")) is None


def test_it_is_quiet_by_the_residents_clock_not_by_the_servers() -> None:
    now = at("Asia/Seoul", "2026-11-27T02:00")
    assert quiet_until(SEOUL, now) is not None
    assert quiet_until(SEOUL.model_copy(update={"zone": "America/New_York"}), now) is None


def test_the_night_in_which_the_clocks_go_back_is_an_hour_longer() -> None:
    berlin = QuietHours(begin="22:00", end="06:00", zone="Europe/Berlin")
    begin = at("Europe/Berlin", "2026-10-24T22:00")
    until = quiet_until(berlin, begin)
    assert until is not None
    assert until - begin == timedelta(hours=9)


def test_an_end_that_the_clocks_skip_comes_as_much_later() -> None:
    # In Berlin, 2:30 does not exist on 28 March 2027: the night is as long as any other.
    berlin = QuietHours(begin="22:00", end="02:30", zone="Europe/Berlin")
    begin = at("Europe/Berlin", "2027-03-27T22:00")
    assert quiet_until(berlin, begin) == begin + timedelta(hours=4, minutes=30)
    assert quiet_until(berlin, at("Europe/Berlin", "2027-03-28T03:29")) is not None
    assert quiet_until(berlin, at("Europe/Berlin", "2027-03-28T03:30")) is None


@given(CLOCK, CLOCK, ZONES, st.integers(1_577_836_800, 1_893_456_000))
def test_the_end_comes_within_a_day_and_then_it_is_quiet_no_more(
    begin: str, end: str, zone: str, moment_s: int
) -> None:
    if begin == end:
        return
    quiet = QuietHours(begin=begin, end=end, zone=zone)
    now = datetime.fromtimestamp(moment_s, UTC)
    until = quiet_until(quiet, now)
    if until is not None:
        assert now < until <= now + timedelta(hours=26)
        assert quiet_until(quiet, until) in {None, until + timedelta(days=1)} or (
            (quiet_until(quiet, until) or until) - until < timedelta(hours=3)
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"begin": "24:00"},
        {"begin": "7:30"},
        {"begin": "07:30"},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"zone": ""},
    ],
)
def test_hours_that_cannot_be_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        QuietHours.model_validate(SEOUL.model_dump() | wrong)


@pytest.mark.parametrize("zone", ["Asia/Seoul", "Asia/Calcutta", "Asia/Saigon", "Europe/Kiev"])
def test_a_relay_knows_every_zone_that_a_browser_says_without_its_systems_help(zone: str) -> None:
    code = (
        "from laundryd.wire.preferences import QuietHours;"
        f"print(QuietHours(begin='23:00', end='07:00', zone={zone!r}).zone)"
    )
    alone = {**os.environ, "PYTHONTZPATH": ""}
    said = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, text=True, check=True, env=alone
    )
    assert said.stdout.strip() == zone
    needs = [need for need in requires("laundryd") or [] if need.startswith("tzdata")]
    assert any("relay" in need for need in needs), "not only by chance, by a tool of the tests"
