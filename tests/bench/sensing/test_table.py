from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from laundryd.wire.machines import MachineKind
from tests.bench.sensing.score import Score
from tests.bench.sensing.table import LEGEND, NONE_OF, missed_bars, table
from tests.bench.sensing.traces import TRACES, Trace, recorded_traces

GOOD = Score(cycles=4, told_min=[3.0] * 4, left_errors=[0.05], soon_leads_min=[5.0])


def test_a_good_score_misses_no_bar() -> None:
    assert missed_bars(GOOD) == []


@pytest.mark.parametrize("count", NONE_OF)
def test_each_count_that_must_be_0_is_named(count: str) -> None:
    bad = replace(GOOD)
    setattr(bad, count, 2)
    assert missed_bars(bad) == [f"{count.replace('_', ' ')}: 2, and none may be"]


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (replace(GOOD, told_min=[4.1] * 4), "at the median"),
        (replace(GOOD, told_min=[3.0, 3.0, 3.0, 10.1]), "at p95"),
        (replace(GOOD, left_errors=[0.1]), "minutes left off by 10.0%"),
        (replace(GOOD, soon_leads_min=[5.0, 5.0, 5.0, None]), "75%; at least 80%"),
    ],
)
def test_each_time_that_is_too_long_is_named(bad: Score, named: str) -> None:
    (sentence,) = missed_bars(bad)
    assert named in sentence


def test_nothing_measured_meets_no_bar() -> None:
    assert len(missed_bars(Score())) == 5


def test_the_table_has_a_line_for_each_score_and_a_dash_for_what_was_not_said() -> None:
    unsaid = Score(cycles=1, told_min=[61.25], left_errors=[1.0], left_missing=1)
    head, ours, other = table([("laundryd", GOOD), ("a rule", unsaid)])
    assert ours.split() == ["laundryd", "4", *"0000000", "3.0", "3.0", "3.0", "5.0%", "0", "100%"]
    assert other.split() == ["a", "rule", "1", *"0000000", "61.2", "61.2", "61.2", "-", "1", "-"]
    assert len(head) == len(ours)
    assert all(len(line) < 110 for line in LEGEND)


def test_a_traces_kind_is_how_its_name_begins() -> None:
    assert Trace(Path("washer_dryer_1a.csv.gz")).kind is MachineKind.WASHER_DRYER
    assert Trace(Path("washer_1a.csv.gz")).kind is MachineKind.WASHER
    with pytest.raises(ValueError, match="named <kind>_<plug>"):
        _ = Trace(Path("fridge_1.csv.gz")).kind


def test_without_the_folder_there_are_no_traces(tmp_path: Path) -> None:
    assert recorded_traces(tmp_path / "missing") == []


def test_the_recorded_traces_are_read_with_their_references() -> None:
    traces = {trace.name: trace for trace in recorded_traces()}
    if not traces:
        pytest.skip(f"the recorded traces are not beside this checkout: no {TRACES.name}")
    references = traces["dryer_b7e43d"].references()
    assert len(references) == 21
    assert [one.flag for one in references if one.flag] == ["cut_at_midnight"]
    assert references[0].length_s == 1322080101 - 1322077131
    assert traces["dryer_b7e43d"].lines()[0] == "unix_s,watts\n"
