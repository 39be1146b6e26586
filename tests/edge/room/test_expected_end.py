from __future__ import annotations

import pytest

from edge.room.decision import Accepted
from laundryd.wire.phases import Cause, Sensor
from tests.edge.room.driver import RoomDriver, causes, told


def _running(minutes: int | None = None) -> RoomDriver:
    room = RoomDriver()
    room.say("anna", "start", minutes=minutes)
    room.cycle_starts(0)
    return room


def test_what_the_plug_expects_overrides_the_residents_minutes() -> None:
    room = _running(30)
    assert causes(room.at(5).end_expected(0, 47, 0.7)) == [Cause.END_EXPECTED]
    assert room.record().ends_at == room.minute(47)
    assert room.record().ends_confidence == 0.7


@pytest.mark.parametrize(
    ("ends", "confidence", "is_told"),
    [
        (47, 0.6, False),
        (48.9, 0.6, False),
        (49, 0.6, True),
        (45, 0.6, True),
        (47, 0.52, False),
        (47, 0.45, True),
        (47, 0.79, False),
        (47, 0.85, True),
    ],
)
def test_only_what_changes_what_residents_read_is_told(
    ends: float, confidence: float, *, is_told: bool
) -> None:
    room = _running()
    room.at(5).end_expected(0, 47, 0.6)
    before = room.state
    decision = room.at(6).end_expected(0, ends, confidence)
    assert causes(decision) == ([Cause.END_EXPECTED] if is_told else [])
    assert (room.state == before) is not is_told


def test_a_confidence_at_a_step_is_not_told_back_and_forth() -> None:
    room = _running()
    room.at(5).end_expected(0, 47, 0.51)
    assert causes(room.at(6).end_expected(0, 47, 0.49)) == []
    assert causes(room.at(7).end_expected(0, 47, 0.52)) == []


def test_small_shifts_add_up_and_are_told_before_the_told_end_passes() -> None:
    room = _running()
    room.at(5).end_expected(0, 47)
    assert causes(room.at(6).end_expected(0, 48)) == []
    assert causes(room.at(7).end_expected(0, 49)) == [Cause.END_EXPECTED]
    assert causes(room.at(48).end_expected(0, 49.5)) == [Cause.END_EXPECTED]
    assert room.deadline() == 49.5


def test_soon_is_told_once_by_whoever_knows_it_first() -> None:
    room = _running(30)
    room.at(10).end_expected(0, 40)
    assert causes(room.tick(26)) == [], "the resident's minutes count no more"
    decision = room.at(35).end_expected(0, 40, is_soon=True)
    assert causes(decision) == [Cause.ENDING_SOON]
    assert isinstance(decision, Accepted)
    assert decision.changes[0].notices[0].params == {"name": "W1", "minutes": 5}
    assert told(room.at(36).end_expected(0, 44, is_soon=True)) == []
    assert room.record().ends_at == room.minute(44)


def test_soon_by_the_residents_minutes_is_not_repeated_by_the_plug() -> None:
    room = _running(30)
    assert told(room.tick(25)) == [("anna", "ending_soon")]
    assert told(room.at(26).end_expected(0, 31, is_soon=True)) == []


def test_soon_is_told_again_after_the_cycle_was_resumed() -> None:
    room = _running()
    room.at(25).end_expected(0, 30, is_soon=True)
    room.at(31).cycle_ends(0, 30)
    room.at(35).cycle_resumes(0, 30)
    assert told(room.at(36).end_expected(0, 41, is_soon=True)) == [("anna", "ending_soon")]


def test_a_plug_that_falls_silent_leaves_its_last_word_as_a_timer() -> None:
    room = _running()
    room.at(10).end_expected(0, 40)
    room.at(20).hear(Sensor.SILENT)
    assert room.record().ends_at == room.minute(40)
    assert room.record().ends_confidence is None
    assert causes(room.at(21).end_expected(0, 60)) == [], "nobody hears what it is about"
    assert told(room.tick(35)) == [("anna", "ending_soon")]
    assert told(room.tick(40)) == [("anna", "done")]


def test_a_plug_that_is_heard_again_and_speaks_of_the_end_says_that_it_goes_on() -> None:
    room = _running()
    room.at(10).end_expected(0, 40)
    room.at(20).hear(Sensor.SILENT)
    room.tick(35)
    room.tick(40)
    room.at(41).hear(Sensor.OK)
    decision = room.end_expected(0, 52)
    assert causes(decision) == [Cause.RESUMED, Cause.END_EXPECTED]
    assert told(decision) == [("anna", "resumed")]
    assert room.is_now("in_use", "anna")
    assert room.record().ends_at == room.minute(52)


def test_a_plug_that_speaks_of_the_end_of_a_free_machine_says_that_it_runs() -> None:
    room = _running()
    room.at(10).hear(Sensor.SILENT)
    room.say("anna", "release")
    room.at(12).hear(Sensor.OK)
    assert causes(room.end_expected(0, 40)) == [Cause.CYCLE_STARTED, Cause.END_EXPECTED]
    assert room.is_now("in_use", None)


def test_an_end_expected_out_of_order_is_only_remembered_as_a_cycle() -> None:
    room = RoomDriver()
    room.staff("out_of_order")
    assert causes(room.end_expected(0, 40)) == [None]
    assert room.record().ends_at is None


def test_an_expected_end_that_has_passed_already_is_not_told() -> None:
    room = _running()
    assert causes(room.at(41).end_expected(0, 40)) == []
    assert room.record().ends_at is None


def test_a_new_cycle_forgets_what_was_expected_of_the_one_before() -> None:
    room = _running()
    room.at(10).end_expected(0, 40)
    room.at(20).cycle_starts(19)
    assert room.record().ends_at is None
    assert room.record().ends_confidence is None
