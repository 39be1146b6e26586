from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.rules import RoomAndCloud

# A run is as long as what it simulates; data is small.
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.timeout(600)
def test_nothing_accepted_is_lost_whatever_breaks() -> None:
    run_state_machine_as_test(
        RoomAndCloud, settings=settings(SETTINGS, max_examples=60, stateful_step_count=40)
    )


@pytest.mark.full
@pytest.mark.timeout(3_600)
def test_nothing_accepted_is_lost_in_many_long_courses() -> None:
    run_state_machine_as_test(
        RoomAndCloud, settings=settings(SETTINGS, max_examples=4_000, stateful_step_count=80)
    )
