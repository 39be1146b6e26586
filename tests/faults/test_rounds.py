"""Random faults in a real town, each kind once: nothing is lost, nothing doubled."""

from __future__ import annotations

import subprocess

import pytest

from tests.faults import isolated
from tests.faults.faults import KINDS
from tools.dev.layout import ROOT

LONG_ROUNDS = 100
STOPPED_LONG_S = 60


def play(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the rounds as ``./dev faults`` does; skip where this machine cannot."""
    if (reason := isolated.why_not()) is not None:
        pytest.skip(reason)
    return subprocess.run(
        isolated.command(*arguments),
        cwd=ROOT,
        env=isolated.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def assert_all_was_well(ran: subprocess.CompletedProcess[str], rounds: int) -> None:
    assert ran.returncode == 0, ran.stdout
    *lines, sums = ran.stdout.splitlines()
    assert len(lines) == rounds, ran.stdout
    for line in (*lines, sums):
        assert " lost 0, doubled 0," in line, ran.stdout
        assert " accepted 0," not in line, ran.stdout
        assert " told 0, lost" not in line.partition(";")[2], ran.stdout
    assert " behind 0," not in sums, "the faults did nothing"


@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_by_any_kind_of_fault() -> None:
    assert_all_was_well(play("--rounds", str(len(KINDS))), len(KINDS))


@pytest.mark.full
@pytest.mark.timeout(7_200)
def test_nothing_is_lost_or_doubled_by_a_hundred_faults_with_stops_of_a_minute() -> None:
    ran = play("--rounds", str(LONG_ROUNDS), "--stopped-s", str(STOPPED_LONG_S))
    assert_all_was_well(ran, LONG_ROUNDS)
