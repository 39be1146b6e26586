from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from laundryd.wire.ids import ID_PATTERN, SLUG_PATTERN, RoomRef
from laundryd.wire.times import Moment, from_rfc3339, to_rfc3339, whole_milliseconds
from laundryd.wire.topics import TOPICS, Topic, parse_topic, topic_filter, topic_name

MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(
    min_value=datetime(1971, 1, 1),  # noqa: DTZ001 -- hypothesis wants naive bounds and adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001 -- the same
    timezones=ZONES,
)
SLUGS = st.from_regex(SLUG_PATTERN.replace("$", r"\Z"))
IDS = st.from_regex(ID_PATTERN.replace("$", r"\Z"))
REFS = st.builds(RoomRef, site=SLUGS, room=SLUGS)


@given(MOMENTS)
def test_a_moment_goes_over_the_wire_and_back(moment: datetime) -> None:
    kept = whole_milliseconds(moment)
    assert kept.tzinfo is UTC
    assert timedelta(0) <= moment - kept < timedelta(milliseconds=1)
    text = to_rfc3339(kept)
    assert text.endswith("Z")
    assert from_rfc3339(text) == kept
    assert MOMENT.validate_json(MOMENT.dump_json(moment)) == kept


@given(MOMENTS, MOMENTS)
def test_moments_sort_as_their_texts_do(one: datetime, other: datetime) -> None:
    # The stores compare texts.
    one, other = whole_milliseconds(one), whole_milliseconds(other)
    assert (one < other) == (to_rfc3339(one) < to_rfc3339(other))


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_rfc3339(datetime(2026, 1, 1))  # noqa: DTZ001 -- the very mistake
    with pytest.raises(ValueError, match="names no time zone"):
        from_rfc3339("2026-01-01T00:00:00")
    with pytest.raises(ValidationError):
        MOMENT.validate_json('"2026-01-01T00:00:00"')


@given(REFS)
def test_a_room_is_found_again_by_its_key(ref: RoomRef) -> None:
    assert RoomRef.from_key(ref.key) == ref
    assert ref.audience == f"edge:{ref.site}/{ref.room}"


@given(REFS, REFS)
def test_two_rooms_never_share_a_key_or_an_audience(one: RoomRef, other: RoomRef) -> None:
    assert (one.key == other.key) == (one == other)
    assert (one.audience == other.audience) == (one == other)


@pytest.mark.parametrize(
    "key", ["", "a", "a.b.c", "A.b", "a/b", "a.", ".b", "a.b\n", "a." + "b" * 33]
)
def test_what_is_no_room_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is not a room key"):
        RoomRef.from_key(key)


@given(REFS, st.sampled_from(Topic), IDS)
def test_a_topic_is_taken_apart_as_it_was_put_together(
    ref: RoomRef, topic: Topic, variable: str
) -> None:
    given_variable = variable if "{" in topic else None
    name = topic_name(ref, topic, given_variable)
    address = parse_topic(name)
    assert address is not None
    assert (address.room, address.topic, address.variable) == (ref, topic, given_variable)
    assert len(topic_filter(topic, ref).split("/")) == len(name.split("/"))


@given(st.text(max_size=80))
def test_no_text_at_all_breaks_the_reading_of_a_topic(text: str) -> None:
    parse_topic(text)
    parse_topic(f"laundry/v1/{text}")
    parse_topic(f"laundry/v1/site/room/{text}")


@pytest.mark.parametrize(
    "name",
    [
        "laundry/v1/a/b/up/weather",
        "laundry/v2/a/b/up/hello",
        "x/laundry/v1/a/b/up/hello",
        "laundry/v1/A/b/up/hello",
        "laundry/v1/a/b/machine/x/y/state",
        "laundry/v1/a/b/machine//state",
        "laundry/v1/a/b/up/hello/",
    ],
)
def test_a_topic_that_is_not_ours_is_none(name: str) -> None:
    assert parse_topic(name) is None


def test_a_variable_level_must_be_one_clean_level() -> None:
    ref = RoomRef(site="a", room="b")
    for bad in (None, "", "x/y", "+", "#", "x y"):
        with pytest.raises(ValueError, match="variable"):
            topic_name(ref, Topic.MACHINE_STATE, bad)
    with pytest.raises(ValueError, match="no variable level"):
        topic_name(ref, Topic.UP_HELLO, "x")


def test_every_topic_has_its_row() -> None:
    assert set(TOPICS) == set(Topic)
    for topic, row in TOPICS.items():
        assert row.brokers in {"room", "cloud", "both"}, topic
        assert row.publisher is not row.reader, topic
        assert row.says, topic
