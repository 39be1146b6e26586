from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from edge.detect.signals import (
    CycleFinished,
    CycleResumed,
    CycleStarted,
    EndingSoon,
    MinutesLeft,
    Signal,
)
from edge.room import inputs
from edge.sensed import KeptSignal, room_input

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
STARTED, END = NOW - timedelta(minutes=40), NOW + timedelta(minutes=5)

SIGNALS: list[tuple[Signal, inputs.RoomInput]] = [
    (CycleStarted(NOW, STARTED), inputs.CycleStarted("w1", STARTED)),
    (CycleFinished(NOW, STARTED, END), inputs.CycleFinished("w1", STARTED, END)),
    (CycleResumed(NOW, STARTED, END), inputs.CycleResumed("w1", STARTED, END)),
    (MinutesLeft(NOW, STARTED, END, 0.5), inputs.EndExpected("w1", STARTED, END, 0.5)),
    (EndingSoon(NOW, STARTED, END, 0.5), inputs.EndExpected("w1", STARTED, END, 0.5, is_soon=True)),
]


@pytest.mark.parametrize(("signal", "given"), SIGNALS)
def test_every_signal_reaches_the_room_and_survives_the_disk(
    signal: Signal, given: inputs.RoomInput
) -> None:
    assert room_input("w1", signal) == given
    kept = KeptSignal.of(signal).model_dump_json()
    assert KeptSignal.model_validate_json(kept).signal() == signal


def test_a_kept_end_without_its_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="no end"):
        KeptSignal(kind="finished", at=NOW, started_at=STARTED).signal()
