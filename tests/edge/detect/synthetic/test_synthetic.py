from __future__ import annotations

from itertools import pairwise

import pytest

from laundryd.wire.machines import MachineKind
from tests.edge.detect.synthetic.dryer import Dryer, Tumbling, wash_and_dry
from tests.edge.detect.synthetic.load import WORK_W, Load, rest, sparse_turns
from tests.edge.detect.synthetic.plug import (
    EVERY_MINUTE,
    EVERY_SECOND,
    JITTERED,
    ON_CHANGE,
    PLUGS,
    clock_jumped,
    lines,
    lost,
    rebooted,
)
from tests.edge.detect.synthetic.scenarios import a_load, a_wash, floor_w, months, two_loads
from tests.edge.detect.synthetic.timeline import BEGIN_S, Timeline
from tests.edge.detect.synthetic.washer import PROGRAMMES, Washer

WASH = a_wash(3)


def longest_rest_s(load: Load) -> float:
    longest = resting = 0.0
    for length, watts in load.runs:
        resting = 0.0 if watts > WORK_W else resting + length
        longest = max(longest, resting)
    return longest


@pytest.mark.parametrize("kind", MachineKind)
def test_the_same_seed_gives_the_same_samples_and_another_one_others(kind: MachineKind) -> None:
    def samples(seed: int) -> list[tuple[float, float]]:
        return JITTERED.samples(months(kind, 3, seed).timeline, seed)

    assert samples(1) == samples(1)
    assert samples(1) != samples(2)


@pytest.mark.parametrize("seed", range(20))
def test_a_wash_works_to_its_end_and_rests_no_longer_than_real_ones_do(seed: int) -> None:
    for programme in PROGRAMMES:
        load = Washer.of(seed).load(programme, seed)
        assert load.ready_s == pytest.approx(load.last_work_s) == pytest.approx(load.length_s)
        assert 15 * 60 < load.ready_s < 3 * 3600
        assert longest_rest_s(load) < 341


@pytest.mark.parametrize("seed", range(20))
def test_a_dryer_is_ready_before_its_tumbling_and_tumbles_as_was_seen(seed: int) -> None:
    tumbling = Tumbling.of(seed)
    load = Dryer.of(seed).load(seed, tumbling=tumbling)
    assert load.last_work_s > load.ready_s + 100
    assert 130 <= tumbling.gap_s <= 660
    assert load.length_s == pytest.approx(load.last_work_s)
    assert Dryer.of(seed).load(seed).last_work_s == pytest.approx(load.ready_s)


def test_a_washer_dryer_is_ready_when_it_has_dried() -> None:
    load = wash_and_dry(1, tumbling=Tumbling.of(1))
    assert load.ready_s > Dryer.of(1).load(1).ready_s + 1800
    assert load.last_work_s > load.ready_s


def test_a_soak_makes_the_load_longer_and_only_one_before_the_end_puts_off_ready() -> None:
    soaked = WASH.interrupted(1000, rest(600))
    assert soaked.ready_s == pytest.approx(WASH.ready_s + 600)
    assert longest_rest_s(soaked) >= 600
    assert WASH.interrupted(WASH.ready_s, rest(600)).ready_s == WASH.ready_s
    turning = WASH.interrupted(1000, sparse_turns(240, 3))
    assert turning.ready_s == pytest.approx(WASH.ready_s + 4 * 240 + 3 * 12)
    assert 240 <= longest_rest_s(turning) < 300


def test_a_load_that_is_cut_draws_nothing_after_it() -> None:
    assert WASH.cut(500.5).length_s == pytest.approx(500.5)
    assert WASH.cut(500.5).ready_s == 500.5


def test_references_tell_when_work_began_and_ended_on_the_clock() -> None:
    load = a_load(MachineKind.DRYER, 1)
    (reference,) = Timeline().idle(100).load(load).references
    assert reference.first_over_20w_s == BEGIN_S + 100
    assert reference.ready_s == BEGIN_S + 100 + load.ready_s
    assert reference.last_over_20w_s == pytest.approx(BEGIN_S + 100 + load.last_work_s)


@pytest.mark.parametrize("gap_minutes", range(4, 15))
def test_two_loads_are_as_far_apart_as_asked(gap_minutes: int) -> None:
    first, second = two_loads(MachineKind.WASHER, gap_minutes, 5).timeline.references
    assert second.first_over_20w_s - first.last_over_20w_s == pytest.approx(gap_minutes * 60)


def test_every_floor_of_0_to_17_w_occurs_and_is_drawn_all_the_time() -> None:
    floors_w = [floor_w(seed) for seed in range(200)]
    assert min(floors_w) < 0.5
    assert 16 < max(floors_w) <= 17
    line = Timeline(15.0).idle(60).load(WASH).display(60, 17.0).display(60, 2.0)
    assert min(watts for _, watts in EVERY_SECOND.samples(line)) == 15.0


def test_each_plug_samples_in_its_own_way() -> None:
    line = Timeline(1.5).idle(7200).load(WASH).idle(7200)
    taken = {name: plug.samples(line) for name, plug in PLUGS.items()}
    for samples in taken.values():
        assert all(before[0] < after[0] for before, after in pairwise(samples))
    assert len(taken["every second"]) == pytest.approx(
        sum(length for length, _ in line.runs), abs=2
    )
    steps = {after[0] - before[0] for before, after in pairwise(taken["jittered"])}
    assert (min(steps), max(steps)) == (1, 8)
    assert all(watts % 2 == 0 for _, watts in taken["jittered"])
    assert {after[0] - before[0] for before, after in pairwise(taken["every minute"])} == {60}
    changes = taken["on change"]
    assert changes[0] == (BEGIN_S, 1.5)
    assert changes[1][0] == pytest.approx(BEGIN_S + 7200, abs=1)
    assert changes[-1][1] < WORK_W
    assert changes[-1][0] < line.now_s - 7100


def test_a_silent_plug_says_nothing() -> None:
    line = Timeline(1.0).idle(100).silence(1000).idle(100)
    for plug in (EVERY_SECOND, ON_CHANGE, EVERY_MINUTE):
        assert not [at for at, _ in plug.samples(line) if BEGIN_S + 100 <= at < BEGIN_S + 1100]


def test_holes_reboots_and_jumps_of_the_clock() -> None:
    samples = EVERY_SECOND.samples(Timeline(5.0).idle(100))
    assert len(lost(samples, BEGIN_S + 10, 20)) == 80
    back = rebooted(samples, BEGIN_S + 10, 20)
    assert len(back) == 81
    assert (BEGIN_S + 29.5, 0.0) in back
    assert clock_jumped(samples, BEGIN_S + 50)[49:51] == [
        (BEGIN_S + 49, 5.0),
        (BEGIN_S + 50 + 3600, 5.0),
    ]


def test_samples_become_the_lines_of_a_replay() -> None:
    assert lines([(BEGIN_S, 5.25)]) == ["unix_s,watts\n", "1700000000.000,5.25\n"]
