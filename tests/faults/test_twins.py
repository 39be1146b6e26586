"""Without the mechanism the loss is there, and the fault runs see it: else they would show nothing."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.test_rounds import play

AT_MOST_ROUNDS = 8
"""A wash must end in the moments that a kill takes: most often in the first round."""
PATIENCE_S = 12
"""All else catches up within it."""


def loss(twin: str, kind: str) -> str:
    """Play rounds with a twin until something is wrong; return what was printed."""
    ran = play(
        "--twin", twin, "--kind", kind, "--rounds", str(AT_MOST_ROUNDS),
        "--patience-s", str(PATIENCE_S), "--until-wrong",
    )  # fmt: skip
    assert ran.returncode == 1, ran.stdout
    return ran.stdout


@pytest.mark.timeout(400)
async def test_the_loss_shows_without_each_of_three_mechanisms() -> None:
    puback, early, pretended = await asyncio.gather(
        asyncio.to_thread(loss, "forget_at_puback", "relay-killed"),
        asyncio.to_thread(loss, "acknowledge_before_commit", "relay-killed"),
        asyncio.to_thread(loss, "pretend_recovered", "slow"),
    )
    for notices in (puback, early):
        assert " was told to nobody\n" in notices, notices
        assert " stands at " not in notices, f"everybody caught up\n{notices}"
    assert "emil at the edge: lost " in pretended, pretended
