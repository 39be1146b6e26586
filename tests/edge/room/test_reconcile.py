from __future__ import annotations

from edge.room.reconcile import MachineSetup, reconcile
from laundryd.wire.machines import MachineKind
from laundryd.wire.phases import Cause, Phase, Sensor
from tests.edge.room.driver import NOON, RoomDriver

W1 = MachineSetup("w1", MachineKind.WASHER, "W1", has_plug=True)
W2 = MachineSetup("w2", MachineKind.WASHER, "W2", has_plug=True)


def test_a_new_machine_is_free_silent_until_heard_and_told() -> None:
    found = reconcile([], [W1], NOON)
    record = found.state.machines["w1"]
    assert (record.phase, record.sensor) == (Phase.FREE, Sensor.SILENT)
    assert [change.cause for change in found.changes] == [Cause.SENSOR_CHANGED]


def test_a_kept_machine_goes_on_where_it_was_and_nobody_is_told() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    later = room.minute(60)
    found = reconcile([room.record("w1")], [W1], later)
    record = found.state.machines["w1"]
    assert (record.phase, record.owner) == (Phase.IN_USE, "anna")
    assert [change.cause for change in found.changes] == [None]
    assert record.sensor_since == later, "time away is no time without power"


def test_a_machine_that_left_the_settings_is_named_as_removed() -> None:
    room = RoomDriver()
    found = reconcile(room.state.machines.values(), [W2, W1], NOON)
    assert {record.machine for record in found.removed} == {"bare", "d1"}
    assert list(found.state.machines) == ["w2", "w1"]


def test_what_a_plug_expected_is_a_timers_word_when_the_plug_is_gone() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    room.end_expected(0, 40)
    bare = MachineSetup("w1", MachineKind.WASHER, "W1", has_plug=False)
    record = reconcile([room.record("w1")], [bare], NOON).state.machines["w1"]
    assert (record.ends_at, record.ends_confidence) == (room.minute(40), None)


def test_a_new_name_is_told_and_a_plug_that_went_away_leaves_the_timer() -> None:
    room = RoomDriver()
    room.cycle_starts(0)
    renamed = MachineSetup("w1", MachineKind.WASHER, "Left one", has_plug=False)
    found = reconcile([room.record("w1")], [renamed], NOON)
    record = found.state.machines["w1"]
    assert (record.name, record.sensor) == ("Left one", Sensor.NONE)
    assert record.plug_cycle_since is None
    assert record.phase is Phase.IN_USE
    assert [change.cause for change in found.changes] == [Cause.SENSOR_CHANGED]
