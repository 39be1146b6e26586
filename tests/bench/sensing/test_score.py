from __future__ import annotations

import math

import pytest

from edge.replay import ReplayEvent
from tests.bench.sensing.detected import detected_cycles
from tests.bench.sensing.score import ReferenceCycle, Score, percentile, score

HOUR_S = 3600.0


def reference(begin_s: float, *, tumbling_s: float = 0.0, flag: str = "") -> ReferenceCycle:
    """A load of an hour."""
    ready_s = begin_s + HOUR_S
    return ReferenceCycle(begin_s, ready_s + tumbling_s, ready_s, flag)


def started(at: float, of: float) -> ReplayEvent:
    return ReplayEvent("started", "m", at, of)


def finished(at: float, of: float, ended: float) -> ReplayEvent:
    return ReplayEvent("finished", "m", at, of, ended)


def resumed(at: float, of: float) -> ReplayEvent:
    return ReplayEvent("resumed", "m", at, of)


def left(at: float, minutes: float | None) -> ReplayEvent:
    return ReplayEvent("minutes_left", "m", at, minutes_left=minutes)


def soon(at: float) -> ReplayEvent:
    return ReplayEvent("ending_soon", "m", at)


def told(begin_s: float, *, delay_s: float = 180.0) -> list[ReplayEvent]:
    """The load of an hour, rightly told."""
    end_s = begin_s + HOUR_S
    return [started(begin_s + 60, begin_s), finished(end_s + delay_s, begin_s, end_s)]


def wrong(result: Score) -> dict[str, int]:
    names = (
        "missed",
        "invented",
        "split",
        "merged",
        "early",
        "early_strict",
        "never_ended",
        "resumed",
        "disorder",
    )
    return {name: count for name in names if (count := getattr(result, name))}


def test_what_is_rightly_told_has_no_fault_and_its_delay() -> None:
    result = score([reference(0), reference(4000)], [*told(0), *told(4000, delay_s=240)])
    assert wrong(result) == {}
    assert result.cycles == 2
    assert result.told_min == [3, 4]
    assert result.start_told_min == [1, 1]


def test_a_load_that_nothing_was_said_of_is_missed_and_one_that_was_not_is_invented() -> None:
    assert wrong(score([reference(0)], told(90_000))) == {"missed": 1, "invented": 1}


def test_two_cycles_within_one_load_split_it_and_the_first_was_told_early() -> None:
    events = [started(60, 0), finished(1500, 0, 1200)]
    events += [started(1800, 1740), finished(3780, 1740, 3600)]
    result = score([reference(0)], events)
    assert wrong(result) == {"split": 1, "early": 1, "early_strict": 1}
    assert result.told_min == [3]


def test_one_cycle_over_two_loads_merges_them_and_the_first_was_told_late() -> None:
    events = [started(60, 0), finished(7700, 0, 7500)]
    result = score([reference(0), reference(3900)], events)
    assert wrong(result) == {"merged": 1}
    assert result.told_min == [pytest.approx(4100 / 60), pytest.approx(200 / 60)]


def test_a_start_or_end_a_minute_within_the_neighbour_is_no_fault() -> None:
    events = [started(60, 0), finished(4000, 0, 3960), started(4010, 3970)]
    events.append(finished(7680, 3970, 7500))
    assert wrong(score([reference(0), reference(3900)], events)) == {}


def test_tumbling_that_starts_a_cycle_splits_its_load() -> None:
    events = [*told(0), started(4500, 4490), finished(4900, 4490, 4600)]
    assert wrong(score([reference(0, tumbling_s=1800)], events)) == {"split": 1}


def test_a_load_that_starts_while_the_last_one_tumbles_is_a_load_of_its_own() -> None:
    references = [reference(0, tumbling_s=600), reference(4200)]
    assert wrong(score(references, [*told(0), *told(4200)])) == {}


@pytest.mark.parametrize(
    ("before_ready_s", "faults"),
    [(-1, {}), (119, {"early_strict": 1}), (121, {"early": 1, "early_strict": 1})],
)
def test_told_early_is_over_two_minutes_before_ready(
    before_ready_s: float, faults: dict[str, int]
) -> None:
    events = [started(60, 0), finished(HOUR_S - before_ready_s, 0, 3000)]
    assert wrong(score([reference(0)], events)) == faults


def test_an_end_that_is_taken_back_was_early_and_the_load_is_whole_and_told_at_its_last_end() -> (
    None
):
    events = [started(60, 0), finished(1500, 0, 1200), resumed(1800, 0), finished(3900, 0, 3600)]
    result = score([reference(0)], events)
    assert wrong(result) == {"early": 1, "early_strict": 1, "resumed": 1}
    assert result.told_min == [5]


def test_a_load_that_was_never_told_finished_is_counted_and_has_no_delay() -> None:
    result = score([reference(0)], [started(60, 0)])
    assert wrong(result) == {"never_ended": 1}
    assert result.told_min == []
    taken_back = [*told(0), resumed(3900, 0)]
    assert score([reference(0)], taken_back).never_ended == 1


def test_a_start_while_one_runs_leaves_that_one_without_an_end_but_merges_nothing() -> None:
    result = score([reference(0), reference(9000)], [started(60, 0), *told(9000)])
    assert wrong(result) == {"never_ended": 1, "disorder": 1}


def test_a_flagged_row_is_left_out_but_what_was_told_of_it_is_not_invented() -> None:
    result = score([reference(0, flag="cut_at_midnight"), reference(9000)], [*told(0), *told(9000)])
    assert (result.cycles, wrong(result)) == (1, {})


def test_minutes_left_count_from_the_fourth_cycle_on_by_the_last_word_at_half_time() -> None:
    references = [reference(9000 * number) for number in range(5)]
    events = [event for one in references for event in told(one.first_over_20w_s)]
    events[7:7] = [left(27_000 + 600, 80), left(27_000 + 1800, 33), left(27_000 + 1801, 90)]
    result = score(references, events)
    assert result.left_errors == [pytest.approx(180 / HOUR_S), 1.0]
    assert result.left_missing == 1
    assert result.said_left


def test_minutes_left_that_were_taken_back_as_unknown_are_missing() -> None:
    references = [reference(9000 * number) for number in range(4)]
    events = [event for one in references for event in told(one.first_over_20w_s)]
    events[7:7] = [left(27_600, 50), left(27_700, None)]
    result = score(references, events)
    assert (result.left_errors, result.left_missing, result.said_left) == ([1.0], 1, False)


def test_the_first_ending_soon_is_good_two_to_ten_minutes_before_ready() -> None:
    references = [reference(9000 * number) for number in range(8)]
    leads_min: list[float | None] = [5, 1.9, 2, 10, None]
    events = [event for one in references[:3] for event in told(one.first_over_20w_s)]
    for one, lead_min in zip(references[3:], leads_min, strict=True):
        start, end = told(one.first_over_20w_s)
        said = [] if lead_min is None else [soon(one.ready_s - 60 * lead_min), soon(one.ready_s)]
        events += [start, *said, end]
    result = score(references, events)
    assert result.soon_leads_min == [pytest.approx(lead) for lead in leads_min]
    assert result.soon_share == 3 / 5
    assert math.isnan(Score().soon_share)


@pytest.mark.parametrize(
    "events",
    [
        [finished(10, 0, 5)],
        [resumed(10, 0)],
        [soon(10)],
        [left(10, 5)],
        [started(10, 0), started(20, 15)],
        [started(10, 0), finished(20, 0, 15), finished(20, 0, 15)],
        [started(10, 0), resumed(20, 0)],
        [started(10, 0), finished(9, 0, 5)],
        [ReplayEvent("noise", "m", 10)],
    ],
)
def test_events_that_cannot_be_are_disorder(events: list[ReplayEvent]) -> None:
    assert len(detected_cycles(events).disorder) == 1


def test_scores_of_several_plugs_add_up() -> None:
    one = score([reference(0)], told(0))
    both = one + score([reference(0)], [])
    assert (both.cycles, both.missed, both.told_min) == (2, 1, [3])


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile([7], 0.95) == 7
    assert math.isnan(percentile([], 0.5))
