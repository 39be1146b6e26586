from __future__ import annotations

import json

import pytest

from tests.bench.push.figures import Figures, missed, results, table


def figures(per_cpu_s: float, stall_p99_ms: float = 5.0) -> Figures:
    return Figures.of(
        [
            {
                "pushes": 5_000,
                "cpu_s": 5_000 / per_cpu_s,
                "wall_s": 2.0,
                "stall_p99_ms": stall_p99_ms,
                "stall_max_ms": 40.0,
            }
        ]
    )


@pytest.mark.parametrize(
    ("ours", "count"),
    [(figures(2_101), 0), (figures(2_099), 1), (figures(2_101, 30.0), 1), (figures(100, 31.0), 2)],
)
def test_a_missed_bar_is_told(ours: Figures, count: int) -> None:
    assert len(list(missed(ours, figures(700)))) == count


def test_the_table_and_the_results_say_the_same() -> None:
    ours, theirs = figures(2_800), figures(700)
    assert "4.00 x, >= 3.0" in table(ours, theirs, 8_000)
    assert "35.0" in table(ours, theirs, 8_000), "the share of the naked cryptography"
    first, second = (json.loads(line) for line in results(ours, theirs))
    assert first["ratio"] == pytest.approx(4.0)
    assert second["unit"] == "ms"
