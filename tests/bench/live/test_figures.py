import json

from tests.bench.live.figures import BARS, Bar, Figures, missed, results, table


def figures(**values: float) -> Figures:
    found = Figures()
    for name, value in values.items():
        found.add(name, value)
    for name in ("lone", "burst"):
        found.add_waits(name, [0.001, 0.002, 0.003])
    found.add("storm_wall", 1.0)
    found.add("single", 1.0)
    return found


THEIRS = {"lone": 50_000.0, "burst": 80_000.0, "memory": 25.0, "storm": 2.0}


def test_the_median_of_the_rounds_counts() -> None:
    found = Figures()
    for value in (1.0, 100.0, 2.0):
        found.add("storm", value)
    assert found.median("storm") == 2.0
    assert found.spread("storm") == (1.0, 100.0)


def test_waits_are_told_in_milliseconds() -> None:
    found = Figures()
    found.add_waits("lone", [number / 1_000 for number in range(100, 0, -1)])
    assert found.median("lone_p50") == 51.0
    assert found.median("lone_p99") == 100.0


def test_what_is_just_at_its_bar_is_met() -> None:
    ours = figures(lone=50_000, burst=400_000, memory=20, storm=1.6)
    assert [missed(bar, ours, figures(**THEIRS)) for bar in BARS] == [None] * 4


def test_a_missed_bar_is_told_with_its_figures() -> None:
    ours = figures(lone=49_000, burst=300_000, memory=22, storm=1.8)
    told = [missed(bar, ours, figures(**THEIRS)) for bar in BARS]
    assert told == [
        "MISSED: lone events: 0.98 x Socket.IO, >= 1.0 is the bar",
        "MISSED: bursts of 50 a room: 3.75 x Socket.IO, >= 5.0 is the bar",
        "MISSED: memory a connection: 0.88 x Socket.IO, <= 0.8 is the bar",
        "MISSED: reconnect storm: 0.90 x Socket.IO, <= 0.8 is the bar",
    ]


def test_a_bar_looks_at_its_own_side() -> None:
    assert Bar("lone", least=1.0).is_missed(0.9)
    assert not Bar("lone", least=1.0).is_missed(9.0)
    assert Bar("storm", most=0.8).is_missed(0.9)
    assert not Bar("storm", most=0.8).is_missed(0.1)


def test_results_are_the_benchmarks_lines_and_the_table_has_everything() -> None:
    ours, theirs = figures(**THEIRS), figures(**THEIRS)
    found = [json.loads(line) for line in results(ours, theirs)]
    assert [line["ratio"] for line in found] == [1.0] * 4
    assert {line["reference"] for line in found} == {"Socket.IO"}
    lines = table(ours, theirs).splitlines()
    assert len(lines) == 11
    assert "<= 0.8" in lines[8]
