from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.dashboards.states import (
    COUNTED_INTERVAL_S,
    MEASURED_INTERVAL_S,
    Faults,
    Measured,
    StateBoard,
    machine_state,
)
from laundryd.wire.machines import MachineKind, MachineView
from laundryd.wire.phases import Phase, Sensor

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def view(ends_at: datetime | None = None) -> MachineView:
    return MachineView(
        machine="w1",
        kind=MachineKind.WASHER,
        name="Washer 1",
        phase=Phase.IN_USE,
        since=NOON,
        sensor=Sensor.OK,
        has_owner=True,
        ends_at=ends_at,
    )


def test_what_is_not_measured_or_not_known_is_none_and_never_zero() -> None:
    state = machine_state(view(), NOON)
    assert (state.power_w, state.energy_wh, state.minutes_left) == (None, None, None)


def test_minutes_left_are_rounded_up_and_never_zero_while_it_runs() -> None:
    ends_at = NOON + timedelta(minutes=10)
    for late_s, left in ((0, 10), (1, 10), (60, 9), (599, 1), (600, 1), (900, 1)):
        assert machine_state(view(ends_at), NOON + timedelta(seconds=late_s)).minutes_left == left


def test_how_sure_the_minutes_are_stands_beside_them() -> None:
    sure = view(NOON + timedelta(minutes=10)).model_copy(update={"ends_confidence": 0.75})
    assert machine_state(sure, NOON).minutes_left_confidence == 0.75
    assert machine_state(view(NOON), NOON).minutes_left_confidence is None


def test_faults_are_counted_and_the_newest_is_quoted_where_it_may_be() -> None:
    state = machine_state(view(), NOON, faults=Faults(2, "water on the floor"))
    assert (state.fault_reports, state.fault_text) == (2, "water on the floor")
    assert machine_state(view(), NOON).fault_text is None


def test_nobody_can_read_who() -> None:
    assert "owner" not in machine_state(view(), NOON, Measured(1.0)).model_dump_json()


def test_a_change_is_due_at_once_and_at_both_brokers() -> None:
    board = StateBoard()
    board.changed("w1")
    assert board.due_room(0) == ["w1"]
    assert board.due_cloud() == ["w1"]
    assert board.due_room(0) == []
    assert board.due_cloud() == []


def test_a_measurement_waits_and_never_goes_to_the_cloud() -> None:
    board = StateBoard()
    board.changed("w1")
    board.due_room(0)
    board.due_cloud()
    board.measured("w1", Measured(5.0))
    assert board.due_room(MEASURED_INTERVAL_S - 0.1) == []
    assert board.due_room(MEASURED_INTERVAL_S) == ["w1"]
    assert board.due_cloud() == []
    assert board.measurement("w1") == Measured(5.0)


def test_a_broker_that_is_new_to_us_gets_everything() -> None:
    board = StateBoard()
    board.all_changed({"w1": 0, "w2": 0}, at_cloud=True)
    assert board.due_room(0) == []
    assert board.due_cloud() == ["w1", "w2"]
    board.all_changed({"w1": 0}, at_cloud=False)
    assert board.due_room(0) == ["w1"]


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 8)), max_size=60))
def test_measurements_alone_are_published_once_in_the_interval(
    steps: list[tuple[bool, float]],
) -> None:
    board, now_s = StateBoard(), 0.0
    last_s, due_s = None, None
    for is_change, wait_s in steps:
        now_s += wait_s
        if is_change:
            board.changed("w1")
        else:
            board.measured("w1", Measured(now_s))
            due_s = now_s if due_s is None else due_s
        if board.due_room(now_s):
            assert is_change or last_s is None or now_s - last_s >= MEASURED_INTERVAL_S
            last_s, due_s = now_s, None
        else:
            assert not is_change
            # Nothing is forgotten: it waits, but not longer than the interval.
            assert last_s is not None
            assert now_s - last_s < MEASURED_INTERVAL_S


def test_minutes_that_nobody_measures_are_counted_down_once_a_minute() -> None:
    board = StateBoard()
    board.changed("timer")
    assert board.due_room(0, ["timer"]) == ["timer"]
    assert board.due_room(COUNTED_INTERVAL_S - 0.1, ["timer"]) == []
    assert board.due_room(COUNTED_INTERVAL_S, ["timer"]) == ["timer"]
    assert board.due_room(COUNTED_INTERVAL_S + 1, ["timer"]) == []
    assert board.due_room(3 * COUNTED_INTERVAL_S, []) == []
