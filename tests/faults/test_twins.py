"""Without the mechanism the loss is there, and the fault runs see it: else they would show nothing."""

from __future__ import annotations

import pytest

from tests.faults.started import Run

pytestmark = pytest.mark.timeout(600)


def loss(run: Run) -> str:
    code, printed = run.finish()
    assert code == 1, printed
    return printed


def assert_only_notices_are_lost(printed: str) -> None:
    assert " was told to nobody\n" in printed, printed
    assert " stands at " not in printed, f"everybody caught up\n{printed}"


def test_an_edge_that_forgets_at_the_puback(run: Run) -> None:
    assert_only_notices_are_lost(loss(run))


def test_a_relay_that_acknowledges_before_its_commit(run: Run) -> None:
    assert_only_notices_are_lost(loss(run))


def test_a_server_that_pretends_that_nothing_was_missed(run: Run) -> None:
    printed = loss(run)
    assert "emil at the edge: lost " in printed, printed
