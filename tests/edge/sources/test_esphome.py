from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.esphome import EspHomePlug, recognise
from edge.sources.reading import PlugOnline, Reading, Skip, SkipReason
from edge.sources.source import PlugSpec, SourceError
from edge.sources.table import build_source
from tests.edge.sources import captured
from tests.edge.sources.parsing import AT, only_what_may_be, payloads

POWER, ENERGY = "laundry/sensor/washer_power/state", "laundry/sensor/washer_energy/state"
SPEC = PlugSpec(
    "esphome",
    "laundry",
    power_sensor="washer_power",
    energy_sensor="washer_energy",
    energy_unit="kWh",
)
PLUG = build_source("w1", SPEC)


def test_each_sensor_says_its_number() -> None:
    assert PLUG.parse(POWER, captured.ESPHOME_POWER, AT) == [Reading("w1", AT, 12.3)]
    assert PLUG.parse(ENERGY, b"1.234", AT) == [Reading("w1", AT, None, 1234.0)]


def test_units_are_converted_at_the_border() -> None:
    plug = EspHomePlug("w1", "laundry", "washer_power", w_per_unit=1000.0)
    assert plug.parse(POWER, b"2.1", AT) == [Reading("w1", AT, 2100.0)]


@pytest.mark.parametrize("payload", [b"nan", b"NaN", b"None", b"", b"unavailable"])
def test_a_sensor_without_a_value_is_not_measured_and_never_zero(payload: bytes) -> None:
    found = PLUG.parse(POWER, payload, AT)
    assert isinstance(found, Skip)
    assert found.reason is SkipReason.NOT_MEASURED


def test_the_nodes_will_says_whether_it_is_there() -> None:
    assert PLUG.parse("laundry/status", b"online", AT) == [PlugOnline("w1", AT, online=True)]
    assert PLUG.parse("laundry/status", b"offline", AT) == [PlugOnline("w1", AT, online=False)]


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (POWER, b"ON", SkipReason.MALFORMED),
        (POWER, b"\xff", SkipReason.MALFORMED),
        (POWER, b"99999", SkipReason.IMPLAUSIBLE),
        ("laundry/status", b"gone", SkipReason.MALFORMED),
        ("laundry/sensor/voltage/state", b"230", SkipReason.UNKNOWN_TOPIC),
    ],
)
def test_a_message_that_cannot_be_used_is_a_skip_with_its_reason(
    topic: str, payload: bytes, reason: SkipReason
) -> None:
    found = PLUG.parse(topic, payload, AT)
    assert isinstance(found, Skip)
    assert found.reason is reason


@given(st.sampled_from([*PLUG.filters(), "x"]), payloads("state"))
def test_no_bytes_crash_it(topic: str, payload: bytes) -> None:
    only_what_may_be(PLUG, topic, payload)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (PlugSpec("esphome", "laundry"), "power_sensor is not set"),
        (
            PlugSpec("esphome", "laundry", power_sensor="p", energy_sensor="e"),
            "energy_unit go together",
        ),
        (PlugSpec("esphome", "laundry", power_sensor="p", energy_unit="Wh"), "go together"),
        (PlugSpec("esphome", "laundry", power_sensor="p/+"), "power_sensor is 'p/.'"),
        (PlugSpec("esphome", "laundry", 1, power_sensor="p"), "channel is not for the source"),
    ],
)
def test_settings_that_make_no_sense_are_refused(spec: PlugSpec, said: str) -> None:
    with pytest.raises(SourceError, match=f"plug of machine w1: .*{said}"):
        build_source("w1", spec)


def test_it_is_recognised_by_the_name_of_a_power_sensor() -> None:
    assert recognise(POWER, b"nan") == [PlugSpec("esphome", "laundry", power_sensor="washer_power")]
    assert recognise("laundry/sensor/power_factor/state", b"0.9") == []
    assert recognise("laundry/sensor/temperature/state", b"20") == []
    assert recognise("laundry/switch/power/state", b"ON") is None
