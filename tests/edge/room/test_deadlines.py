from __future__ import annotations

from edge.room.deadlines import next_deadline
from edge.room.decide import after, decide
from edge.room.decision import Accepted
from edge.room.timings import RoomTimings
from laundryd.wire.commands import CommandName, ResidentCommand
from laundryd.wire.phases import Cause, Sensor
from tests.edge.room.driver import RoomDriver, causes, told


def test_a_hold_ends_at_its_time_and_not_before() -> None:
    room = RoomDriver()
    room.say("anna", "claim")
    assert room.deadline() == 8
    assert causes(room.tick(7.99)) == []
    warned = room.tick(8)
    assert causes(warned) == [Cause.HOLD_ENDING]
    assert told(warned) == [("anna", "hold_ending")]
    assert room.deadline() == 10
    assert causes(room.tick(9.99)) == []
    decision = room.tick(10)
    assert causes(decision) == [Cause.HOLD_ENDED]
    assert told(decision) == [("anna", "hold_ended")]
    assert room.is_now("free", None)
    assert room.deadline() is None


def test_a_hold_no_longer_than_the_warning_is_not_announced() -> None:
    room = RoomDriver()
    short = RoomTimings(hold_s=120)
    claim = ResidentCommand(id="id", resident="anna", machine="w1", name=CommandName.CLAIM)
    state = after(room.state, decide(room.state, claim, room.now, short))
    assert next_deadline(state, short) == room.minute(2)


def test_a_registered_machine_without_power_for_five_minutes_is_released() -> None:
    room = RoomDriver()
    room.say("anna", "start", minutes=40)
    assert room.deadline() == 5
    decision = room.tick(5)
    assert causes(decision) == [Cause.NOT_STARTED]
    assert told(decision) == [("anna", "not_started")]
    assert room.is_now("free", None)


def test_a_machine_whose_plug_is_silent_or_missing_is_not_released_for_want_of_power() -> None:
    room = RoomDriver()
    room.hear(Sensor.SILENT)
    room.say("anna", "start", "w1")
    room.say("anna", "start", "bare")
    assert causes(room.tick(60)) == []


def test_the_five_minutes_begin_when_the_plug_is_heard_again() -> None:
    room = RoomDriver()
    room.hear(Sensor.SILENT)
    room.say("anna", "start")
    room.at(20).hear(Sensor.OK)
    assert room.deadline() == 25


def test_the_owner_hears_five_minutes_before_the_end_once() -> None:
    room = RoomDriver()
    room.say("anna", "start", minutes=12)
    room.cycle_starts(0)
    decision = room.tick(7)
    assert causes(decision) == [Cause.ENDING_SOON]
    assert isinstance(decision, Accepted)
    assert decision.changes[0].notices[0].params == {"name": "W1", "minutes": 5}
    assert told(decision) == [("anna", "ending_soon")]
    assert causes(room.tick(8)) == []


def test_a_programme_shorter_than_the_warning_is_not_announced() -> None:
    room = RoomDriver()
    room.say("anna", "start", "bare", minutes=4)
    assert room.deadline() == 4


def test_a_machine_without_a_plug_ends_by_its_timer() -> None:
    room = RoomDriver()
    room.say("anna", "start", "bare", minutes=30)
    room.tick(25)
    decision = room.tick(30)
    assert causes(decision) == [Cause.FINISHED]
    assert told(decision) == [("anna", "done")]
    assert room.record("bare").ended_at == room.minute(30)


def test_a_machine_with_a_silent_plug_ends_by_its_timer() -> None:
    room = RoomDriver()
    room.say("anna", "start", minutes=30)
    room.cycle_starts(0)
    room.tick(25)
    room.hear(Sensor.SILENT)
    assert causes(room.tick(30)) == [Cause.FINISHED]


def test_with_a_working_plug_the_plug_decides_and_the_timer_only_passes() -> None:
    room = RoomDriver()
    room.say("anna", "start", minutes=30)
    room.cycle_starts(0)
    room.tick(25)
    assert room.deadline() == 30
    assert causes(room.tick(30)) == [Cause.END_EXPECTED], "nobody sees an end that has passed"
    assert room.record().ends_at is None
    assert room.deadline() is None
    assert causes(room.tick(45)) == []
    assert room.is_now("in_use", "anna")
    assert causes(room.at(50).cycle_ends(0, 49)) == [Cause.FINISHED]


def test_an_edge_that_was_away_over_the_end_says_done_and_not_soon() -> None:
    room = RoomDriver()
    room.say("anna", "start", "bare", minutes=30)
    decision = room.tick(90)
    assert causes(decision) == [None, Cause.FINISHED]
    assert told(decision) == [("anna", "done")]
    assert room.record("bare").ended_at == room.minute(30)


def test_a_registration_without_plug_and_minutes_ends_after_the_longest_run() -> None:
    room = RoomDriver()
    room.say("anna", "start", "bare")
    assert room.deadline() == 360
    assert causes(room.tick(360)) == [Cause.FINISHED]


def test_a_tick_at_the_deadline_leaves_no_deadline_behind() -> None:
    room = RoomDriver()
    room.say("anna", "claim", "w1")
    room.say("anna", "start", "bare", 30)
    room.say("ben", "start", "w2", 30)
    while (due := room.deadline()) is not None:
        room.tick(due)
        left = room.deadline()
        assert left is None or left > due


def test_the_owner_of_a_finished_machine_is_reminded_three_times() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.at(32).cycle_ends(0, 30)
    assert room.deadline() == 47
    decision = room.tick(47)
    assert causes(decision) == [Cause.REMINDED]
    assert isinstance(decision, Accepted)
    (notice,) = decision.changes[0].notices
    assert (notice.resident, notice.params) == ("anna", {"name": "W1", "minutes": 17})
    assert told(room.tick(62)) == [("anna", "reminder")]
    assert told(room.tick(77)) == [("anna", "reminder")]
    assert room.deadline() is None


def test_an_edge_that_was_away_reminds_once_and_not_three_times_at_once() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.at(30).cycle_ends(0, 30)
    assert told(room.tick(200)) == [("anna", "reminder")]
    assert room.deadline() == 215


def test_nobody_is_reminded_of_a_machine_that_is_nobodys_or_was_collected() -> None:
    room = RoomDriver()
    room.cycle_starts(0, "w2")
    room.at(30).cycle_ends(0, 30, "w2")
    room.say("anna", "start")
    room.at(60).cycle_ends(30, 60)
    room.say("anna", "collect")
    assert room.deadline() is None


def test_an_end_that_the_plug_expected_passes_without_being_seen() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.cycle_starts(0)
    room.at(10).end_expected(0, 40)
    assert room.deadline() == 40, "the plug says itself when it is soon"
    assert causes(room.tick(40)) == [Cause.END_EXPECTED]
    assert room.record().ends_at is None
    assert room.record().ends_confidence is None
