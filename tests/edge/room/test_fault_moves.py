from __future__ import annotations

import pytest

from edge.room.decision import Refused
from edge.room.fault_moves import clean
from edge.room.records import REPORTS_MAX
from edge.room.view import view
from laundryd.wire.errors import ErrorCode
from laundryd.wire.phases import Cause
from tests.edge.room.driver import RoomDriver, causes, refusal, told


def test_everybody_sees_that_a_fault_was_reported_and_staff_alone_what() -> None:
    room = RoomDriver()
    room.say("resident-anna", "start")
    decision = room.at(2).say("ben", "report_fault", text="water on the floor")
    assert causes(decision) == [Cause.FAULT_REPORTED]
    assert told(decision) == []
    assert room.is_now("in_use", "resident-anna")
    seen = view(room.record())
    assert seen.fault_reported_at == room.now
    assert "water" not in seen.model_dump_json()
    assert room.record().faults[-1].text == "water on the floor"


def test_one_report_a_resident_and_machine_in_ten_minutes() -> None:
    room = RoomDriver()
    room.say("anna", "report_fault", text="broken")
    again = room.at(4).say("anna", "report_fault", text="still broken")
    assert isinstance(again, Refused)
    assert (again.code, again.retry_after_s) == (ErrorCode.RATE_LIMITED, 360)
    assert causes(room.say("ben", "report_fault", text="broken")) == [Cause.FAULT_REPORTED]
    assert causes(room.say("anna", "report_fault", "w2", text="too")) == [Cause.FAULT_REPORTED]
    assert causes(room.at(10).say("anna", "report_fault", text="yes")) == [Cause.FAULT_REPORTED]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("the  door\nis\tstuck ", "the door is stuck"),
        ("\x1b[31mred\x07 alert", "[31mred alert"),
        ("left \u202eright\u2028line", "left right line"),
        ("문이 안 닫혀요", "문이 안 닫혀요"),
    ],
)
def test_a_text_is_one_line_without_anything_that_steers_a_screen(written: str, kept: str) -> None:
    assert clean(written) == kept


def test_a_text_of_control_characters_is_no_text() -> None:
    room = RoomDriver()
    assert refusal(room.say("anna", "report_fault", text="a\x00\x01\x02")) is (
        ErrorCode.INVALID_BODY
    )
    assert refusal(room.say("anna", "report_fault")) is ErrorCode.INVALID_BODY


def test_the_newest_reports_alone_are_kept_and_outlive_a_load() -> None:
    room = RoomDriver()
    for number in range(REPORTS_MAX + 1):
        room.say(f"r{number}", "report_fault", text=f"fault {number}")
    room.say("anna", "claim")
    room.say("anna", "release")
    texts = [one.text for one in room.record().faults]
    assert texts == [f"fault {number}" for number in range(1, REPORTS_MAX + 1)]
