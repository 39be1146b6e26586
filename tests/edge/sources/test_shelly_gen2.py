from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.reading import PlugOnline, Reading, Skip, SkipReason
from edge.sources.shelly_gen2 import ShellyGen2Plug, recognise
from edge.sources.source import PlugSpec
from edge.sources.table import build_source, recognised
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


def answer(result: bytes) -> bytes:
    return b'{"id":1,"src":"x","dst":"washer-1/laundryd","result":' + result + b"}"


def test_a_meter_of_one_phase_a_channel_is_read() -> None:
    second = ShellyGen2Plug("w2", "washer-1", 2)
    assert second.parse("washer-1/status/em1:1", captured.EM1_STATUS, AT) == [
        Reading("w2", AT, 607.3)
    ]
    changed = b'{"method":"NotifyStatus","params":' + captured.EM1_CHANGED + b"}"
    assert PLUG.parse(EVENTS, changed, AT) == [Reading("w1", AT, 1.2)]
    assert second.parse(EVENTS, changed, AT) == []
    counted = (
        b'{"method":"NotifyStatus","params":{"em1data:0":{"id":0,"total_act_energy":3458.24}}}'
    )
    assert PLUG.parse(EVENTS, counted, AT) == [Reading("w1", AT, None, 3458.24)]
    whole = answer(captured.PRO_3EM_SINGLE_WHOLE)
    assert PLUG.parse(ANSWER, whole, AT) == [Reading("w1", AT, 598.9, 3458.24)]
    assert second.parse(ANSWER, whole, AT) == [Reading("w2", AT, 0.0, 2768.67)]


def test_a_relay_beside_the_meter_that_measures_nothing_does_not_hide_it() -> None:
    status = b'{"switch:0":{"id":0,"output":false},"em1:0":{"id":0,"act_power":12.5}}'
    assert PLUG.parse(ANSWER, answer(status), AT) == [Reading("w1", AT, 12.5)]


@pytest.mark.parametrize(
    ("channel", "watts", "wh"),
    [
        (None, 1300.252, 2852055.81),
        (1, 342.8, 1075513.08),
        (2, 957.3, 1776542.72),
        (3, 0.2, 0.01),
    ],
)
def test_a_meter_of_three_phases_is_one_machine_or_one_a_phase(
    channel: int | None, watts: float, wh: float
) -> None:
    plug = build_source("w1", PlugSpec("shelly_gen2", "washer-1", channel))
    assert {"washer-1/status/em:0", "washer-1/status/emdata:0"} <= set(plug.filters())
    assert plug.parse("washer-1/status/em:0", captured.PRO_3EM, AT) == [Reading("w1", AT, watts)]
    assert plug.parse("washer-1/status/emdata:0", captured.PRO_3EM_DATA, AT) == [
        Reading("w1", AT, None, wh)
    ]
    assert plug.parse(ANSWER, answer(captured.PRO_3EM_WHOLE), AT) == [Reading("w1", AT, watts, wh)]


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
        *("method", "NotifyStatus", "params", "result", "switch:0", "pm1:0", "apower", "aenergy"),
        *("em1:0", "em1data:0", "em:0", "emdata:0", "act_power", "total_act_power", "total_act"),
    ),
)
def test_no_bytes_crash_it(topic: str, payload: bytes) -> None:
    only_what_may_be(PLUG, topic, payload)


def test_the_settings_give_the_channel() -> None:
    assert build_source("w1", PlugSpec("shelly_gen2", "washer-1")) == PLUG
    assert "x/status/pm1:1" in build_source("w1", PlugSpec("shelly_gen2", "x", 2)).filters()


def test_a_component_that_is_none_of_ours_is_left_to_others() -> None:
    assert recognise("a/status/cover:0", b'{"id":0,"apower":5.0}') is None
    assert recognised("a/status/cover:0", b'{"id":0,"apower":5.0}') == [
        PlugSpec("generic", "a/status/cover:0", power_path="apower", power_unit="W")
    ]


def test_it_is_recognised_by_what_measures_and_by_its_birth() -> None:
    plug = [PlugSpec("shelly_gen2", "a/b", 1)]
    assert recognise("a/b/status/switch:0", captured.GEN2_STATUS) == plug
    assert recognise("a/b/status", captured.PM_MINI_WHOLE) == plug
    assert recognise("a/b/events/rpc", captured.GEN2_POWER_CHANGED) == plug
    assert recognise("a/b/online", b"true") == plug
    assert recognise("a/b/events/rpc", captured.GEN2_FULL_OF_ANOTHER) == []
    phases = [PlugSpec("shelly_gen2", "a/b", number) for number in (1, 2, 3)]
    assert recognise("a/b/status/em:0", captured.PRO_3EM) == phases
    assert recognise("a/b/status", captured.PRO_3EM_SINGLE_WHOLE) == phases
    assert recognise("a/b/status/em1:1", captured.EM1_STATUS) == [phases[1]]
    assert recognise("a/b/status", b"online") is None
    assert recognise("tele/x/SENSOR", captured.GEN2_STATUS) is None
