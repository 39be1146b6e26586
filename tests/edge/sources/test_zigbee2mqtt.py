from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.reading import (
    PlugOnline,
    Reading,
    RepeatCause,
    RepeatsFollow,
    Skip,
    SkipReason,
)
from edge.sources.source import Ask, PlugSpec, SourceError
from edge.sources.table import build_source
from edge.sources.zigbee2mqtt import BIRTH_TOPIC, Zigbee2MqttPlug, recognise
from tests.edge.sources import captured
from tests.edge.sources.parsing import AT, only_what_may_be, payloads

TOPIC = "zigbee2mqtt/washer-1"
STATE, AVAILABILITY = "zigbee2mqtt/bridge/state", f"{TOPIC}/availability"
PLUG = Zigbee2MqttPlug("w1", TOPIC, "zigbee2mqtt")


def test_values_are_in_watts_and_kwh() -> None:
    assert PLUG.parse(TOPIC, captured.ZIGBEE, AT) == [Reading("w1", AT, 0.0, 1920.0)]


@pytest.mark.parametrize(
    ("last_seen", "said_at"),
    [
        ("2026-11-23T19:59:58.123Z", datetime(2026, 11, 23, 19, 59, 58, 123000, UTC)),
        ("2026-11-23T20:59:58+01:00", datetime(2026, 11, 23, 19, 59, 58, tzinfo=UTC)),
        (1700015792123, datetime(2023, 11, 15, 2, 36, 32, 123000, UTC)),
        (1700015792, datetime(2023, 11, 15, 2, 36, 32, tzinfo=UTC)),
        ("2026-11-23T19:59:58", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("yesterday", None),
        (1e300, None),
        (-1, None),
        (True, None),
        (None, None),
    ],
)
def test_last_seen_is_read_in_every_way_it_is_written(
    last_seen: object, said_at: datetime | None
) -> None:
    payload = json.dumps({"power": 5, "last_seen": last_seen}).encode()
    assert PLUG.parse(TOPIC, payload, AT) == [Reading("w1", AT, 5.0, None, said_at)]


def test_a_captured_last_seen_is_when_the_plug_spoke() -> None:
    said_at = datetime(2023, 11, 15, 2, 36, 32, tzinfo=UTC)
    assert PLUG.parse(TOPIC, captured.ZIGBEE_SLS, AT) == [Reading("w1", AT, 0.0, 0.0, said_at)]


def test_an_outlet_of_several_is_a_channel() -> None:
    plug = build_source("d1", PlugSpec("zigbee2mqtt", TOPIC, 2))
    payload = b'{"power_l1":7,"power_l2":2100,"energy_l2":0.5,"power":9}'
    assert plug.parse(TOPIC, payload, AT) == [Reading("d1", AT, 2100.0, 500.0)]
    assert plug.asks() == (Ask(f"{TOPIC}/get", b'{"power_l2":""}'),)


@pytest.mark.parametrize("word", [b"online", b'{"state":"online"}'])
def test_availability_is_the_plugs_own(word: bytes) -> None:
    assert PLUG.parse(AVAILABILITY, word, AT) == [PlugOnline("w1", AT, online=True)]
    offline = word.replace(b"online", b"offline")
    assert PLUG.parse(AVAILABILITY, offline, AT) == [PlugOnline("w1", AT, online=False)]


def test_a_bridge_that_comes_says_what_to_expect_and_one_that_goes_takes_its_plugs_along() -> None:
    assert PLUG.parse(STATE, b'{"state":"online"}', AT) == [
        RepeatsFollow("w1", AT, RepeatCause.START)
    ]
    assert PLUG.parse(STATE, b'{"state":"offline"}', AT) == [PlugOnline("w1", AT, online=False)]
    assert PLUG.parse(BIRTH_TOPIC, b"online", AT) == [RepeatsFollow("w1", AT, RepeatCause.ASKED)]
    assert PLUG.parse(BIRTH_TOPIC, b"Online", AT) == PLUG.parse(BIRTH_TOPIC, b"online", AT)
    assert PLUG.parse(BIRTH_TOPIC, b"offline", AT) == []


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (TOPIC, b"", SkipReason.MALFORMED),
        (TOPIC, b'{"state":"ON"}', SkipReason.NOT_MEASURED),
        (TOPIC, b'{"power":null,"energy":null}', SkipReason.NOT_MEASURED),
        (TOPIC, b'{"power":"7"}', SkipReason.MALFORMED),
        (STATE, b'{"state":["online"]}', SkipReason.MALFORMED),
        (STATE, b"{", SkipReason.MALFORMED),
        (AVAILABILITY, b"\xff", SkipReason.MALFORMED),
        ("zigbee2mqtt/other", captured.ZIGBEE, SkipReason.UNKNOWN_TOPIC),
    ],
)
def test_a_message_that_cannot_be_used_is_a_skip_with_its_reason(
    topic: str, payload: bytes, reason: SkipReason
) -> None:
    found = PLUG.parse(topic, payload, AT)
    assert isinstance(found, Skip)
    assert found.reason is reason


@given(
    st.sampled_from([*PLUG.filters(), "x"]),
    payloads("power", "energy", "state", "last_seen"),
)
def test_no_bytes_crash_it(topic: str, payload: bytes) -> None:
    only_what_may_be(PLUG, topic, payload)


@given(st.integers() | st.floats() | st.text() | st.datetimes().map(str))
def test_no_last_seen_crashes_it(last_seen: object) -> None:
    payload = json.dumps({"power": 1, "last_seen": last_seen}).encode()
    only_what_may_be(PLUG, TOPIC, payload)


def test_the_base_topic_is_the_first_part_unless_it_is_given() -> None:
    assert build_source("w1", PlugSpec("zigbee2mqtt", TOPIC)) == PLUG
    plug = build_source("w1", PlugSpec("zigbee2mqtt", "home/z2m/b/plug 1", base_topic="home/z2m"))
    assert "home/z2m/bridge/state" in plug.filters()
    assert plug.filters()[0] == "home/z2m/b/plug 1"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (PlugSpec("zigbee2mqtt", "washer-1"), "as in zigbee2mqtt/washer-1"),
        (PlugSpec("zigbee2mqtt", "a/b", base_topic="c"), "as in c/washer-1"),
        (PlugSpec("zigbee2mqtt", "a/b", base_topic="#"), "base_topic is '#'"),
        (PlugSpec("zigbee2mqtt", "a/b", 0), "count from 1"),
        (PlugSpec("tasmota", "a/b", base_topic="a"), "not for the source tasmota but for zigbee"),
    ],
)
def test_settings_that_make_no_sense_are_refused(spec: PlugSpec, said: str) -> None:
    with pytest.raises(SourceError, match=f"plug of machine w1: .*{said}"):
        build_source("w1", spec)


def test_it_is_recognised_by_the_quality_of_its_radio_link() -> None:
    assert recognise(TOPIC, captured.ZIGBEE) == [PlugSpec("zigbee2mqtt", TOPIC)]
    assert recognise(TOPIC, b'{"linkquality":9,"power_l1":1,"power_l2":2,"power_lx":3}') == [
        PlugSpec("zigbee2mqtt", TOPIC, 1),
        PlugSpec("zigbee2mqtt", TOPIC, 2),
    ]
    assert recognise(TOPIC, b'{"linkquality":9,"temperature":20}') == []
    assert recognise("zigbee2mqtt/bridge/devices", captured.ZIGBEE) == []
    assert recognise(TOPIC, b'{"power":1}') is None
