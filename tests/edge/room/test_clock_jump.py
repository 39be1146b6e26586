from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.room.clock_jump import clock_set, moved
from edge.room.deadlines import next_deadline
from edge.room.decide import after
from edge.room.timings import RoomTimings
from laundryd.wire.machines import MachineKind
from laundryd.wire.phases import Cause
from tests.edge.room.driver import NOON, RoomDriver

HOUR = timedelta(hours=1)
shifts = st.integers(min_value=-(10**10), max_value=10**10).map(
    lambda ms: timedelta(milliseconds=ms)
)


def _held() -> RoomDriver:
    room = RoomDriver()
    room.say("anna", "claim")
    return room


@given(shifts)
def test_everything_keeps_its_distance_to_now(shift: timedelta) -> None:
    room = _held()
    timings = RoomTimings()
    before = next_deadline(room.state, timings)
    state = after(room.state, clock_set(room.state, shift))
    due = next_deadline(state, timings)
    assert before is not None
    assert due is not None
    assert due - before == shift


@given(shifts)
def test_moving_there_and_back_is_nothing(shift: timedelta) -> None:
    record = _held().record()
    assert moved(moved(record, shift), -shift) == record


def test_every_moment_of_a_record_moves() -> None:
    record = _held().record()
    after_ = moved(record, HOUR)
    for one in fields(record):
        value = getattr(record, one.name)
        expected = value + HOUR if isinstance(value, datetime) else value
        assert getattr(after_, one.name) == expected, one.name


def test_only_a_machine_with_a_time_to_count_down_to_is_told_anew() -> None:
    room = _held()
    told = {change.record.machine: change.cause for change in clock_set(room.state, HOUR).changes}
    assert told["w1"] is Cause.SENSOR_CHANGED
    assert all(cause is None for machine, cause in told.items() if machine != "w1")
    assert room.record().since >= NOON


def test_whose_turn_it_is_hears_until_when_in_the_new_time() -> None:
    room = RoomDriver()
    for name, machine in room.state.machines.items():
        if machine.kind is MachineKind.WASHER:
            room.say(f"owner-{name}", "start", name)
    room.say("anna", "watch", "w1")
    room.say("owner-w1", "release", "w1")
    [before] = room.state.waits.watches
    assert before.told_until is not None
    accepted = clock_set(room.state, HOUR)
    assert [one.resident for one in accepted.wait_changes] == ["anna"]
    [now] = after(room.state, accepted).waits.watches
    assert now.told_until == before.told_until + HOUR
