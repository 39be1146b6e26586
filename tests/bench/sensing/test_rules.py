from __future__ import annotations

import pytest

from edge.replay import ReplayEvent
from tests.bench.sensing.rules import (
    BLUEPRINT,
    HA_WASHDATA,
    MQTT_WASHDATA,
    RIVALS,
    RivalRule,
    rival_events,
)


def run(rule: RivalRule, *stretches: tuple[int, float]) -> list[tuple[str, float]]:
    """(event, told) for stretches of (seconds, watts), a sample a second."""
    watts = [power_w for length_s, power_w in stretches for _ in range(length_s)]
    events = rival_events(rule, [(float(at), power_w) for at, power_w in enumerate(watts)])
    return [(event.event, event.at) for event in events]


@pytest.mark.parametrize(
    ("rule", "start_s", "stop_s"),
    [(BLUEPRINT, 300, 300), (MQTT_WASHDATA, 20, 180), (HA_WASHDATA, 8, 480)],
)
def test_each_rule_starts_and_stops_by_its_numbers(
    rule: RivalRule, start_s: int, stop_s: int
) -> None:
    events = run(rule, (100, 0), (1800, 100), (1000, 0))
    assert events == [("started", 100 + start_s), ("finished", 1900 + stop_s)]


@pytest.mark.parametrize("rule", RIVALS, ids=lambda rule: rule.name)
def test_a_sample_on_the_other_side_begins_the_delay_anew(rule: RivalRule) -> None:
    soak_s = int(rule.stop_s) - 10
    events = run(rule, (1800, 100), (soak_s, 0), (5, 100), (soak_s, 0), (5, 100), (1000, 0))
    assert [event for event, _ in events] == ["started", "finished"]


def test_a_plateau_over_the_stop_never_ends_and_the_energy_gate_holds_back_a_start() -> None:
    assert run(MQTT_WASHDATA, (60, 100), (9000, 6)) == [("started", 20)]
    assert run(HA_WASHDATA, (60, 4)) == []


def test_a_silent_plug_does_not_hold_up_an_end() -> None:
    samples = [(float(at), 100.0) for at in range(600)] + [(600.0, 0.0), (90_000.0, 100.0)]
    events = list(rival_events(BLUEPRINT, samples))
    assert events[1] == ReplayEvent("finished", "", 900, 0, 600)
    ended_in_silence = list(rival_events(BLUEPRINT, samples[:-1]))
    assert ended_in_silence == events
