from __future__ import annotations

import pytest

from edge.room.view import view
from laundryd.wire.commands import COMMAND_PHASES, CommandName
from laundryd.wire.errors import ErrorCode
from laundryd.wire.phases import Cause, Phase, Sensor
from tests.edge.room.driver import RoomDriver, causes, refusal, told


def _in_phase(phase: Phase) -> RoomDriver:
    room = RoomDriver()
    match phase:
        case Phase.FREE:
            pass
        case Phase.CLAIMED:
            room.say("anna", "claim")
        case Phase.ARRIVED:
            room.say("anna", "claim")
            room.say("anna", "arrive")
        case Phase.IN_USE:
            room.say("anna", "start")
        case Phase.FINISHED:
            room.say("anna", "start")
            room.at(30).cycle_ends(0, 30)
        case Phase.OUT_OF_ORDER:
            room.staff("out_of_order")
    assert room.record().phase is phase
    return room


def test_a_claim_holds_the_machine_for_ten_minutes() -> None:
    room = RoomDriver()
    assert causes(room.say("anna", "claim")) == [Cause.CLAIMED]
    assert room.is_now("claimed", "anna")
    assert room.record().held_until == room.minute(10)


def test_arriving_holds_five_minutes_more() -> None:
    room = RoomDriver()
    room.say("anna", "claim")
    assert causes(room.at(2).say("anna", "arrive")) == [Cause.ARRIVED]
    assert room.record().held_until == room.minute(15)


def test_a_start_with_minutes_knows_its_end_and_one_without_does_not() -> None:
    room = RoomDriver()
    room.say("anna", "start", "w1", 40)
    room.say("anna", "start", "w2")
    assert room.record("w1").ends_at == room.minute(40)
    assert room.record("w2").ends_at is None
    assert room.record("w2").started_at == room.minute(0)


@pytest.mark.parametrize(
    ("phase", "name"),
    [(phase, name) for phase in Phase for name in CommandName if phase not in COMMAND_PHASES[name]],
)
def test_a_command_in_the_wrong_phase_is_refused_and_changes_nothing(
    phase: Phase, name: CommandName
) -> None:
    room = _in_phase(phase)
    before = room.state
    assert refusal(room.say("anna", name)) is ErrorCode.ILLEGAL_MOVE
    assert room.state == before


ANYBODYS = {"request_pickup", "mute_pickup", "unmute_pickup", "watch", "unwatch", "report_fault"}


@pytest.mark.parametrize("name", [name for name in CommandName if name not in ANYBODYS])
@pytest.mark.parametrize(
    "phase", [Phase.CLAIMED, Phase.ARRIVED, Phase.IN_USE, Phase.FINISHED], ids=str
)
def test_every_command_on_somebody_elses_machine_is_refused_as_not_yours(
    phase: Phase, name: CommandName
) -> None:
    room = _in_phase(phase)
    before = room.state
    assert refusal(room.say("ben", name)) is ErrorCode.NOT_YOURS
    assert room.state == before


def test_an_unknown_machine_is_refused() -> None:
    assert refusal(RoomDriver().say("anna", "claim", "w9")) is ErrorCode.UNKNOWN_MACHINE


def test_a_resident_holds_one_machine_of_a_kind() -> None:
    room = RoomDriver()
    room.say("anna", "claim", "w1")
    assert refusal(room.say("anna", "claim", "w2")) is ErrorCode.ALREADY_HOLDING
    assert causes(room.say("anna", "claim", "d1")) == [Cause.CLAIMED]
    assert causes(room.say("ben", "claim", "w2")) == [Cause.CLAIMED]


def test_a_running_machine_is_no_claim_so_the_next_one_may_be_held() -> None:
    room = RoomDriver()
    room.say("anna", "start", "w1")
    assert causes(room.say("anna", "claim", "w2")) == [Cause.CLAIMED]


def test_an_ownerless_running_machine_can_be_adopted_once() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    assert causes(room.say("anna", "adopt")) == [Cause.ADOPTED]
    assert room.is_now("in_use", "anna")
    assert refusal(room.say("ben", "adopt")) is ErrorCode.NOT_YOURS
    assert refusal(room.say("anna", "adopt")) is ErrorCode.ILLEGAL_MOVE


def test_an_ownerless_running_machine_is_released_by_nobody() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    assert refusal(room.say("anna", "release")) is ErrorCode.NOT_YOURS


def test_anybody_collects_a_finished_machine_without_an_owner() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    room.at(30).cycle_ends(0, 30)
    assert causes(room.say("ben", "collect")) == [Cause.COLLECTED]
    assert room.is_now("free", None)


def test_the_owner_collects_and_nobody_is_told() -> None:
    room = _in_phase(Phase.FINISHED)
    decision = room.say("anna", "collect")
    assert causes(decision) == [Cause.COLLECTED]
    assert told(decision) == []
    assert room.record().started_at is None


def test_giving_back_a_machine_that_runs_leaves_it_running_without_an_owner() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.cycle_starts(0)
    assert causes(room.at(1).say("anna", "release")) == [Cause.RELEASED, Cause.CYCLE_STARTED]
    assert room.is_now("in_use", None)
    assert room.record().started_at == room.minute(0)


def test_giving_back_a_machine_whose_plug_is_silent_frees_it() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    room.cycle_starts(0)
    room.hear(Sensor.SILENT)
    assert causes(room.say("anna", "release")) == [Cause.RELEASED]
    assert room.is_now("free", None)


def test_a_start_with_a_programme_knows_its_end_and_says_which() -> None:
    room = RoomDriver()
    assert causes(room.say("anna", "start", "w1", programme="wool")) == [Cause.STARTED]
    assert room.record().ends_at == room.minute(35)
    assert view(room.record()).programme == "wool"
    room.say("ben", "start", "d1", programme="cotton")
    assert room.record("d1").ends_at == room.minute(90)


@pytest.mark.parametrize(
    ("machine", "programme", "minutes", "code"),
    [
        ("w1", "silk", None, ErrorCode.UNKNOWN_PROGRAMME),
        ("d1", "wool", None, ErrorCode.UNKNOWN_PROGRAMME),
        ("w1", "wool", 35, ErrorCode.INVALID_BODY),
    ],
)
def test_a_programme_that_the_kind_does_not_have_or_minutes_beside_it_are_refused(
    machine: str, programme: str, minutes: int | None, code: ErrorCode
) -> None:
    room = RoomDriver()
    assert refusal(room.say("anna", "start", machine, minutes, programme=programme)) is code
    assert room.is_now("free", None, machine)


def test_the_owner_moves_the_end_and_is_told_anew_when_it_is_near() -> None:
    room = RoomDriver()
    room.say("anna", "start", "bare", 30)
    assert told(room.tick(25)) == [("anna", "ending_soon")]
    assert causes(room.at(26).say("anna", "extend", "bare", 20)) == [Cause.EXTENDED]
    assert room.record("bare").ends_at == room.minute(50)
    assert told(room.tick(45)) == [("anna", "ending_soon")]
    assert told(room.tick(50)) == [("anna", "done")]


def test_an_end_that_stays_near_is_not_told_twice() -> None:
    room = RoomDriver()
    room.say("anna", "start", "bare", 30)
    room.tick(28)
    room.say("anna", "extend", "bare", 2)
    assert room.deadline() == 32


def test_no_end_lies_further_than_the_longest_programme() -> None:
    room = RoomDriver()
    room.say("anna", "start", "bare", 300)
    room.at(10).say("anna", "extend", "bare", 360)
    assert room.record("bare").ends_at == room.minute(370)


def test_an_unknown_end_is_extended_from_now() -> None:
    room = RoomDriver()
    room.say("anna", "start", "bare")
    room.at(10).say("anna", "extend", "bare", 15)
    assert room.record("bare").ends_at == room.minute(25)


def test_extending_needs_minutes_its_owner_and_no_plug_that_knows_better() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    assert refusal(room.say("anna", "extend", minutes=5)) is ErrorCode.NOT_YOURS
    room.say("anna", "adopt")
    assert refusal(room.say("anna", "extend")) is ErrorCode.INVALID_BODY
    assert refusal(room.say("ben", "extend", minutes=5)) is ErrorCode.NOT_YOURS
    room.end_expected(0, 40)
    assert refusal(room.say("anna", "extend", minutes=5)) is ErrorCode.ILLEGAL_MOVE
    room.at(1).hear(Sensor.SILENT)
    assert causes(room.say("anna", "extend", minutes=5)) == [Cause.EXTENDED]
    assert room.record().ends_at == room.minute(45)


def test_a_machine_that_only_a_timer_called_done_goes_on_when_its_owner_says_so() -> None:
    room = RoomDriver()
    room.say("anna", "start", "bare", 30)
    room.tick(30)
    room.tick(45)
    decision = room.at(46).say("anna", "extend", "bare", 20)
    assert causes(decision) == [Cause.RESUMED]
    assert told(decision) == []
    record = room.record("bare")
    assert (record.started_at, record.ends_at, record.ended_at, record.reminders_told) == (
        room.minute(0),
        room.minute(66),
        None,
        0,
    )
    assert told(room.tick(61)) == [("anna", "ending_soon")]


def test_a_machine_that_its_plug_called_done_is_not_extended() -> None:
    room = _in_phase(Phase.FINISHED)
    assert refusal(room.say("anna", "extend", minutes=20)) is ErrorCode.ILLEGAL_MOVE


def test_one_who_adopts_a_finished_machine_is_reminded_from_then_on() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    room.at(30).cycle_ends(0, 30)
    assert room.deadline() is None
    room.at(50).say("anna", "adopt")
    assert room.deadline() == 65
