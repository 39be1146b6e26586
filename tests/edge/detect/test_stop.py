"""A cycle that somebody ends by word: it is over, teaches nothing, and hides no later one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from edge.detect.detector import Detector
from edge.detect.signals import CycleFinished, CycleStarted, Signal
from edge.sources.reading import Reading
from laundryd.wire.machines import MachineKind

BEGIN = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
STUCK_W = 40.0
"""A pump that does not stop: too much for a machine at rest."""


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def fed(detector: Detector, begin_s: int, end_s: int, power_w: float) -> list[Signal]:
    signals: list[Signal] = []
    for second in range(begin_s, end_s, 5):
        signals += detector.tick(at(second))
        signals += detector.feed(Reading("m", at(second), power_w))
    return signals


def stuck() -> Detector:
    """A washer that was done at 3,000 s, and draws on."""
    detector = Detector(MachineKind.WASHER)
    assert fed(detector, 0, 600, 1.0) == []
    [started] = fed(detector, 600, 3_000, 200.0)
    assert isinstance(started, CycleStarted)
    assert fed(detector, 3_000, 6_000, STUCK_W) == []
    return detector


def test_it_is_over_at_once_and_only_once() -> None:
    detector = stuck()
    learned = detector.learned_revision
    [ended] = detector.stop(at(6_000))
    assert isinstance(ended, CycleFinished)
    assert ended.started_at == at(600)
    assert at(600) < ended.ended_at <= at(6_000)
    assert detector.started_at is None
    assert detector.stop(at(6_001)) == []
    assert detector.learned_revision == learned, "what never ended by itself teaches nothing"


def test_what_draws_on_is_no_load_and_what_draws_more_is_the_next() -> None:
    detector = stuck()
    detector.stop(at(6_000))
    assert fed(detector, 6_000, 12_000, STUCK_W) == []
    [started] = fed(detector, 12_000, 13_000, 200.0)
    assert isinstance(started, CycleStarted)
    assert at(11_990) <= started.started_at <= at(12_010)


def test_a_machine_at_rest_is_found_as_ever_after_it() -> None:
    detector = Detector(MachineKind.WASHER)
    fed(detector, 0, 600, 1.0)
    fed(detector, 600, 3_000, 200.0)
    fed(detector, 3_000, 3_060, 1.0)
    [ended] = detector.stop(at(3_060))
    assert isinstance(ended, CycleFinished)
    assert fed(detector, 3_060, 9_000, 1.0) == []
    started, finished = fed(detector, 9_000, 12_000, 200.0) + fed(detector, 12_000, 14_000, 1.0)
    assert isinstance(started, CycleStarted)
    assert isinstance(finished, CycleFinished)
    assert finished.started_at == started.started_at


def test_nothing_runs_and_nothing_is_ended() -> None:
    assert Detector(MachineKind.WASHER).stop(at(0)) == []


def test_a_restart_after_it_changes_nothing() -> None:
    detector = stuck()
    detector.stop(at(6_000))
    again = Detector.load(MachineKind.WASHER, detector.dump(), detector.dump_learned())
    assert fed(again, 6_000, 13_000, STUCK_W) == fed(detector, 6_000, 13_000, STUCK_W) == []
