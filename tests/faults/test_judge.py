"""The judge of the fault runs finds what is lost, doubled, invented and out of order, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from laundryd.wire.ids import Position
from tests.faults.judge import (
    Accepted,
    DueNotice,
    Item,
    Push,
    Saw,
    Snapshot,
    Told,
    judge,
    judge_notices,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def at(offset: int, epoch: str = "a") -> Position:
    return Position(epoch=epoch, offset=offset)


def accepted(*offsets: int) -> Accepted:
    return Accepted(tuple(at(one) for one in offsets), ("a", "b"), frozenset({"a"}))


EVENTS = accepted(2, 3, 5, 8)
ALL = [Saw(at(one)) for one in (2, 3, 5, 8)]


def test_each_once_and_in_order_is_good() -> None:
    verdict = judge(EVENTS, ALL)
    assert verdict.is_good
    assert (verdict.seen, verdict.told) == (4, 0)


@given(st.integers(0, 3))
def test_a_silent_gap_is_lost_wherever_it_is(missing: int) -> None:
    verdict = judge(EVENTS, [one for index, one in enumerate(ALL) if index != missing])
    assert verdict.lost == [EVENTS.events[missing]]


def test_a_snapshot_that_nobody_told_of_covers_nothing() -> None:
    assert judge(EVENTS, [ALL[0], Snapshot(at(5)), ALL[3]]).lost == [at(3), at(5)]


def test_what_a_told_snapshot_covers_is_told() -> None:
    items: list[Item] = [ALL[0], Told(at(6)), Snapshot(at(6)), ALL[3]]
    verdict = judge(EVENTS, items)
    assert verdict.is_good
    assert (verdict.seen, verdict.told) == (2, 2)


def test_live_events_may_come_between_the_telling_and_the_snapshot() -> None:
    verdict = judge(EVENTS, [Told(at(4)), ALL[2], ALL[3], Snapshot(at(8))])
    assert verdict.is_good
    assert (verdict.seen, verdict.told) == (2, 2)


def test_told_without_a_snapshot_and_a_snapshot_too_old_leave_a_gap() -> None:
    assert judge(EVENTS, [Told(at(4)), *ALL[2:]]).lost == [at(2), at(3)]
    assert judge(EVENTS, [Told(at(4)), Snapshot(at(2)), *ALL[2:]]).lost == [at(3)]


def test_a_snapshot_of_a_later_epoch_covers_the_earlier_one() -> None:
    events = Accepted((at(2), at(3), at(1, "b")), ("a", "b"), frozenset({"a", "b"}))
    verdict = judge(events, [Saw(at(2)), Told(at(0, "b")), Snapshot(at(0, "b")), Saw(at(1, "b"))])
    assert verdict.is_good
    assert (verdict.seen, verdict.told) == (2, 1)


def test_twice_is_doubled_late_is_disordered_and_unaccepted_is_invented() -> None:
    assert judge(EVENTS, [*ALL, ALL[3]]).doubled == [at(8)]
    late = judge(EVENTS, [ALL[1], ALL[0], *ALL[2:]])
    assert (late.disordered, late.lost) == ([at(2)], [at(2)])
    assert judge(EVENTS, [*ALL, Saw(at(9))]).invented == [at(9)]
    assert judge(EVENTS, [*ALL, Saw(at(1, "b"))]).is_good, "of an epoch in memory not all is known"


def test_who_was_told_to_go_back_may_be_given_the_same_again() -> None:
    back: list[Item] = [*ALL, Told(at(3)), Snapshot(at(3)), *ALL[2:]]
    verdict = judge(EVENTS, back)
    assert verdict.is_good
    assert verdict.seen == 4
    assert judge(EVENTS, [*ALL, Snapshot(at(3)), *ALL[2:]]).doubled == [at(5), at(8)]


def due(name: str, *, useful_min: int = 10) -> DueNotice:
    return DueNotice(name, "a", "anna", NOW + timedelta(minutes=useful_min))


def test_notices_shown_or_pushed_are_told_and_others_lost() -> None:
    verdict = judge_notices(
        [due("n1"), due("n2"), due("n3"), due("n4", useful_min=0)],
        {"anna": frozenset({"n1"})},
        {"anna": [Push("n2", "n2")]},
        NOW,
    )
    assert (verdict.told, verdict.lost, verdict.expired) == (2, ["n3"], 1)
    assert not verdict.is_good


def test_told_twice_is_counted_and_good_only_under_its_own_topic() -> None:
    both = judge_notices(
        [due("n1"), due("n2")],
        {"anna": frozenset({"n1"})},
        {"anna": [Push("n1", "n1"), Push("n2", "n2"), Push("n2", "n2")]},
        NOW,
    )
    assert both.twice == ["n1", "n2"]
    assert both.is_good
    other = judge_notices([due("n1")], {}, {"anna": [Push("n1", "other")]}, NOW)
    assert other.strange == ["n1"]


def test_a_notice_that_somebody_else_is_told_is_strange() -> None:
    verdict = judge_notices(
        [due("n1")], {"anna": frozenset({"n1"}), "ben": frozenset({"n1"})}, {}, NOW
    )
    assert verdict.strange == ["n1"]
