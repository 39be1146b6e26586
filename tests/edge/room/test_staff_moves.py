from __future__ import annotations

import pytest

from laundryd.wire.errors import ErrorCode
from laundryd.wire.phases import Cause
from tests.edge.room.driver import RoomDriver, causes, refusal, told


def test_staff_put_a_machine_out_of_order_and_back() -> None:
    room = RoomDriver()
    room.say("anna", "claim")
    assert causes(room.staff("out_of_order")) == [Cause.OUT_OF_ORDER]
    assert room.is_now("out_of_order", None)
    assert causes(room.staff("repaired")) == [Cause.REPAIRED]
    assert room.is_now("free", None)


def test_a_cycle_on_a_machine_out_of_order_is_remembered_until_it_is_repaired() -> None:
    room = RoomDriver()
    room.staff("out_of_order")
    assert causes(room.at(5).cycle_starts(4)) == [None]
    assert room.is_now("out_of_order", None)
    assert causes(room.at(6).staff("repaired")) == [Cause.REPAIRED, Cause.CYCLE_STARTED]
    assert room.is_now("in_use", None)
    assert room.record().started_at == room.minute(4)


def test_a_trial_run_that_ended_while_out_of_order_leaves_the_machine_free() -> None:
    room = RoomDriver()
    room.staff("out_of_order")
    room.at(5).cycle_starts(4)
    assert causes(room.at(9).cycle_ends(4, 8)) == [None]
    assert causes(room.staff("repaired")) == [Cause.REPAIRED]


def test_a_machine_put_out_of_order_while_it_runs_still_runs_when_repaired() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    room.staff("out_of_order")
    assert causes(room.staff("repaired")) == [Cause.REPAIRED, Cause.CYCLE_STARTED]


def test_staff_empty_a_machine_and_its_owner_is_told() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.at(30).cycle_ends(0, 30)
    decision = room.staff("collected")
    assert causes(decision) == [Cause.COLLECTED]
    assert told(decision) == [("anna", "collected_for_you")]
    assert room.is_now("free", None)


def test_staff_end_a_machine_that_runs_for_ever_and_its_owner_is_told() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.at(2).cycle_starts(1)
    decision = room.at(200).staff("ended")
    assert causes(decision) == [Cause.FINISHED]
    assert told(decision) == [("anna", "done")]
    assert room.is_now("finished", "anna")
    assert room.record().ended_at == room.minute(200)
    assert told(room.tick(215)) == [("anna", "reminder")]
    assert causes(room.staff("collected")) == [Cause.COLLECTED]


@pytest.mark.parametrize("word", ["expects", "resumes", "starts"])
def test_what_the_plug_says_of_a_cycle_that_staff_ended_counts_no_more(word: str) -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    room.at(200).staff("ended")
    room.staff("collected")
    said = {
        "expects": lambda: room.end_expected(0, 240),
        "resumes": lambda: room.cycle_resumes(0, 200),
        "starts": lambda: room.cycle_starts(0),
    }
    assert causes(said[word]()) == []
    assert room.is_now("free", None)


def test_after_it_the_next_cycle_counts_as_any_other() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    room.at(200).staff("ended")
    assert causes(room.at(201).cycle_ends(0, 200)) == [None]
    assert room.record().stopped_cycle is None
    assert causes(room.at(210).cycle_starts(209)) == [Cause.CYCLE_STARTED]
    assert room.is_now("in_use", None)


def test_the_end_of_the_ended_cycle_ends_no_load_that_was_put_in_since() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    room.at(200).staff("ended")
    room.staff("collected")
    room.say("ben", "start", minutes=30)
    assert causes(room.at(201).cycle_ends(0, 200)) == [None]
    assert room.is_now("in_use", "ben")


def test_staff_end_what_no_plug_sees() -> None:
    room = RoomDriver()
    room.say("anna", "start", "bare")
    assert told(room.at(60).staff("ended", "bare")) == [("anna", "done")]
    assert room.record("bare").stopped_cycle is None


@pytest.mark.parametrize("name", ["repaired", "ended", "collected"])
def test_a_staff_command_in_the_wrong_phase_is_refused(name: str) -> None:
    assert refusal(RoomDriver().staff(name)) is ErrorCode.ILLEGAL_MOVE


def test_a_staff_command_for_an_unknown_machine_is_refused() -> None:
    assert refusal(RoomDriver().staff("out_of_order", "w9")) is ErrorCode.UNKNOWN_MACHINE


def test_who_held_or_used_a_machine_hears_that_it_failed_and_that_it_is_repaired() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    assert told(room.at(5).staff("out_of_order")) == [("anna", "out_of_order")]
    assert told(room.at(90).staff("repaired")) == [("anna", "repaired")]
    assert told(room.staff("out_of_order")) == []
    assert told(room.staff("repaired")) == []


@pytest.mark.parametrize("word", ["fault_cleared", "repaired"])
def test_a_fault_stands_until_staff_clear_or_repair_it(word: str) -> None:
    room = RoomDriver()
    room.say("anna", "report_fault", text="the door does not close")
    if word == "repaired":
        room.staff("out_of_order")
    assert len(room.record().faults) == 1
    room.staff(word)
    assert room.record().faults == ()


def test_clearing_what_nobody_reported_changes_nothing() -> None:
    assert causes(RoomDriver().staff("fault_cleared")) == []
