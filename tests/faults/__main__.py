"""``python -m tests.faults``: random faults in a real town, one line each and the sums.

Exit code 0: nothing was lost or doubled. 1: something was, or did not catch up. 3: this machine has no
namespaces to do it in, and why.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.faults import isolated
from tests.faults.faults import KINDS, SINGLE, STOPPED_S, fault_of
from tests.faults.rounds import PATIENCE_S, Outcome, Rounds
from tests.faults.town import Town
from tests.faults.twins import CREDULOUS, TWINS

CANNOT: Final = 3
"""The exit code where the machine cannot do it."""
KEPT: Final = Path(__file__).parents[2] / ".dev" / "faults"
"""Logs and databases of the last run in which something was wrong."""


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=len(KINDS), help="how many, %(default)s")
    parser.add_argument("--seed", type=int, help="of the first round; the next one has the next")
    parser.add_argument("--kind", choices=(*KINDS, *SINGLE), help="this kind alone")
    parser.add_argument(
        "--stopped-s", type=float, default=STOPPED_S, help="how long SIGSTOP lasts, %(default)g s"
    )
    parser.add_argument(
        "--patience-s", type=float, default=PATIENCE_S, help="to catch up, %(default)g s"
    )
    parser.add_argument("--until-wrong", action="store_true", help="end after the first such round")
    parser.add_argument("--verbose", action="store_true", help="say what is waited for")
    parser.add_argument("--twin", choices=tuple(TWINS), help="break this promise, to see the loss")
    return parser.parse_args(given)


async def run(said: argparse.Namespace, folder: Path) -> bool:
    """Play the rounds; return whether all was well."""
    seed = secrets.randbelow(1_000_000) if said.seed is None else said.seed
    outcomes: list[Outcome] = []

    def waits_for(waited_s: float, what: str) -> None:
        if said.verbose:
            _say(f"      {waited_s:.1f} s: {what}")

    async with (
        Town(folder, seed=seed, twin=said.twin) as town,
        Rounds.begin(town, said.patience_s, waits_for, credulous=said.twin in CREDULOUS) as rounds,
    ):
        for number in range(said.rounds):
            fault, chance = fault_of(seed + number, kind=said.kind, stopped_s=said.stopped_s)
            outcome = await rounds.play(fault, chance)
            outcomes.append(outcome)
            what = f"{number + 1:3} seed {seed + number} {fault.text}, {fault.lasts_s:.1f} s"
            _say(f"{what}: {line(outcome)}")
            for one in outcome.wrong[:20]:
                _say(f"      {one}")
            if outcome.wrong and said.twin is None:
                _keep(folder)
            if outcome.wrong and said.until_wrong:
                break
    total = sum_of(outcomes)
    _say(f"{len(outcomes)} rounds from seed {seed}: {line(total)}")
    return not total.wrong


def line(outcome: Outcome) -> str:
    """Return what a round showed, in one line."""
    notices = outcome.notices
    return (
        f"accepted {outcome.accepted}, behind {outcome.behind}, seen {outcome.seen}, lost {outcome.lost}, "
        f"doubled {outcome.doubled}, snapshot told {outcome.told}; "
        f"notices told {notices.told}, lost {len(notices.lost)}, twice under one Topic "
        f"{len(notices.twice)}, expired {notices.expired}; {outcome.seconds:.1f} s"
    )


def sum_of(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the sums."""
    total = Outcome()
    for one in outcomes:
        total.accepted += one.accepted
        total.behind += one.behind
        total.seen += one.seen
        total.told += one.told
        total.lost += one.lost
        total.doubled += one.doubled
        total.seconds += one.seconds
        total.wrong += one.wrong
        total.notices.told += one.notices.told
        total.notices.expired += one.notices.expired
        total.notices.lost += one.notices.lost
        total.notices.twice += one.notices.twice
        total.notices.strange += one.notices.strange
    return total


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _keep(folder: Path) -> None:
    shutil.rmtree(KEPT, ignore_errors=True)
    shutil.copytree(
        folder, KEPT, ignore=shutil.ignore_patterns("ballast", "keys", "enrolments", "*.sock")
    )
    _say(f"      logs and databases are kept in {KEPT}")


def main(given: Sequence[str]) -> int:
    """Enter new namespaces, then run there."""
    said = arguments(given)
    if not isolated.is_inside():
        if (reason := isolated.why_not()) is not None:
            sys.stderr.write(f"no faults here: {reason}\n")
            return CANNOT
        words = isolated.command(*given)
        os.execvpe(words[0], words, isolated.environment())  # noqa: S606 -- it becomes ourselves
    with tempfile.TemporaryDirectory(prefix="laundryd-faults-") as folder:
        return 0 if asyncio.run(run(said, Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
