from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.reading import PlugOnline, Reading, Skip, SkipReason
from edge.sources.shelly_gen1 import ShellyGen1Plug, recognise
from edge.sources.source import Ask, PlugSpec
from edge.sources.table import build_source
from tests.edge.sources import captured
from tests.edge.sources.parsing import AT, only_what_may_be, payloads

ROOT = "shellies/shelly-plug-s1"
PLUG = ShellyGen1Plug("w1", "shelly-plug-s1")


def test_power_and_counter_come_one_by_one_and_the_counter_is_in_watt_minutes() -> None:
    assert PLUG.parse(f"{ROOT}/relay/0/power", captured.GEN1_POWER, AT) == [
        Reading("w1", AT, 20.58)
    ]
    assert PLUG.parse(f"{ROOT}/relay/0/energy", captured.GEN1_ENERGY, AT) == [
        Reading("w1", AT, None, 1578.933)
    ]


def test_a_wired_meter_counts_in_watt_hours() -> None:
    assert PLUG.parse(f"{ROOT}/emeter/0/power", captured.GEN1_METER_POWER, AT) == [
        Reading("w1", AT, 0.0)
    ]
    assert PLUG.parse(f"{ROOT}/emeter/0/total", b"1500.5", AT) == [Reading("w1", AT, None, 1500.5)]


def test_the_second_channel_is_the_relay_with_number_one() -> None:
    plug = ShellyGen1Plug("w2", "shelly-plug-s1", 2)
    assert plug.parse(f"{ROOT}/relay/1/power", b"7", AT) == [Reading("w2", AT, 7.0)]
    other = plug.parse(f"{ROOT}/relay/0/power", b"7", AT)
    assert isinstance(other, Skip)
    assert other.reason is SkipReason.UNKNOWN_TOPIC


def test_a_counter_that_began_again_is_a_counter_like_any() -> None:
    assert PLUG.parse(f"{ROOT}/relay/0/energy", b"0", AT) == [Reading("w1", AT, None, 0.0)]


def test_its_will_says_whether_it_is_there() -> None:
    assert PLUG.parse(f"{ROOT}/online", b"true", AT) == [PlugOnline("w1", AT, online=True)]
    assert PLUG.parse(f"{ROOT}/online", b"false", AT) == [PlugOnline("w1", AT, online=False)]


@pytest.mark.parametrize(
    ("end", "payload", "reason"),
    [
        ("relay/0/power", b"", SkipReason.NOT_MEASURED),
        ("relay/0/power", b"on", SkipReason.MALFORMED),
        ("relay/0/power", b"inf", SkipReason.MALFORMED),
        ("relay/0/power", b"1_000", SkipReason.MALFORMED),
        ("relay/0/power", b"\xd9\xa1", SkipReason.MALFORMED),
        ("relay/0/power", b"1e999", SkipReason.IMPLAUSIBLE),
        ("relay/0/power", b"-300", SkipReason.IMPLAUSIBLE),
        ("relay/0/energy", b"-1", SkipReason.IMPLAUSIBLE),
        ("online", b"on", SkipReason.MALFORMED),
    ],
)
def test_a_message_that_cannot_be_used_is_a_skip_with_its_reason(
    end: str, payload: bytes, reason: SkipReason
) -> None:
    found = PLUG.parse(f"{ROOT}/{end}", payload, AT)
    assert isinstance(found, Skip)
    assert found.reason is reason


@given(st.sampled_from([*PLUG.filters(), "x"]), payloads("power"))
def test_no_bytes_crash_it(topic: str, payload: bytes) -> None:
    only_what_may_be(PLUG, topic, payload)


@pytest.mark.parametrize("topic", ["shelly-plug-s1", "shellies/shelly-plug-s1"])
def test_the_settings_give_topics_and_a_question_that_switches_nothing(topic: str) -> None:
    plug = build_source("w1", PlugSpec("shelly_gen1", topic))
    assert plug.filters() == PLUG.filters()
    assert plug.asks() == (Ask(f"{ROOT}/command", b"update"),)


def test_it_is_recognised_by_what_measures_and_by_its_birth() -> None:
    assert recognise(f"{ROOT}/relay/1/power", b"1") == [
        PlugSpec("shelly_gen1", "shelly-plug-s1", 2)
    ]
    assert recognise(f"{ROOT}/online", b"true") == [PlugSpec("shelly_gen1", "shelly-plug-s1", 1)]
    assert recognise(f"{ROOT}/relay/0", b"on") == []
    assert recognise("tele/x/SENSOR", b"1") is None
