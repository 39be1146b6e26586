"""The fault runs that the tests start: which, and what is known of a started one."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.faults.faults import KINDS

TWIN = ("--rounds", "16", "--patience-s", "30", "--until-wrong", "--twin")
"""A wash must end in the moments that a kill takes: most often in the first round."""
LONG_ROUNDS, STOPPED_LONG_S = 100, 60
RUNS: dict[str, tuple[str, ...]] = {
    "test_nothing_is_lost_or_doubled_by_any_kind_of_fault": ("--rounds", str(len(KINDS))),
    "test_nothing_is_lost_or_doubled_by_a_hundred_faults_with_stops_of_a_minute": (
        *("--rounds", str(LONG_ROUNDS), "--stopped-s", str(STOPPED_LONG_S)),
    ),
    "test_an_edge_that_forgets_at_the_puback": (
        *TWIN,
        "forget_at_puback",
        "--kind",
        "relay-killed",
    ),
    "test_a_relay_that_acknowledges_before_its_commit": (
        *(*TWIN, "acknowledge_before_commit", "--kind", "relay-killed"),
    ),
    "test_a_server_that_pretends_that_nothing_was_missed": (
        *(*TWIN, "pretend_recovered", "--kind", "slow"),
    ),
}
"""What runs for each test."""


@dataclass
class Run:
    """One run; ``printed`` is all that it said, in a file, so that no pipe fills up."""

    process: subprocess.Popen[bytes]
    printed: Path

    def finish(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and what it printed."""
        code = self.process.wait()
        return code, self.printed.read_text()
