"""Whole days of synthetic machines: one load is one cycle, two loads are two, and nothing is none."""

from __future__ import annotations

import pytest

from edge.detect.finder import Finder
from edge.detect.marks import End
from edge.replay import ReplayEvent, replay
from laundryd.wire.machines import MachineKind
from tests.bench.sensing.score import TOLERANCE_S, Score, score
from tests.edge.detect.synthetic.plug import (
    EVERY_SECOND,
    JITTERED,
    PLUGS,
    Plug,
    lines,
    lost,
    rebooted,
)
from tests.edge.detect.synthetic.scenarios import (
    Scenario,
    a_load,
    a_wash,
    delayed,
    displaying,
    months,
    next_load_while_tumbling,
    nothing_but_noise,
    one_load,
    soaking,
    turning_now_and_then,
    two_loads,
)
from tests.edge.detect.synthetic.timeline import HOUR_S, Timeline

MINUTES = range(1, 16)
KINDS = tuple(MachineKind)


def replayed(scenario: Scenario, plug: Plug = JITTERED, seed: int = 1) -> list[ReplayEvent]:
    return list(replay(lines(plug.samples(scenario.timeline, seed)), scenario.kind))


def scored(scenario: Scenario, plug: Plug = JITTERED, seed: int = 1) -> Score:
    return score(scenario.timeline.references, replayed(scenario, plug, seed))


def assert_each_load_is_a_cycle(result: Score) -> None:
    assert (result.missed, result.invented, result.split, result.merged) == (0, 0, 0, 0)
    assert (result.never_ended, result.disorder) == (0, 0)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("minutes", MINUTES)
def test_a_soak_or_pause_of_any_length_leaves_one_cycle_with_its_true_start_and_end(
    minutes: int, share: float
) -> None:
    scenario = soaking(minutes, share, seed=minutes)
    events = replayed(scenario)
    result = score(scenario.timeline.references, events)
    assert_each_load_is_a_cycle(result)
    [reference] = scenario.timeline.references
    last = [event for event in events if event.event == "finished"][-1]
    assert last.started_at == pytest.approx(reference.first_over_20w_s, abs=300)
    assert last.ended_at == pytest.approx(reference.ready_s, abs=60)
    taken_back = [event for event in events if event.event == "resumed"]
    assert len(taken_back) == sum(event.event == "finished" for event in events) - 1
    assert all(event.started_at == last.started_at for event in taken_back)


@pytest.mark.parametrize("minutes", MINUTES)
def test_a_soak_in_which_the_drum_turns_now_and_then_is_one_cycle(minutes: int) -> None:
    assert_each_load_is_a_cycle(scored(turning_now_and_then(minutes, 0.4, seed=minutes)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("minutes", [4, 5, 7, 13])
def test_two_loads_of_a_plug_that_knows_nothing_are_two_cycles(
    kind: MachineKind, minutes: int
) -> None:
    for seed in (2, 4, 6):
        assert_each_load_is_a_cycle(scored(two_loads(kind, minutes, seed), seed=seed))


@pytest.mark.parametrize("plug", PLUGS.values(), ids=PLUGS)
@pytest.mark.parametrize("kind", KINDS)
def test_months_of_a_machine_before_every_kind_of_plug(kind: MachineKind, plug: Plug) -> None:
    result = scored(months(kind, 8, seed=3), plug, seed=3)
    assert_each_load_is_a_cycle(result)
    assert result.cycles == 8
    # A turning drum may be caught at rest for minutes by one that reports once a minute.
    assert max(result.told_min) < (14 if plug is PLUGS["every minute"] else 10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plug", PLUGS.values(), ids=PLUGS)
def test_spikes_doors_and_a_delayed_start_are_no_cycle(kind: MachineKind, plug: Plug) -> None:
    assert replayed(nothing_but_noise(kind, seed=7), plug) == []


@pytest.mark.parametrize("watts", [2, 5, 9, 13, 17])
def test_a_display_that_is_lit_for_hours_holds_nothing_up(watts: float) -> None:
    result = scored(displaying(watts, 8.75, seed=5))
    assert_each_load_is_a_cycle(result)
    assert max(result.told_min) < 10


def test_the_next_load_of_a_dryer_is_found_amid_the_tumbling_of_the_last() -> None:
    for seed in range(1, 6):
        assert_each_load_is_a_cycle(scored(next_load_while_tumbling(seed), seed=seed))


def test_a_delayed_start_begins_with_the_work() -> None:
    assert_each_load_is_a_cycle(scored(delayed(4)))


def test_a_hole_in_the_data_and_a_plug_that_reboots_split_nothing() -> None:
    scenario = one_load("a hole", MachineKind.WASHER, a_wash(6), 6)
    [reference] = scenario.timeline.references
    half_s = (reference.first_over_20w_s + reference.ready_s) / 2
    samples = rebooted(EVERY_SECOND.samples(scenario.timeline), half_s - 900)
    for length_s in (60, 300, 900):
        holed = lines(lost(samples, half_s, length_s))
        result = score(scenario.timeline.references, replay(holed, scenario.kind))
        assert_each_load_is_a_cycle(result)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("kind", KINDS)
def test_a_load_that_ran_before_the_plug_was_heard_is_told_done_but_teaches_nothing(
    kind: MachineKind, share: float
) -> None:
    scenario = one_load("alone", kind, a_load(kind, 2), 2)
    [reference] = scenario.timeline.references
    heard_from_s = reference.first_over_20w_s + share * reference.length_s
    finder = Finder(kind)
    ends = [
        mark
        for at_s, watts in JITTERED.samples(scenario.timeline, 2)
        if at_s >= heard_from_s
        for mark in finder.sample(at_s, watts)
        if isinstance(mark, End)
    ]

    assert [abs(end.ended_s - reference.ready_s) < TOLERANCE_S for end in ends] == [True]
    assert finder.started_s is None
    assert finder.library.cycles == []


@pytest.mark.parametrize("minutes", [12, 15, 30])
@pytest.mark.parametrize("share", [0.3, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_minutes_without_a_word_end_no_load_and_move_no_end(
    kind: MachineKind, share: float, minutes: int
) -> None:
    for seed in range(1, 5):
        scenario = one_load("unheard", kind, a_load(kind, seed), seed)
        [reference] = scenario.timeline.references
        from_s = reference.first_over_20w_s + share * reference.length_s
        heard = [
            (at_s, watts)
            for at_s, watts in EVERY_SECOND.samples(scenario.timeline, seed)
            if not from_s <= at_s < from_s + minutes * 60
        ]
        if from_s + minutes * 60 > reference.ready_s - 300:
            continue
        events = list(replay(lines(heard), kind))
        ends = [one for one in events if one.event == "finished"]
        assert len(ends) == 1, (seed, ends)
        assert ends[0].ended_at == pytest.approx(reference.ready_s, abs=TOLERANCE_S)


def test_a_lamp_left_on_ends_the_load_and_hides_no_later_one() -> None:
    line = Timeline(0.0).idle(HOUR_S).load(a_wash(3)).draw((15 * HOUR_S, 30.0))
    line.load(a_wash(4)).draw((2 * HOUR_S, 30.0)).idle(HOUR_S).load(a_wash(5)).idle(2 * HOUR_S)
    scenario = Scenario("a lamp", MachineKind.WASHER, line)
    events = replayed(scenario, EVERY_SECOND)
    ends = [event.ended_at for event in events if event.event == "finished"]

    assert [event.event for event in events if event.event in {"started", "finished"}] == [
        "started",
        "finished",
    ] * 3
    assert ends == pytest.approx(
        [reference.ready_s for reference in line.references], abs=TOLERANCE_S
    )
