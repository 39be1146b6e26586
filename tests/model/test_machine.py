from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.model.rules import RoomAndCloud

TestRoomAndCloud = RoomAndCloud.TestCase
TestRoomAndCloud.settings = settings(
    max_examples=50,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
