from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.generic import recognise
from edge.sources.reading import Reading, Skip, SkipReason
from edge.sources.source import PlugSpec, PowerUnit, SourceError
from edge.sources.table import build_source
from tests.edge.sources.parsing import AT, only_what_may_be, payloads

PLAIN = PlugSpec("generic", "meter/power", energy_topic="meter/energy", energy_unit="kWh")
JSON = PlugSpec(
    "generic",
    "meter",
    power_path="channels.1.power",
    power_unit="kW",
    energy_path="total",
    energy_unit="Wh",
)


def test_plain_numbers_on_two_topics() -> None:
    plug = build_source("w1", PLAIN)
    assert plug.filters() == ("meter/power", "meter/energy")
    assert plug.parse("meter/power", b" 56.5 ", AT) == [Reading("w1", AT, 56.5)]
    assert plug.parse("meter/energy", b"1.5", AT) == [Reading("w1", AT, None, 1500.0)]


def test_two_numbers_in_one_json_are_one_reading() -> None:
    plug = build_source("w1", JSON)
    assert plug.filters() == ("meter",)
    payload = b'{"channels":[{"power":9},{"power":1.25}],"total":"815"}'
    assert plug.parse("meter", payload, AT) == [Reading("w1", AT, 1250.0, 815.0)]


def test_what_is_absent_is_not_measured() -> None:
    plug = build_source("w1", JSON)
    assert plug.parse("meter", b'{"total":7}', AT) == [Reading("w1", AT, None, 7.0)]
    assert plug.parse("meter", b'{"channels":[{"power":9}],"total":7}', AT) == [
        Reading("w1", AT, None, 7.0)
    ]


@pytest.mark.parametrize(
    ("unit", "payload", "watts"), [("W", b"7", 7.0), ("kW", b"0.1", 100.0), ("mW", b"7100", 7.1)]
)
def test_units_are_converted_at_the_border(unit: PowerUnit, payload: bytes, watts: float) -> None:
    plug = build_source("w1", PlugSpec("generic", "p", power_unit=unit))
    assert plug.parse("p", payload, AT) == [Reading("w1", AT, watts)]


@pytest.mark.parametrize(
    ("spec", "topic", "payload", "reason"),
    [
        (PLAIN, "meter/power", b"", SkipReason.NOT_MEASURED),
        (PLAIN, "meter/power", b"12 W", SkipReason.MALFORMED),
        (PLAIN, "meter/power", b'{"power":1}', SkipReason.MALFORMED),
        (PLAIN, "meter", b"1", SkipReason.UNKNOWN_TOPIC),
        (JSON, "meter", b"12", SkipReason.MALFORMED),
        (JSON, "meter", b'{"channels":7}', SkipReason.NOT_MEASURED),
        (JSON, "meter", b'{"channels":{"1":{"power":true}}}', SkipReason.MALFORMED),
        (JSON, "meter", b'{"channels":{"1":{"power":{}}}}', SkipReason.MALFORMED),
        (
            JSON,
            "meter",
            b'{"channels":{"1":{"power":1' + b"0" * 400 + b"}}}",
            SkipReason.IMPLAUSIBLE,
        ),
        (JSON, "meter", b'{"channels":{"1":{"power":90}}}', SkipReason.IMPLAUSIBLE),
    ],
)
def test_a_message_that_cannot_be_used_is_a_skip_with_its_reason(
    spec: PlugSpec, topic: str, payload: bytes, reason: SkipReason
) -> None:
    found = build_source("w1", spec).parse(topic, payload, AT)
    assert isinstance(found, Skip)
    assert found.reason is reason


def test_json_without_a_path_says_which_setting_is_missing() -> None:
    found = build_source("w1", PLAIN).parse("meter/power", b'{"power":1}', AT)
    assert isinstance(found, Skip)
    assert "power_path" in found.detail


@given(
    st.sampled_from([PLAIN, JSON]),
    st.sampled_from(["meter", "meter/power", "meter/energy"]),
    payloads("channels", "1", "power", "total"),
)
def test_no_bytes_crash_it(spec: PlugSpec, topic: str, payload: bytes) -> None:
    only_what_may_be(build_source("w1", spec), topic, payload)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (PlugSpec("generic", "a", energy_path="e"), "energy_unit goes with"),
        (PlugSpec("generic", "a", energy_unit="Wh"), "energy_unit goes with"),
        (PlugSpec("generic", "a", energy_topic="a", energy_unit="Wh"), "the same number"),
        (
            PlugSpec("generic", "a", power_path="x", energy_path="x", energy_unit="Wh"),
            "the same number",
        ),
        (PlugSpec("generic", "a", energy_path="x", energy_unit="Wh"), "needs power_path"),
        (PlugSpec("generic", "a", power_path="x..y"), "power_path is"),
        (PlugSpec("generic", "a", power_path="a.b.c.d.e.f.g.h.i"), "8 at most"),
        (PlugSpec("generic", "a/#"), "without"),
        (PlugSpec("generic", "a", 1), "channel is not for the source generic but for tasmota"),
    ],
)
def test_settings_that_make_no_sense_are_refused(spec: PlugSpec, said: str) -> None:
    with pytest.raises(SourceError, match=f"plug of machine w1: .*{said}"):
        build_source("w1", spec)


def test_numbers_that_are_called_power_are_recognised() -> None:
    assert recognise("m/power", b"12") == [PlugSpec("generic", "m/power", power_unit="W")]
    assert recognise("m", b'{"a":[{"Power":1}],"power_mW":3,"POWER":"ON"}') == [
        PlugSpec("generic", "m", power_path="a.0.Power", power_unit="W"),
        PlugSpec("generic", "m", power_path="power_mW", power_unit="mW"),
    ]
    assert recognise("m/power", b"ON") is None
    assert recognise("m/volts", b"230") is None
    assert recognise("laundry/v1/a/b/machine/w1/state", b'{"power_w":1}') == []
