from __future__ import annotations

import csv
import gzip
import io
import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.replay import replay, run_replay
from edge.replay_lines import NAMED_BAD_LINES, BadLines, samples
from laundryd.wire.machines import MachineKind

TRACES = Path(__file__).resolve().parents[3] / "shared" / "traces"
WASH = ["unix_s,watts\n"] + [
    f"{1_000_000_000 + second},{200 if 60 <= second < 1860 else 1}\n" for second in range(2400)
]
WASHER = MachineKind.WASHER
CHANGES = ("started", "finished", "resumed")


def trace(name: str) -> Path:
    path = TRACES / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip(f"the recorded trace {path.name} is not beside this checkout")
    return path


def cycles(name: str) -> list[tuple[float, float]]:
    """The listed cycles: first over 20 W, and when the laundry was ready."""
    with (TRACES / f"{name}.cycles.csv").open() as rows:
        return [
            (float(row["first_over_20w_unix_s"]), float(row["ready_unix_s"]))
            for row in csv.DictReader(rows)
        ]


def run(*files: Path, kind: MachineKind = WASHER, as_json: bool = True) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = run_replay(files, kind, as_json, out, err)
    return code, out.getvalue(), err.getvalue()


def test_the_first_three_cycles_of_a_recorded_washer_are_found_to_within_two_minutes() -> None:
    code, out, err = run(trace("washer_d338c9"))
    assert (code, err) == (0, "")
    told = [json.loads(line) for line in out.splitlines()]
    events = [event for event in told if event["event"] in CHANGES][:6]
    assert [event["event"] for event in events] == ["started", "finished"] * 3
    for (started_s, ready_s), event in zip(cycles("washer_d338c9"), events[1::2], strict=False):
        assert event["machine"] == "washer_d338c9"
        assert abs(event["started_at"] - started_s) <= 120
        assert abs(event["ended_at"] - ready_s) <= 120
        assert event["at"] - event["ended_at"] < 600


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("washer_d338c9", WASHER),
        ("washer_washingmachine", WASHER),
        ("washer_7297e3", WASHER),
        ("washer_b8121d", WASHER),
        ("washer_11f01e", WASHER),
        ("dryer_b7e43d", MachineKind.DRYER),
    ],
)
def test_every_recorded_cycle_is_found_once(name: str, kind: MachineKind) -> None:
    code, out, _ = run(trace(name), kind=kind)
    assert code == 0
    events = [json.loads(line) for line in out.splitlines()]
    assert not [event for event in events if event["event"] == "resumed"]
    finished = [event for event in events if event["event"] == "finished"]
    expected = cycles(name)
    assert len(finished) == len(expected)
    for (started_s, ready_s), event in zip(expected, finished, strict=True):
        assert abs(event["started_at"] - started_s) <= 180
        # One recording lost its samples for minutes just before that wash's end.
        assert abs(event["ended_at"] - ready_s) <= 600


def test_a_json_line_has_every_field_and_what_is_unknown_is_null(tmp_path: Path) -> None:
    path = tmp_path / "washer-1.csv"
    path.write_text("".join(WASH))
    code, out, err = run(path)
    assert (code, err) == (0, "")
    begin = 1_000_000_000
    nothing_more = {"minutes_left": None, "confidence": None}
    assert [json.loads(line) for line in out.splitlines()] == [
        {
            "event": "started",
            "machine": "washer-1",
            "at": begin + 120,
            "started_at": begin + 60,
            "ended_at": None,
            **nothing_more,
        },
        {
            "event": "finished",
            "machine": "washer-1",
            "at": begin + 2090,
            "started_at": begin + 60,
            "ended_at": begin + 1859,
            **nothing_more,
        },
    ]


def test_gzip_is_known_by_its_bytes_and_gives_the_same_events(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.csv", tmp_path / "packed" / "a.csv"
    packed.parent.mkdir()
    plain.write_text("".join(WASH))
    packed.write_bytes(gzip.compress("".join(WASH).encode()))
    assert run(plain) == run(packed)


def test_without_a_header_the_first_line_counts() -> None:
    assert list(replay(WASH[1:], WASHER)) == list(replay(WASH, WASHER))
    bad = BadLines()
    list(replay(WASH[1:], WASHER, bad=bad))
    assert bad.count == 0


def test_the_table_names_the_file_and_the_times(tmp_path: Path) -> None:
    path = tmp_path / "washer-1.csv"
    path.write_text("".join(WASH))
    _, out, _ = run(path, as_json=False)
    assert "washer-1.csv" in out
    started, ended = "2001-09-09 01:47:40", "2001-09-09 02:17:39"
    assert f"│ started  │ {started} │ {'':19} │ 1.0       │          │" in out
    assert f"│ finished │ {started} │ {ended} │ 3.9       │ 30.0     │" in out


def test_bad_lines_are_counted_and_named_and_change_nothing(tmp_path: Path) -> None:
    bad_lines = {
        3: "half a line",
        5: "1000000004,",
        7: "1000000006,nan",
        9: "inf,200",
        11: "1000000010,-300",
        13: "999999000,200",
        15: "1000000010,1000000",
        17: "\x00\ufffd",
    }
    lines = list(WASH)
    for number, text in sorted(bad_lines.items()):
        lines.insert(number - 1, text + "\n")
    path = tmp_path / "washer-1.csv"
    path.write_text("".join(lines))
    code, out, err = run(path)
    assert code == 0
    assert len(out.splitlines()) == 2
    named = err.splitlines()
    assert [int(line.split(":")[1]) for line in named[:-1]] == sorted(bad_lines)
    assert named[-1].endswith(f"8 of {len(lines)} lines could not be used")
    assert "goes back in time" in err


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    path, out, err = tmp_path / "washer.csv", io.StringIO(), io.StringIO()
    path.touch()
    assert run_replay([path], MachineKind.WASHER, as_json=True, out=out, err=err) == 0
    assert out.getvalue() == ""
    assert err.getvalue() == f"{path}: is empty: there is nothing to replay\n"


def test_of_many_bad_lines_only_the_first_are_named(tmp_path: Path) -> None:
    path = tmp_path / "washer-1.csv"
    path.write_bytes(b"\xff\n" * 1000)
    code, out, err = run(path)
    assert (code, out) == (0, "")
    assert len(err.splitlines()) == NAMED_BAD_LINES + 1
    assert "1000 of 1000" in err


def test_a_repeated_moment_is_passed_over() -> None:
    bad = BadLines()
    twice = [line for line in WASH for _ in range(2)][1:]
    assert list(replay(twice, WASHER, bad=bad)) == list(replay(WASH, WASHER))
    assert bad.count == 0


def test_a_file_that_is_missing_or_breaks_off_is_named_and_the_others_are_replayed(
    tmp_path: Path,
) -> None:
    whole, broken = tmp_path / "whole.csv", tmp_path / "broken.csv.gz"
    whole.write_text("".join(WASH))
    packed = gzip.compress("".join(WASH).encode())
    broken.write_bytes(packed[: len(packed) // 2])
    code, out, err = run(tmp_path / "missing.csv", broken, whole, tmp_path)
    assert code == 1
    assert [line.split(":")[0] for line in err.splitlines()] == [
        str(tmp_path / "missing.csv"),
        str(broken),
        str(tmp_path),
    ]
    told = [json.loads(line) for line in out.splitlines()]
    assert [one["event"] for one in told if one["machine"] == "whole"] == ["started", "finished"]


def test_an_end_that_comes_due_after_the_last_sample_is_told() -> None:
    cut = WASH[: 1 + 1860 + 100]
    assert [event.event for event in replay(cut, WASHER)] == ["started", "finished"]


def test_a_rest_of_which_seconds_alone_were_heard_is_no_end() -> None:
    cut = WASH[: 1 + 1860 + 10]
    assert [event.event for event in replay(cut, WASHER)] == ["started"]


def test_a_wash_that_still_runs_at_the_end_of_the_file_is_not_ended() -> None:
    assert [event.event for event in replay(WASH[:1000], WASHER)] == ["started"]


_line = st.one_of(
    st.text(max_size=20),
    st.tuples(st.integers(0, 100_000), st.integers(-10, 3000)).map(
        lambda row: f"{row[0]},{row[1]}"
    ),
    st.tuples(st.floats(), st.floats()).map(lambda row: f"{row[0]},{row[1]}"),
)


@given(st.lists(_line, max_size=200), st.sampled_from(MachineKind))
def test_replaying_anything_never_raises_and_its_events_are_in_order(
    lines: list[str], kind: MachineKind
) -> None:
    events = list(replay(lines, kind))
    assert all(before.at <= after.at for before, after in pairwise(events))
    changes = [event.event for event in events if event.event in CHANGES]
    assert all(event != "finished" for event in changes[::2])
    assert changes[1::2] == ["finished"] * len(changes[1::2])


def test_minutes_left_are_said_about_once_a_minute_with_the_end_they_expect(tmp_path: Path) -> None:
    path = tmp_path / "washer-1.csv"
    day = [
        f"{1_000_000_000 + 7200 * load + second},{power}\n"
        for load in range(4)
        for second, power in enumerate(_wash())
    ]
    path.write_text("".join(day))
    _, out, _ = run(path)
    events = [json.loads(line) for line in out.splitlines()]
    begin = max(event["started_at"] for event in events)
    left = [
        event
        for event in events
        if event["event"] == "minutes_left" and event["started_at"] == begin
    ]
    [soon] = [
        event
        for event in events
        if event["event"] == "ending_soon" and event["started_at"] == begin
    ]
    [ended] = [
        event["ended_at"]
        for event in events
        if event["event"] == "finished" and event["started_at"] == begin
    ]
    assert all(60 <= after["at"] - before["at"] <= 90 for before, after in pairwise(left))
    for event in left:
        assert event["minutes_left"] >= 1
        assert 0 < event["confidence"] <= 1
        assert event["ended_at"] == pytest.approx(event["at"] + 60 * event["minutes_left"], abs=60)
    assert 2 <= (ended - soon["at"]) / 60 <= 10
    _, table, _ = run(path, as_json=False)
    assert "minutes left, said" in table
    assert table.count("soon") == sum(event["event"] == "ending_soon" for event in events)


def _wash() -> list[float]:
    drum = [150.0 if second % 18 < 12 else 3.0 for second in range(1500)]
    return [2000.0] * 600 + drum + [400.0] * 400 + [1.0] * 4700


def test_a_picture_is_drawn_of_each_file_and_a_failing_one_is_named(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    one, two = tmp_path / "w1.csv", tmp_path / "w2.csv"
    for path in (one, two):
        path.write_text("".join(WASH))
    out, err = io.StringIO(), io.StringIO()
    assert run_replay([one], WASHER, True, out, err, picture=tmp_path / "one.png") == 0
    assert run_replay([one, two], WASHER, True, out, err, picture=tmp_path / "all.png") == 0
    pictures = sorted(path.name for path in tmp_path.glob("*.png"))
    assert pictures == ["all-w1.png", "all-w2.png", "one.png"]
    assert err.getvalue() == ""
    assert run_replay([one], WASHER, True, out, err, picture=tmp_path / "no" / "where.png") == 1
    assert "where.png" in err.getvalue()


def test_one_line_of_the_far_future_costs_itself_alone() -> None:
    bad = BadLines()
    lines = ["0,1", "1,2", "90000,3", "2,4", "3,5"]

    assert list(samples(lines, bad)) == [(0, 1), (1, 2), (2, 4), (3, 5)]
    assert bad.named == [(3, "is 89998 s ahead of the next line")]


def test_a_gap_of_days_is_no_mistake() -> None:
    bad = BadLines()
    lines = ["0,1", "400000,2", "400001,3", "800000,4"]

    assert list(samples(lines, bad)) == [(0, 1), (400000, 2), (400001, 3), (800000, 4)]
    assert bad.count == 0
