"""When an announcement goes: once on each of its days, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.announce.schedule import DAYS, Going, going, next_after
from laundryd.wire.announcements import (
    AnnouncementBody,
    AnnouncementKind,
    AnnouncementText,
    Repeat,
)
from laundryd.wire.notices import Lang

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
TEXTS = {Lang.EN: AnnouncementText(title="Water", body="Off.")}
ZONES = st.sampled_from(
    ["Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 -- made aware here
    lambda naive: naive.replace(microsecond=0, tzinfo=UTC)
)


def body(**more: object) -> AnnouncementBody:
    return AnnouncementBody.model_validate(
        {"kind": AnnouncementKind.MAINTENANCE, "texts": TEXTS, **more}
    )


def test_one_that_is_not_repeated_goes_once() -> None:
    once = body(at=AT, shown_for_min=60)
    assert going(once, AT, AT - timedelta(milliseconds=1)) is None
    assert going(once, AT, AT) == Going(AT, missed=False, next_at=None)


def test_one_that_is_late_is_told_until_its_end_and_not_after() -> None:
    once = body(at=AT, shown_for_min=60)
    late = going(once, AT, AT + timedelta(minutes=59))
    assert late == Going(AT, missed=False, next_at=None)
    too_late = going(once, AT, AT + timedelta(minutes=60))
    assert too_late == Going(AT, missed=True, next_at=None)


def test_after_days_away_the_newest_goes_and_no_row_of_old_ones() -> None:
    daily = body(at=AT, repeat=Repeat.DAILY, zone="UTC", shown_for_min=60)
    found = going(daily, AT, AT + timedelta(days=3, minutes=5))
    assert found == Going(AT + timedelta(days=3), missed=False, next_at=AT + timedelta(days=4))


def test_it_ends_with_its_last_day() -> None:
    daily = body(at=AT, repeat=Repeat.DAILY, zone="UTC", repeat_until=AT + timedelta(days=1))
    assert next_after(daily, AT) == AT + timedelta(days=1)
    assert next_after(daily, AT + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("day", "utc"),
    [(27, "2027-03-27 01:30"), (28, "2027-03-28 01:30"), (29, "2027-03-29 00:30")],
)
def test_a_time_that_the_clocks_skip_comes_as_much_later(day: int, utc: str) -> None:
    # In Berlin, 2:30 does not exist on 28 March 2027; it comes at 3:30, and at 2:30 again next day.
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2027, 3, 26, 2, 30, tzinfo=berlin).astimezone(UTC)
    daily = body(at=first, repeat=Repeat.DAILY, zone="Europe/Berlin")
    at: datetime | None = first
    while at is not None and at.day < day:
        at = next_after(daily, at)
    assert at == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("month", "day", "utc"), [(3, 26, "2028-03-26 01:30"), (10, 29, "2028-10-29 00:30")]
)
def test_one_that_was_first_due_at_a_time_shown_twice_is_like_any_other(
    month: int, day: int, utc: str
) -> None:
    # In Berlin, 2:30 comes twice on 31 October 2027; this is the second time.
    first = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    daily = body(at=first, repeat=Repeat.DAILY, zone="Europe/Berlin")
    at: datetime | None = first
    while at is not None and (at.year, at.month, at.day) < (2028, month, day):
        at = next_after(daily, at)
    assert at == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@given(MOMENTS, ZONES, st.sampled_from(Repeat))
def test_it_goes_once_on_each_of_its_days_at_its_time_of_day(
    first: datetime, zone: str, repeat: Repeat
) -> None:
    repeated = body(at=first, repeat=repeat, zone=zone)
    clocks = ZoneInfo(zone)
    at, seen = first, [first.astimezone(clocks)]
    for _ in range(400 // DAYS[repeat]):
        after = next_after(repeated, at)
        assert after is not None
        assert after > at
        at = after
        seen.append(at.astimezone(clocks))
    days = [moment.date() for moment in seen]
    assert len(set(days)) == len(days)
    usual = [moment for moment in seen if moment.time() == seen[0].time()]
    assert len(usual) >= len(seen) - 4, "all but those that the clocks skip"


@given(MOMENTS, ZONES, st.sampled_from(Repeat), st.integers(0, 60 * 24 * 40))
def test_looking_seldom_or_often_goes_on_to_the_same_moment(
    first: datetime, zone: str, repeat: Repeat, minutes: int
) -> None:
    repeated = body(at=first, repeat=repeat, zone=zone)
    now = first + timedelta(minutes=minutes)
    seldom = going(repeated, first, now)
    assert seldom is not None
    at: datetime | None = first
    while at is not None and at <= now:
        at = next_after(repeated, at)
    assert seldom.next_at == at
