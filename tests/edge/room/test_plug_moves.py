from __future__ import annotations

import pytest

from edge.room.records import RECORD, RoomState
from laundryd.wire.errors import ErrorCode
from laundryd.wire.phases import Cause, Sensor
from tests.edge.room.driver import RoomDriver, causes, refusal, told


def test_a_start_seen_on_a_free_machine_runs_without_an_owner_since_it_truly_began() -> None:
    room = RoomDriver()
    assert causes(room.at(3).cycle_starts(1)) == [Cause.CYCLE_STARTED]
    assert room.is_now("in_use", None)
    assert room.record().started_at == room.minute(1)
    assert room.record().since == room.minute(3)


def test_a_start_seen_on_an_arrived_machine_is_the_claimants() -> None:
    room = RoomDriver()
    room.say("anna", "claim")
    room.say("anna", "arrive")
    decision = room.cycle_starts(0)
    assert causes(decision) == [Cause.CYCLE_STARTED]
    assert told(decision) == [("anna", "started")]
    assert room.is_now("in_use", "anna")
    assert room.record().held_until is None


def test_a_start_seen_on_a_claimed_machine_is_nobodys_and_the_claimant_is_told() -> None:
    room = RoomDriver()
    room.say("anna", "claim")
    assert told(room.cycle_starts(0)) == [("anna", "started_by_other")]
    assert room.is_now("in_use", None)
    assert causes(room.say("anna", "adopt")) == [Cause.ADOPTED]


def test_a_start_seen_on_a_finished_machine_means_collected_and_its_owner_is_told() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.at(30).cycle_ends(0, 28)
    decision = room.at(40).cycle_starts(39)
    assert causes(decision) == [Cause.CYCLE_STARTED]
    assert told(decision) == [("anna", "collected_for_you")]
    assert room.is_now("in_use", None)
    assert room.record().ended_at is None


def test_a_start_that_lies_before_the_timers_end_is_the_same_load_and_still_its_owners() -> None:
    room = RoomDriver()
    room.hear(Sensor.SILENT)
    room.say("anna", "start", minutes=30)
    room.tick(30)
    assert room.is_now("finished", "anna")
    room.at(35).hear(Sensor.OK)
    decision = room.cycle_starts(2)
    assert causes(decision) == [Cause.CYCLE_STARTED]
    assert told(decision) == [("anna", "resumed")], "they were told that it is done"
    assert room.is_now("in_use", "anna")


def test_a_start_seen_on_a_registered_machine_keeps_its_owner_and_its_programme() -> None:
    room = RoomDriver()
    room.say("anna", "start", minutes=40)
    assert causes(room.at(1).cycle_starts(0.5)) == [Cause.CYCLE_STARTED]
    assert room.is_now("in_use", "anna")
    assert room.record().started_at == room.minute(0.5)
    assert room.record().ends_at == room.minute(40)


def test_a_start_told_twice_changes_nothing() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    assert causes(room.at(1).cycle_starts(0)) == []


def test_an_end_is_told_to_the_owner_with_the_true_time() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.cycle_starts(0)
    decision = room.at(34).cycle_ends(0, 31)
    assert causes(decision) == [Cause.FINISHED]
    assert told(decision) == [("anna", "done")]
    assert room.record().ended_at == room.minute(31)
    assert room.record().since == room.minute(34)
    assert room.record().ends_at is None


def test_the_end_of_an_earlier_load_does_not_end_the_next() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    room.say("ben", "adopt")
    room.at(29).hear(Sensor.SILENT)
    room.say("ben", "release")
    room.at(31).hear(Sensor.OK)
    room.say("anna", "start")
    assert causes(room.at(33).cycle_ends(0, 30)) == []
    assert room.is_now("in_use", "anna")


def test_an_end_on_a_free_machine_changes_nothing() -> None:
    assert causes(RoomDriver().at(5).cycle_ends(0, 4)) == []


def test_a_silent_plug_ends_nothing_and_is_said_once() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.cycle_starts(0)
    assert causes(room.at(5).hear(Sensor.SILENT)) == [Cause.SENSOR_CHANGED]
    assert causes(room.at(6).hear(Sensor.SILENT)) == []
    assert causes(room.tick(60)) == []
    assert room.is_now("in_use", "anna")


def test_a_plug_that_falls_silent_after_the_programmes_end_makes_the_end_unknown() -> None:
    room = RoomDriver()
    room.say("anna", "start", minutes=30)
    room.cycle_starts(0)
    room.tick(35)
    room.hear(Sensor.SILENT)
    assert room.record().ends_at is None
    assert causes(room.tick(36)) == []
    assert room.is_now("in_use", "anna")


def test_a_signal_for_an_unknown_machine_is_refused() -> None:
    assert refusal(RoomDriver().cycle_starts(0, "w9")) is ErrorCode.UNKNOWN_MACHINE


def test_a_cycle_that_goes_on_is_its_owners_again_and_they_are_told() -> None:
    room = RoomDriver()
    room.say("anna", "start", programme="cotton")
    room.cycle_starts(0)
    room.at(30).cycle_ends(0, 28)
    room.tick(45)
    room.say("ben", "request_pickup")
    decision = room.at(46).cycle_resumes(0, 28)
    assert causes(decision) == [Cause.RESUMED]
    assert told(decision) == [("anna", "resumed")]
    assert room.is_now("in_use", "anna")
    record = room.record()
    assert (record.started_at, record.plug_cycle_since) == (room.minute(0), room.minute(0))
    assert (record.ended_at, record.pickup_requested_at, record.programme) == (None, None, "cotton")
    assert causes(room.cycle_resumes(0, 28)) == []
    assert told(room.at(60).cycle_ends(0, 59)) == [("anna", "done")]
    assert room.deadline() == 75, "reminders begin anew"


def test_a_cycle_that_goes_on_after_it_was_collected_runs_without_an_owner() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.cycle_starts(0)
    room.at(30).cycle_ends(0, 28)
    room.say("anna", "collect")
    decision = room.at(32).cycle_resumes(0, 28)
    assert causes(decision) == [Cause.CYCLE_STARTED]
    assert told(decision) == []
    assert room.is_now("in_use", None)
    assert room.record().started_at == room.minute(30), "the load before was taken out then"


def test_a_cycle_that_goes_on_at_a_claimed_machine_is_nobodys_and_the_claimant_is_told() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    room.at(30).cycle_ends(0, 28)
    room.say("ben", "collect")
    room.say("ben", "claim")
    assert told(room.at(32).cycle_resumes(0, 28)) == [("ben", "started_by_other")]
    assert room.is_now("in_use", None)


@pytest.mark.parametrize("last_word", ["arrive", "start"])
def test_a_cycle_that_goes_on_before_one_who_stands_there_is_theirs_since_then(
    last_word: str,
) -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    room.at(30).cycle_ends(0, 28)
    room.say("ben", "collect")
    room.at(31).say("ben", "claim")
    room.at(32).say("ben", "arrive")
    if last_word == "start":
        room.say("ben", "start")
    assert causes(room.at(33).cycle_resumes(0, 28)) == [Cause.CYCLE_STARTED]
    assert room.is_now("in_use", "ben")
    assert room.record().started_at == room.minute(32)
    assert room.record().plug_cycle_since == room.minute(0)
    assert told(room.at(60).cycle_ends(0, 59)) == [("ben", "done")]


def test_a_cycle_that_goes_on_out_of_order_is_remembered() -> None:
    room = RoomDriver()
    room.staff("out_of_order")
    assert causes(room.at(30).cycle_resumes(0, 28)) == [None]
    assert causes(room.staff("repaired")) == [Cause.REPAIRED, Cause.CYCLE_STARTED]


def test_a_resumed_signal_for_an_unknown_machine_is_refused() -> None:
    assert refusal(RoomDriver().cycle_resumes(0, 0, "w9")) is ErrorCode.UNKNOWN_MACHINE


def test_a_registered_start_that_the_deadline_overtook_is_still_its_owners() -> None:
    room = RoomDriver()
    room.say("anna", "start", programme="cotton")
    assert told(room.tick(5)) == [("anna", "not_started")]
    assert room.is_now("free", None)
    decision = room.at(5.5).cycle_starts(4.3)
    assert causes(decision) == [Cause.CYCLE_STARTED]
    assert told(decision) == [("anna", "resumed")], "what was said is taken back"
    assert room.is_now("in_use", "anna")
    assert room.record().programme == "cotton"
    assert room.record().ends_at == room.minute(55)
    assert room.record().started_at == room.minute(4.3)
    assert room.record().lost is None
    assert told(room.at(58).cycle_ends(4.3, 57)) == [("anna", "done")]


def test_a_start_before_the_hold_of_who_had_arrived_ended_is_theirs() -> None:
    room = RoomDriver()
    room.say("anna", "claim")
    room.say("anna", "arrive")
    assert told(room.tick(15)) == [("anna", "hold_ended")]
    assert told(room.at(15.6).cycle_starts(14.5)) == [("anna", "resumed")]
    assert room.is_now("in_use", "anna")


def test_a_start_before_the_hold_of_who_was_on_the_way_ended_is_told_to_them() -> None:
    room = RoomDriver()
    room.say("anna", "claim")
    room.tick(10)
    assert told(room.at(10.6).cycle_starts(9.5)) == [("anna", "started_by_other")]
    assert room.is_now("in_use", None)
    assert causes(room.say("anna", "adopt")) == [Cause.ADOPTED]


def test_a_start_after_the_hold_ended_is_nobodys() -> None:
    room = RoomDriver()
    room.say("anna", "claim")
    room.say("anna", "arrive")
    room.tick(15)
    assert told(room.at(17).cycle_starts(15.1)) == []
    assert room.is_now("in_use", None)


def test_a_hold_that_ended_while_the_edge_was_away_ended_at_its_time() -> None:
    room = RoomDriver()
    room.say("anna", "claim")
    room.say("anna", "arrive")
    room.tick(60)
    assert told(room.at(61).cycle_starts(30)) == []
    assert room.is_now("in_use", None), "who started it at half past was not on time"


def test_a_machine_that_somebody_else_took_meanwhile_is_not_given_back() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.tick(5)
    room.say("ben", "claim")
    assert told(room.at(5.5).cycle_starts(4.3)) == [("ben", "started_by_other")]
    assert room.is_now("in_use", None)


def test_who_holds_it_again_has_it_when_their_start_before_is_told() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.tick(5)
    room.say("anna", "claim")
    room.at(5.5).cycle_starts(4.3)
    assert room.is_now("in_use", "anna")


def test_a_start_that_a_deadline_overtook_is_given_back_after_a_restart_too() -> None:
    room = RoomDriver()
    room.say("anna", "start", minutes=40)
    room.tick(5)
    kept = [RECORD.validate_json(RECORD.dump_json(one)) for one in room.state.machines.values()]
    room.state = RoomState.of(kept)
    room.at(5.5).cycle_starts(4.3)
    assert room.is_now("in_use", "anna")
    assert room.record().ends_at == room.minute(40)


def test_the_load_before_that_goes_on_is_not_given_to_whose_hold_ended() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    room.at(30).cycle_ends(0, 28)
    room.say("anna", "collect")
    room.say("anna", "claim")
    room.say("anna", "arrive")
    room.tick(45)
    room.at(46).cycle_resumes(0, 28)
    assert room.is_now("in_use", None)
