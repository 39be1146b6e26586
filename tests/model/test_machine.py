from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.rules import RoomAndCloud

# A run is as long as what it simulates; data is small.
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.timeout(600)
def test_nothing_accepted_is_lost_whatever_breaks() -> None:
    # A course that fails is printed as it was found: making it short takes minutes, and is for --full.
    phases = [phase for phase in Phase if phase is not Phase.shrink]
    run_state_machine_as_test(
        RoomAndCloud,
        settings=settings(SETTINGS, max_examples=60, stateful_step_count=40, phases=phases),
    )


@pytest.mark.full
@pytest.mark.timeout(3_600)
def test_nothing_accepted_is_lost_in_many_long_courses() -> None:
    run_state_machine_as_test(
        RoomAndCloud, settings=settings(SETTINGS, max_examples=4_000, stateful_step_count=80)
    )
