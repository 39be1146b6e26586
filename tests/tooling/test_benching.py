from pathlib import Path

import pytest

from tools.dev.benching import bench, benches, chosen, row, shown
from tools.dev.errors import Trouble

RESULT = '{"what": "deliveries", "value": 1000, "unit": "1/s", "reference": "bare", "ratio": 0.5}'


def test_benchmarks_are_found_by_their_names(tmp_path: Path) -> None:
    for name in ("bench_fan_out.py", "helper.py"):
        (tmp_path / name).write_text("")
    assert list(benches(tmp_path)) == ["fan_out"]


def test_one_benchmark_is_chosen_and_an_unknown_one_is_told(tmp_path: Path) -> None:
    known = {"a": tmp_path / "a", "b": tmp_path / "b"}
    assert chosen(None, known) == known
    assert list(chosen("b", known)) == ["b"]
    with pytest.raises(Trouble, match="no benchmark 'c'; there are: a, b"):
        chosen("c", known)


def test_a_result_is_shown_with_its_ratio() -> None:
    assert row("live", RESULT) == "live: deliveries: 1,000.0 1/s, 0.50 x bare"


@pytest.mark.parametrize("line", ["noise", "[]", '{"what": "x"}'])
def test_a_line_that_is_no_result_is_told(line: str) -> None:
    with pytest.raises(Trouble, match="what is no result"):
        row("live", line)


def test_text_is_shown_as_it_stands_between_results() -> None:
    printed = "rule   missed\nours        0\n\n" + RESULT + "\nMISSED: told late\n"
    assert list(shown("sensing", printed)) == [
        "rule   missed",
        "ours        0",
        "",
        "sensing: deliveries: 1,000.0 1/s, 0.50 x bare",
        "MISSED: told late",
    ]


def test_a_result_that_is_none_is_told_and_hides_nothing_else() -> None:
    lines = shown("live", '{"what": "x"}\nthe table\n')
    assert next(lines) == "the table"
    with pytest.raises(Trouble, match="what is no result"):
        next(lines)


def a_bench(folder: Path, name: str, *lines: str, code: int = 0) -> None:
    prints = "".join(f"print({line!r})\n" for line in lines)
    (folder / f"bench_{name}.py").write_text(f"import sys\n{prints}sys.exit({code})\n")


def test_one_that_misses_a_bar_shows_its_table_and_fails_when_all_have_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_bench(tmp_path, "a", "told  4.4 min", RESULT, "MISSED: told", code=1)
    a_bench(tmp_path, "b", RESULT)
    with pytest.raises(Trouble, match=r"^Benchmarks failed: 'a' with exit code 1\.$"):
        bench(None, tmp_path)
    out = capsys.readouterr().out.splitlines()
    measured = "deliveries: 1,000.0 1/s, 0.50 x bare"
    assert [line for line in out if line[:1].strip()] == [
        "told  4.4 min",
        f"a: {measured}",
        "MISSED: told",
        f"b: {measured}",
    ]


def test_one_that_prints_a_wrong_result_fails_though_it_ended_well(tmp_path: Path) -> None:
    a_bench(tmp_path, "a", '{"what": "x"}')
    with pytest.raises(Trouble, match="'a' by what it printed"):
        bench("a", tmp_path)


def test_benchmarks_that_meet_their_bars_pass(tmp_path: Path) -> None:
    a_bench(tmp_path, "a", "a table", RESULT)
    bench("a", tmp_path)


def test_without_any_benchmark_the_first_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="no benchmark yet"):
        bench(None, tmp_path)
