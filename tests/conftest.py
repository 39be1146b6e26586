"""Fixtures that every part of the tests may use: a real broker, a room clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from laundryd.demo.broker import Mosquitto

# How long an example takes says how busy the machine is; speed is measured by ./dev bench.
# A change is judged by the same examples each time it is tested; `./dev test --full` searches for new ones.
settings.register_profile("laundryd", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("laundryd")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A Mosquitto of this test's own, on a port that the system chose, anonymous."""
    broker = Mosquitto(tmp_path / "mosquitto")
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
