"""Fixtures that every part of the tests may use: a real broker, a room clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from laundryd.demo.broker import Mosquitto


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A Mosquitto of this test's own, on a port that the system chose, anonymous."""
    broker = Mosquitto(tmp_path / "mosquitto")
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
