from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.detect.detector import Detector
from edge.detect.signals import CycleStarted
from edge.sources.asking import ASK_AFTER_S, LOOK_EVERY_S, Asking
from edge.sources.reading import Reading
from edge.sources.source import Ask
from laundryd.wire.machines import MachineKind

AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
BOX = Ask("cmnd/box/Status", b"10")
LONE = Ask("cmnd/lone/Status", b"10")
ASKS = {BOX: ("washer-1", "dryer-1"), LONE: ("washer-2",)}
LATER_S = ASK_AFTER_S + 1


def test_at_a_connect_every_plug_is_asked_and_then_has_time_to_answer() -> None:
    asking = Asking(ASKS)
    assert asking.everyone(100.0) == [BOX, LONE]
    assert asking.due(100.0 + LOOK_EVERY_S) == []
    assert asking.due(100.0 + LATER_S) == [BOX, LONE]


def test_a_plug_that_speaks_by_itself_is_not_asked() -> None:
    asking = Asking(ASKS)
    asking.everyone(100.0)
    asking.heard("washer-2", 120.0)
    assert asking.due(100.0 + LATER_S) == [BOX]


def test_a_shared_plug_is_asked_once_while_one_of_its_machines_is_silent() -> None:
    asking = Asking(ASKS)
    asking.everyone(100.0)
    asking.heard("washer-1", 129.0)
    assert asking.due(131.0) == [BOX, LONE]
    asking.heard("washer-1", 150.0)
    asking.heard("dryer-1", 150.0)
    asking.heard("washer-2", 150.0)
    assert asking.due(162.0) == []


@given(
    heard=st.lists(st.floats(0, 600), max_size=40),
    looks=st.lists(st.floats(0, 600), max_size=200),
)
def test_no_plug_is_asked_more_often_than_once_in_the_time(
    heard: list[float], looks: list[float]
) -> None:
    asking = Asking({LONE: ("washer-2",)})
    asked_s = []
    moments = sorted([(at, "heard") for at in heard] + [(at, "look") for at in looks])
    for at_s, what in moments:
        if what == "heard":
            asking.heard("washer-2", at_s)
        elif asking.due(at_s):
            asked_s.append(at_s)
    for before, after in pairwise(asked_s):
        assert after - before >= ASK_AFTER_S - 1e-6


def test_a_start_behind_a_plug_that_reports_every_five_minutes_is_seen_within_two() -> None:
    asking, detector = Asking({LONE: ("washer-2",)}), Detector(MachineKind.WASHER)
    works_from_s = 310.0
    told_s: list[float] = []

    def look(now_s: float, *, speaks: bool) -> None:
        at = AT + timedelta(seconds=now_s)
        signals = detector.tick(at)
        if speaks:
            asking.heard("washer-2", now_s)
            power_w = 200.0 if now_s >= works_from_s else 1.0
            signals += detector.feed(Reading("washer-2", at, power_w))
        told_s.extend(now_s for signal in signals if isinstance(signal, CycleStarted))

    for second in range(600):
        now_s = float(second)
        look(now_s, speaks=second % 300 == 0)
        if now_s % LOOK_EVERY_S == 0 and asking.due(now_s):
            look(now_s + 0.1, speaks=True)  # it answers
    assert len(told_s) == 1
    assert works_from_s < told_s[0] <= works_from_s + 120
