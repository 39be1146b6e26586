from __future__ import annotations

import pytest

from edge.room.decision import Refused
from edge.room.records import REPORTS_MAX
from edge.room.view import mine, view
from laundryd.wire.errors import ErrorCode
from laundryd.wire.phases import Cause
from tests.edge.room.driver import RoomDriver, causes, refusal, told


@pytest.fixture
def room() -> RoomDriver:
    """Anna's laundry is done in both washers, at minute 30."""
    room = RoomDriver()
    for machine in ("w1", "w2"):
        room.at(0).say("anna", "start", machine)
        room.cycle_starts(0, machine)
        room.at(30).cycle_ends(0, 30, machine)
    return room


def test_a_request_reaches_the_owner_and_nobody_learns_whose_it_was(room: RoomDriver) -> None:
    decision = room.say("resident-ben", "request_pickup")
    assert causes(decision) == [Cause.PICKUP_REQUESTED]
    assert told(decision) == [("anna", "pickup_requested")]
    seen = view(room.record())
    assert seen.pickup_requested_at == room.now
    assert "ben" not in seen.model_dump_json()
    assert "ben" not in mine(room.state, "maple-hall.basement", "anna").model_dump_json()


def test_an_owner_is_asked_once_in_five_minutes_whoever_asks_and_for_whichever_machine(
    room: RoomDriver,
) -> None:
    room.say("ben", "request_pickup", "w1")
    again = room.at(31).say("chloe", "request_pickup", "w2")
    assert refusal(again) is ErrorCode.RATE_LIMITED
    assert isinstance(again, Refused)
    assert again.retry_after_s == 240
    assert refusal(room.at(34.99).say("ben", "request_pickup", "w1")) is ErrorCode.RATE_LIMITED
    assert causes(room.at(35).say("chloe", "request_pickup", "w2")) == [Cause.PICKUP_REQUESTED]


def test_the_five_minutes_outlast_a_collection(room: RoomDriver) -> None:
    room.say("ben", "request_pickup", "w1")
    room.say("anna", "collect", "w1")
    assert refusal(room.at(32).say("ben", "request_pickup", "w2")) is ErrorCode.RATE_LIMITED


def test_an_owner_who_turned_requests_off_is_not_asked_until_they_turn_them_on(
    room: RoomDriver,
) -> None:
    assert causes(room.say("anna", "mute_pickup", "d1")) == []
    assert mine(room.state, "a.b", "anna").pickup_muted == ["a.b"]
    assert refusal(room.say("ben", "request_pickup")) is ErrorCode.PICKUP_MUTED
    room.say("anna", "unmute_pickup", "w1")
    assert mine(room.state, "a.b", "anna").pickup_muted == []
    assert causes(room.say("ben", "request_pickup")) == [Cause.PICKUP_REQUESTED]


def test_nobody_asks_themselves_or_the_owner_of_nothing(room: RoomDriver) -> None:
    assert refusal(room.say("anna", "request_pickup")) is ErrorCode.ILLEGAL_MOVE
    room.cycle_starts(0, "d1")
    room.cycle_ends(0, 30, "d1")
    assert refusal(room.say("ben", "request_pickup", "d1")) is ErrorCode.ILLEGAL_MOVE


def test_the_owners_answer_reaches_all_who_asked_and_only_once(room: RoomDriver) -> None:
    room.say("ben", "request_pickup")
    room.at(36).say("chloe", "request_pickup")
    decision = room.at(37).say("anna", "coming")
    assert causes(decision) == [Cause.OWNER_COMING]
    assert told(decision) == [("ben", "owner_coming"), ("chloe", "owner_coming")]
    assert view(room.record()).owner_coming_at == room.now
    assert causes(room.at(38).say("anna", "coming")) == []
    room.at(42).say("ben", "request_pickup")
    assert told(room.say("anna", "coming")) == [("ben", "owner_coming")]


def test_who_was_not_asked_has_nothing_to_answer(room: RoomDriver) -> None:
    assert refusal(room.say("anna", "coming")) is ErrorCode.NOBODY_ASKED
    assert refusal(room.say("ben", "coming")) is ErrorCode.NOT_YOURS


def test_the_newest_askers_alone_are_remembered(room: RoomDriver) -> None:
    for number in range(REPORTS_MAX + 2):
        room.at(30 + 5 * number).say(f"r{number}", "request_pickup")
    askers = room.record().pickup_askers
    assert len(askers) == REPORTS_MAX
    assert askers[-1] == f"r{REPORTS_MAX + 1}"


def test_limits_that_are_over_are_forgotten(room: RoomDriver) -> None:
    room.say("ben", "request_pickup")
    room.cycle_starts(0, "d1")
    room.say("dan", "adopt", "d1")
    room.cycle_ends(0, 30, "d1")
    room.at(40).say("ben", "request_pickup", "d1")
    assert room.state.waits.asked == {"dan": room.now}
