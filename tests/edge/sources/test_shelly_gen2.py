from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.reading import PlugOnline, Reading, Skip, SkipReason
from edge.sources.shelly_gen2 import ShellyGen2Plug, recognise
from edge.sources.source import PlugSpec
from edge.sources.table import build_source
from tests.edge.sources import captured
from tests.edge.sources.parsing import AT, only_what_may_be, payloads

PLUG = ShellyGen2Plug("w1", "washer-1")
EVENTS, ANSWER = "washer-1/events/rpc", "washer-1/laundryd/rpc"


def test_the_status_of_a_switch_has_power_and_counter() -> None:
    assert PLUG.parse("washer-1/status/switch:0", captured.GEN2_WORKING, AT) == [
        Reading("w1", AT, 47.11, 5.125)
    ]
    assert PLUG.parse("washer-1/status/switch:0", captured.GEN2_STATUS, AT) == [
        Reading("w1", AT, 0.0, 0.0)
    ]


def test_a_meter_without_a_relay_is_read_alike() -> None:
    assert PLUG.parse("washer-1/status/pm1:0", captured.PM_MINI, AT) == [
        Reading("w1", AT, 1780.1, 3551.682)
    ]


def test_a_notification_says_what_changed_and_the_rest_is_not_measured() -> None:
    assert PLUG.parse(EVENTS, captured.GEN2_POWER_CHANGED, AT) == [Reading("w1", AT, 1800.5, None)]
    fourth = ShellyGen2Plug("w4", "washer-1", 4)
    assert fourth.parse(EVENTS, captured.GEN2_FOURTH_COUNTED, AT) == [Reading("w4", AT, None, 0.0)]


@pytest.mark.parametrize(
    "payload",
    [
        captured.GEN2_VOLTAGE_CHANGED,
        captured.GEN2_SECOND_CHANGED,
        captured.GEN2_FULL_OF_ANOTHER,
        b'{"method":"NotifyEvent","params":{"events":[]}}',
    ],
)
def test_a_notification_of_something_else_says_nothing_of_the_machine(payload: bytes) -> None:
    assert PLUG.parse(EVENTS, payload, AT) == []


def test_everything_at_once_is_read_like_a_status() -> None:
    whole = b'{"method":"NotifyFullStatus","params":' + captured.PM_MINI_WHOLE + b"}"
    assert PLUG.parse(EVENTS, whole, AT) == [Reading("w1", AT, 1780.1, 3551.682)]


def test_the_answer_to_our_question_is_read_and_the_question_only_reads() -> None:
    answer = (
        b'{"id":1,"src":"x","dst":"washer-1/laundryd","result":' + captured.PM_MINI_WHOLE + b"}"
    )
    assert PLUG.parse(ANSWER, answer, AT) == [Reading("w1", AT, 1780.1, 3551.682)]
    [ask] = PLUG.asks()
    assert ask.topic == "washer-1/rpc"
    question = json.loads(ask.payload)
    assert question["method"] == "Shelly.GetStatus"
    assert f"{question['src']}/rpc" == ANSWER, "it answers where we listen"
    assert ANSWER in PLUG.filters()


def test_the_will_of_the_plug_says_whether_it_is_there() -> None:
    assert PLUG.parse("washer-1/online", b"true", AT) == [PlugOnline("w1", AT, online=True)]
    assert PLUG.parse("washer-1/online", b"false", AT) == [PlugOnline("w1", AT, online=False)]


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("washer-1/status/switch:0", b'{"id":0,"output":true}', SkipReason.NOT_MEASURED),
        ("washer-1/status/switch:0", b'{"apower":null}', SkipReason.NOT_MEASURED),
        ("washer-1/status/switch:0", b'{"apower":"47"}', SkipReason.MALFORMED),
        (
            "washer-1/status/switch:0",
            b'{"apower":null,"aenergy":{"total":-1}}',
            SkipReason.IMPLAUSIBLE,
        ),
        ("washer-1/status/switch:1", captured.GEN2_WORKING, SkipReason.UNKNOWN_TOPIC),
        (EVENTS, b'{"method":"NotifyStatus"}', SkipReason.MALFORMED),
        (EVENTS, b"[]", SkipReason.MALFORMED),
        (ANSWER, b'{"id":1,"error":{"code":401,"message":"no"}}', SkipReason.NOT_MEASURED),
        (ANSWER, b'{"result":{"switch:3":{"apower":1}}}', SkipReason.NO_SUCH_CHANNEL),
        ("washer-1/online", b"", SkipReason.MALFORMED),
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
    payloads(
        "method", "NotifyStatus", "params", "result", "switch:0", "pm1:0", "apower", "aenergy"
    ),
)
def test_no_bytes_crash_it(topic: str, payload: bytes) -> None:
    only_what_may_be(PLUG, topic, payload)


def test_the_settings_give_the_channel() -> None:
    assert build_source("w1", PlugSpec("shelly_gen2", "washer-1")) == PLUG
    assert "x/status/pm1:1" in build_source("w1", PlugSpec("shelly_gen2", "x", 2)).filters()


def test_it_is_recognised_by_what_measures_and_by_its_birth() -> None:
    plug = [PlugSpec("shelly_gen2", "a/b", 1)]
    assert recognise("a/b/status/switch:0", captured.GEN2_STATUS) == plug
    assert recognise("a/b/status", captured.PM_MINI_WHOLE) == plug
    assert recognise("a/b/events/rpc", captured.GEN2_POWER_CHANGED) == plug
    assert recognise("a/b/online", b"true") == plug
    assert recognise("a/b/events/rpc", captured.GEN2_FULL_OF_ANOTHER) == []
    assert recognise("a/b/status", b"online") is None
    assert recognise("tele/x/SENSOR", captured.GEN2_STATUS) is None
