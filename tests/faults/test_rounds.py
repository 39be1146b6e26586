"""Random faults in a real town: nothing is lost, nothing doubled."""

from __future__ import annotations

import pytest

from tests.faults.faults import KINDS
from tests.faults.started import LONG_ROUNDS, Run


def assert_all_was_well(run: Run, rounds: int) -> None:
    code, printed = run.finish()
    assert code == 0, printed
    *lines, sums = printed.splitlines()
    assert len(lines) == rounds, printed
    for line in (*lines, sums):
        assert " lost 0, doubled 0," in line, printed
        assert " accepted 0," not in line, printed
        assert " told 0, lost" not in line.partition(";")[2], printed
    assert " behind 0," not in sums, f"the faults did nothing\n{printed}"


@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_by_any_kind_of_fault(run: Run) -> None:
    assert_all_was_well(run, len(KINDS))


@pytest.mark.full
@pytest.mark.timeout(7_200)
def test_nothing_is_lost_or_doubled_by_a_hundred_faults_with_stops_of_a_minute(run: Run) -> None:
    assert_all_was_well(run, LONG_ROUNDS)
