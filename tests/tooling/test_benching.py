from pathlib import Path

import pytest

from tools.dev.benching import benches, chosen, row
from tools.dev.errors import Trouble


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
    line = '{"what": "deliveries", "value": 1000, "unit": "1/s", "reference": "bare", "ratio": 0.5}'
    assert row("live", line) == "live: deliveries: 1,000.0 1/s, 0.50 x bare"


@pytest.mark.parametrize("line", ["noise", "[]", '{"what": "x"}'])
def test_a_line_that_is_no_result_is_told(line: str) -> None:
    with pytest.raises(Trouble, match="what is no result"):
        row("live", line)
