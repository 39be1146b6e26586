"""Payloads marked *captured* were published by real devices; each names where it was found."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.payload import MAX_PAYLOAD_BYTES
from edge.sources.reading import Heard, PlugOnline, Reading, Skip, SkipReason
from edge.sources.source import Ask, PlugSpec, SourceError
from edge.sources.table import build_source
from edge.sources.tasmota import TasmotaPlug

AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
SENSOR, STATUS10, LWT = "tele/w1/SENSOR", "stat/w1/STATUS10", "tele/w1/LWT"
PLUG = TasmotaPlug("washer-1", "w1")

# Captured from a Sonoff under Tasmota, tele/sonoff_desk/SENSOR, 2023-05-19.
ONE_CHANNEL = (
    b'{"Time":"2023-05-19T20:52:56","ENERGY":{"TotalStartTime":"2022-03-20T15:20:48",'
    b'"Total":514.153,"Yesterday":1.495,"Today":0.537,"Period":0,"Power":56,"ApparentPower":92,'
    b'"ReactivePower":73,"Factor":0.61,"Voltage":234,"Current":0.392}}'
)
# Captured from a Sonoff Dual Meter, tele/tasmota/SENSOR, as the project wattson keeps it.
TWO_CHANNELS = (
    b'{"Time":"2026-09-18T11:19:21","ENERGY":{"TotalStartTime":"2026-09-16T00:00:00",'
    b'"Total":[2.813,0.254],"Yesterday":[1.530,0.125],"Today":[0.772,0.059],"Power":[52,5],'
    b'"ApparentPower":[66,10],"ReactivePower":[40,9],"Factor":[0.79,0.50],"Voltage":235,'
    b'"Current":[0.278,0.044],"BL09XX":{"Temperature":46.5}}}'
)
# Captured from a three-phase meter: one counter for all phases (evcc-io/evcc, issue 18879).
THREE_PHASES = (
    b'{"StatusSNS":{"Time":"2025-02-16T21:28:28","ENERGY":{"TotalStartTime":"2024-08-14T20:17:44",'
    b'"Total":0,"Yesterday":0,"Today":0,"Power":[1,0,0],"ApparentPower":[5,0,0],'
    b'"ReactivePower":[5,0,0],"Factor":[0.16,0,0],"Frequency":[50,50,50],"Voltage":[230,230,230],'
    b'"Current":[0.022,0,0]}}}'
)
# Captured from a plug asked for its status (arendst/Tasmota, issue 10232).
STATUS_ANSWER = (
    b'{"StatusSNS":{"Time":"2020-12-23T08:28:42","ENERGY":{"TotalStartTime":"2020-11-23T08:22:08",'
    b'"Total":4.957,"Yesterday":2.497,"Today":1.201,"Power":1,"ApparentPower":3,"ReactivePower":3,'
    b'"Factor":0.21,"Voltage":253,"Current":0.013}}}'
)
# Captured from a Sonoff Pow whose numbers Tasmota padded with blanks, 2022-08-18.
PADDED = (
    b'{"Time":"2022-08-18T09:34:27","ENERGY":{"TotalStartTime":"2022-08-12T15:35:39",'
    b'"Total":0.350,"Yesterday":0.067,"Today":0.050,"Period": 0,"Power": 0,"ApparentPower": 0,'
    b'"ReactivePower": 0,"Factor":0.00,"Voltage": 0,"Current":0.000}}'
)
# Captured from an electricity meter's own section, without ENERGY, 2021-03-13.
OTHER_SENSOR = (
    b'{"Time":"2021-03-13T09:20:30","TIC":{"OPTARIF":"BASE","IINST":"003","PAPP":"00780"}}'
)


def one_reading(found: list[Heard | Skip] | Skip) -> Reading:
    assert isinstance(found, list), found
    [reading] = found
    assert isinstance(reading, Reading)
    return reading


def test_a_report_gives_watts_and_watt_hours_at_the_time_it_was_heard() -> None:
    reading = one_reading(PLUG.parse(SENSOR, ONE_CHANNEL, AT))
    assert reading == Reading("washer-1", AT, 56.0, 514_153.0)


def test_the_answer_to_a_question_is_read_like_a_report() -> None:
    assert one_reading(PLUG.parse(STATUS10, STATUS_ANSWER, AT)).energy_wh == pytest.approx(4957)


def test_padded_numbers_are_read() -> None:
    assert one_reading(PLUG.parse(SENSOR, PADDED, AT)).power_w == 0.0


@pytest.mark.parametrize(("channel", "watts", "wh"), [(1, 52.0, 2813.0), (2, 5.0, 254.0)])
def test_two_machines_share_a_plug_by_channel(channel: int, watts: float, wh: float) -> None:
    plug = TasmotaPlug("dryer-1", "w1", channel)
    assert one_reading(plug.parse(SENSOR, TWO_CHANNELS, AT)) == Reading("dryer-1", AT, watts, wh)


def test_a_machine_on_three_phases_is_their_sum() -> None:
    assert one_reading(PLUG.parse(STATUS10, THREE_PHASES, AT)) == Reading("washer-1", AT, 1.0, 0.0)


def test_a_counter_for_all_channels_is_not_one_machines_energy() -> None:
    plug = TasmotaPlug("washer-1", "w1", 1)
    assert one_reading(plug.parse(STATUS10, THREE_PHASES, AT)) == Reading("washer-1", AT, 1.0, None)


@pytest.mark.parametrize("payload", [TWO_CHANNELS, ONE_CHANNEL])
def test_a_channel_that_the_plug_has_not_is_named(payload: bytes) -> None:
    found = TasmotaPlug("washer-1", "w1", 3).parse(SENSOR, payload, AT)
    assert isinstance(found, Skip)
    assert found.reason is SkipReason.NO_SUCH_CHANNEL


def test_the_plugs_will_and_birth_say_whether_it_is_there() -> None:
    assert PLUG.parse(LWT, b"Online", AT) == [PlugOnline("washer-1", AT, online=True)]
    assert PLUG.parse(LWT, b"Offline", AT) == [PlugOnline("washer-1", AT, online=False)]


def test_an_absent_value_is_not_measured_and_never_zero() -> None:
    only_total = b'{"ENERGY":{"Total":1.5}}'
    assert one_reading(PLUG.parse(SENSOR, only_total, AT)) == Reading("washer-1", AT, None, 1500.0)
    only_power = b'{"ENERGY":{"Power":7,"Total":null}}'
    assert one_reading(PLUG.parse(SENSOR, only_power, AT)) == Reading("washer-1", AT, 7.0, None)


def test_a_meters_noise_below_zero_is_zero() -> None:
    assert one_reading(PLUG.parse(SENSOR, b'{"ENERGY":{"Power":-3}}', AT)).power_w == 0.0


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (SENSOR, b"", SkipReason.MALFORMED),
        (SENSOR, b"\xff\xfe", SkipReason.MALFORMED),
        (SENSOR, b"56", SkipReason.MALFORMED),
        (SENSOR, b"[" * 10_000, SkipReason.MALFORMED),
        (SENSOR, b'{"ENERGY":{"Power":"56"}}', SkipReason.MALFORMED),
        (SENSOR, b'{"ENERGY":{"Power":true}}', SkipReason.MALFORMED),
        (SENSOR, b'{"ENERGY":{"Power":NaN}}', SkipReason.MALFORMED),
        (SENSOR, b'{"ENERGY":{"Power":Infinity}}', SkipReason.MALFORMED),
        (SENSOR, b'{"ENERGY":{"Power":1e999}}', SkipReason.IMPLAUSIBLE),
        (SENSOR, b'{"ENERGY":{"Power":1' + b"0" * 400 + b"}}", SkipReason.IMPLAUSIBLE),
        (SENSOR, b'{"ENERGY":{"Power":1' + b"0" * 5000 + b"}}", SkipReason.MALFORMED),
        (SENSOR, b'{"ENERGY":{"Power":-56}}', SkipReason.IMPLAUSIBLE),
        (SENSOR, b'{"ENERGY":{"Power":60000}}', SkipReason.IMPLAUSIBLE),
        (SENSOR, b'{"ENERGY":{"Total":-1}}', SkipReason.IMPLAUSIBLE),
        (SENSOR, b'{"ENERGY":{"Power":[]}}', SkipReason.NOT_MEASURED),
        (SENSOR, b'{"ENERGY":{}}', SkipReason.NOT_MEASURED),
        (SENSOR, OTHER_SENSOR, SkipReason.NOT_MEASURED),
        (STATUS10, ONE_CHANNEL, SkipReason.NOT_MEASURED),
        (SENSOR, b" " * MAX_PAYLOAD_BYTES + ONE_CHANNEL, SkipReason.OVERSIZED),
        (LWT, b"on", SkipReason.MALFORMED),
        (LWT, b"\xff", SkipReason.MALFORMED),
        ("tele/w2/SENSOR", ONE_CHANNEL, SkipReason.UNKNOWN_TOPIC),
    ],
)
def test_a_message_that_cannot_be_used_is_a_skip_with_its_reason(
    topic: str, payload: bytes, reason: SkipReason
) -> None:
    found = PLUG.parse(topic, payload, AT)
    assert isinstance(found, Skip)
    assert found.reason is reason
    assert len(found.detail) <= 120
    assert found.detail.isprintable()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
_energy = st.fixed_dictionaries({}, optional={"Power": _json, "Total": _json})
_body = _json | _energy.map(lambda energy: {"ENERGY": energy})
_payload = st.binary() | (_body | _body.map(lambda body: {"StatusSNS": body})).map(
    lambda body: json.dumps(body).encode()
)


@given(
    st.sampled_from([SENSOR, STATUS10, LWT, "x"]),
    _payload,
    st.none() | st.integers(min_value=1, max_value=4),
)
def test_parsing_never_raises_and_never_gives_an_impossible_number(
    topic: str, payload: bytes, channel: int | None
) -> None:
    found = TasmotaPlug("washer-1", "w1", channel).parse(topic, payload, AT)
    if isinstance(found, Skip):
        assert found.detail.isprintable()
        return
    for one in found:
        if isinstance(one, Skip):
            assert one.detail.isprintable()
            continue
        assert one.machine == "washer-1"
        if isinstance(one, Reading):
            assert (one.power_w, one.energy_wh) != (None, None)
            assert one.power_w is None or one.power_w >= 0
            assert one.energy_wh is None or one.energy_wh >= 0


def test_the_settings_give_the_topics_and_the_question() -> None:
    plug = build_source("washer-1", PlugSpec("tasmota", "/w1/"))
    assert plug.filters() == (SENSOR, STATUS10, LWT)
    assert plug.asks() == (Ask("cmnd/w1/Status", b"10"),)


@pytest.mark.parametrize(
    ("plug", "named"),
    [
        (PlugSpec("tasmotta", "w1"), "allowed: .*tasmota"),
        (PlugSpec("tasmota", "tele/+/x"), "without"),
        (PlugSpec("tasmota", "//"), "not empty"),
        (PlugSpec("tasmota", "w" * 40_000), "longer than MQTT"),
        (PlugSpec("tasmota", "w1", 0), "count from 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_the_machines_name(
    plug: PlugSpec, named: str
) -> None:
    with pytest.raises(SourceError, match=f"washer-1.*{named}"):
        build_source("washer-1", plug)
