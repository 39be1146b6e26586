"""The queue of those who wait: first come first told, a turn of three minutes each."""

from __future__ import annotations

import pytest

from edge.room.decision import Accepted
from edge.room.view import mine
from edge.room.waits import WATCHES_MAX
from laundryd.wire.errors import ErrorCode
from laundryd.wire.phases import Cause
from tests.edge.room.driver import RoomDriver, causes, refusal, told


@pytest.fixture
def room() -> RoomDriver:
    """All three washers run, each with an owner; the dryer is free."""
    room = RoomDriver()
    for machine in ("w1", "w2", "bare"):
        room.say(f"owner-{machine}", "start", machine, 300)
        if machine != "bare":
            room.cycle_starts(0, machine)
    return room


def _free(room: RoomDriver, machine: str = "bare") -> list[tuple[str, str]]:
    owner = room.record(machine).owner
    assert owner is not None
    room.staff("out_of_order", machine)
    found = told(room.staff("repaired", machine))
    return [one for one in found if one[1] != "repaired"]


def _turns(room: RoomDriver) -> list[tuple[str, str | None]]:
    return [(one.resident, one.told_machine) for one in room.state.waits.watches]


def test_whoever_waits_first_is_told_first_and_alone_for_three_minutes(room: RoomDriver) -> None:
    room.say("anna", "watch", "w1")
    room.say("ben", "watch", "w2")
    decision = room.at(5).say("owner-bare", "release", "bare")
    assert told(decision) == [("anna", "machine_free")]
    assert isinstance(decision, Accepted)
    (change,) = decision.wait_changes
    assert change.machine == "bare"
    assert change.notice is not None
    assert change.notice.params == {"name": "BARE", "minutes": 3}
    (watch,) = mine(room.state, "a.b", "anna").watches
    assert watch.told_until == room.minute(8)
    assert room.deadline() == 8
    assert told(room.tick(7.9)) == []
    assert told(room.tick(8)) == [("ben", "machine_free")]
    assert _turns(room) == [("ben", "bare")], "anna had her turn"
    assert told(room.tick(11)) == []
    assert _turns(room) == []


def test_two_free_machines_are_told_to_two(room: RoomDriver) -> None:
    for resident in ("anna", "ben", "chloe"):
        room.say(resident, "watch")
    assert _free(room, "bare") == [("anna", "machine_free")]
    room.at(1).say("owner-w1", "release", "w1")  # its plug sees it run on: it is not free
    assert _turns(room) == [("anna", "bare"), ("ben", None), ("chloe", None)]
    room.at(2).cycle_ends(0, 2, "w1")
    assert told(room.say("dan", "collect", "w1")) == [("ben", "machine_free")]


def test_a_watcher_who_takes_one_is_off_the_list(room: RoomDriver) -> None:
    room.say("anna", "watch")
    room.say("ben", "watch")
    _free(room)
    decision = room.say("anna", "claim", "bare")
    assert isinstance(decision, Accepted)
    assert [one.resident for one in decision.wait_changes] == ["anna"]
    assert _turns(room) == [("ben", None)]


@pytest.mark.parametrize("word", ["start", "claim"])
def test_a_machine_taken_by_another_within_the_turn_leaves_the_watcher_at_the_head(
    room: RoomDriver, word: str
) -> None:
    room.say("anna", "watch")
    room.say("ben", "watch")
    _free(room)
    room.at(1).say("dan", word, "bare")
    assert _turns(room) == [("anna", None), ("ben", None)]
    room.at(9).say("dan", "release", "bare")
    assert _turns(room) == [("anna", "bare"), ("ben", None)]


def test_an_adopted_machine_ends_the_wait_too(room: RoomDriver) -> None:
    room.say("anna", "watch")
    room.say("owner-w1", "release", "w1")
    assert causes(room.say("anna", "adopt", "w1")) == [Cause.ADOPTED]
    assert _turns(room) == []


def test_a_watch_is_for_a_kind_and_once(room: RoomDriver) -> None:
    room.say("anna", "watch", "w1")
    room.say("anna", "watch", "w2")
    assert _turns(room) == [("anna", None)]
    room.say("dan", "claim", "d1")
    room.say("anna", "watch", "d1")
    assert len(_turns(room)) == 2
    assert told(room.say("dan", "release", "d1")) == [("anna", "machine_free")]


def test_nobody_waits_for_what_is_free_unless_others_are_ahead(room: RoomDriver) -> None:
    assert refusal(room.say("anna", "watch", "d1")) is ErrorCode.FREE_NOW
    room.say("anna", "watch")
    _free(room)
    assert told(room.say("ben", "watch")) == []
    assert _turns(room) == [("anna", "bare"), ("ben", None)]


def test_who_waits_no_more_makes_way_at_once(room: RoomDriver) -> None:
    room.say("anna", "watch")
    room.say("ben", "watch")
    _free(room)
    assert told(room.say("anna", "unwatch", "w2")) == [("ben", "machine_free")]
    assert causes(room.say("anna", "unwatch", "w2")) == []


def test_a_watch_ends_after_twelve_hours(room: RoomDriver) -> None:
    room.say("anna", "watch")
    room.tick(719)
    assert _turns(room) == [("anna", None)]
    room.tick(720)
    assert _turns(room) == []


def test_the_queue_is_bounded(room: RoomDriver) -> None:
    for number in range(WATCHES_MAX):
        room.say(f"r{number}", "watch")
    assert refusal(room.say("late", "watch")) is ErrorCode.RATE_LIMITED
    assert causes(room.say("r7", "watch")) == []
