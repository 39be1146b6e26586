from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from edge.detect.detector import Detector
from edge.detect.signals import CycleFinished, CycleStarted, Signal
from edge.sources.reading import Reading
from edge.sources.simulated import (
    DISPLAY_S,
    Programme,
    tasmota_sensor_payload,
)
from edge.sources.tasmota import TasmotaPlug, sensor_topic
from laundryd.wire.machines import MachineKind

AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
PLUG = TasmotaPlug("washer-1", "w1")


def signals_of(kind: MachineKind, minutes: float, every_s: int, seed: int) -> list[Signal]:
    """Publish a programme as Tasmota does, every ``every_s``, from before it until after its end."""
    programme = Programme(kind, minutes, seed)
    detector = Detector(kind)
    signals: list[Signal] = []
    total_wh = 0.0
    for elapsed_s in range(-600, round(minutes * 60 + DISPLAY_S) + 600, every_s):
        power_w = programme.power_w(elapsed_s)
        total_wh += power_w * every_s / 3600
        at = AT + timedelta(seconds=elapsed_s)
        heard = PLUG.parse(sensor_topic("w1"), tasmota_sensor_payload(power_w, total_wh, at), at)
        assert isinstance(heard, list)
        for one in heard:
            assert isinstance(one, Reading)
            signals += detector.feed(one)
    return signals


def test_the_payload_has_every_field_of_a_real_one_and_is_read_back() -> None:
    payload = tasmota_sensor_payload(2071.4, 514_153, AT)
    assert list(json.loads(payload)) == ["Time", "ENERGY"]
    assert list(json.loads(payload)["ENERGY"]) == [
        "TotalStartTime",
        "Total",
        "Yesterday",
        "Today",
        "Period",
        "Power",
        "ApparentPower",
        "ReactivePower",
        "Factor",
        "Voltage",
        "Current",
    ]
    assert PLUG.parse("tele/w1/SENSOR", payload, AT) == [
        Reading("washer-1", AT, 2071.0, 514_153.0),
    ]


@pytest.mark.parametrize("kind", list(MachineKind))
@pytest.mark.parametrize(("minutes", "every_s"), [(12, 1), (12, 5), (12, 10), (45, 10), (90, 30)])
@pytest.mark.parametrize("seed", [0, 7])
def test_a_programme_is_seen_as_exactly_one_cycle_of_its_length(
    kind: MachineKind, minutes: float, every_s: int, seed: int
) -> None:
    signals = signals_of(kind, minutes, every_s, seed)
    assert [type(signal) for signal in signals] == [CycleStarted, CycleFinished]
    finished = signals[1]
    assert isinstance(finished, CycleFinished)
    slack = timedelta(seconds=max(30, 2 * every_s))
    assert abs(finished.started_at - AT) <= slack
    assert abs(finished.ended_at - AT - timedelta(minutes=minutes)) <= slack
    assert finished.at - finished.ended_at <= timedelta(minutes=6)


def test_the_same_seed_draws_the_same_power_and_another_does_not() -> None:
    curves = [
        [Programme(MachineKind.WASHER, 12, seed).power_w(second) for second in range(720)]
        for seed in (1, 1, 2)
    ]
    assert curves[0] == curves[1] != curves[2]


def test_a_washer_rests_only_shortly_while_it_works_and_hardly_draws_afterwards() -> None:
    programme = Programme(MachineKind.WASHER, 12)
    resting_s = longest_s = 0
    for second in range(720):
        resting_s = resting_s + 1 if programme.power_w(second) < 20 else 0
        longest_s = max(longest_s, resting_s)
    assert 0 < longest_s < 30
    assert max(programme.power_w(second) for second in range(720)) > 2000
    assert programme.power_w(721) < 5
    assert programme.power_w(720 + DISPLAY_S) < 1
    assert programme.power_w(-1) < 1


def test_a_programme_too_short_to_be_told_from_a_spike_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        Programme(MachineKind.WASHER, 2)
