from __future__ import annotations

from edge.room.view import mine, owners, snapshot, view
from laundryd.wire.ids import Position
from laundryd.wire.phases import Sensor
from tests.edge.room.driver import RoomDriver

ROOM = "maple-hall.basement"


def test_a_snapshot_shows_that_there_is_an_owner_and_never_who() -> None:
    room = RoomDriver()
    room.say("resident-anna", "start")
    shown = snapshot(
        room.state,
        room=ROOM,
        name="Basement",
        position=Position(epoch="e", offset=1),
        at=room.now,
        durable=True,
    )
    assert [found.has_owner for found in shown.machines] == [True, False, False, False]
    assert "resident-anna" not in shown.model_dump_json()
    assert owners(room.state) == {"w1": "resident-anna"}


def test_mine_has_machines_and_claims_of_this_resident_alone() -> None:
    room = RoomDriver()
    room.say("anna", "start", "w1")
    room.say("anna", "claim", "w2")
    room.say("ben", "claim", "d1")
    told = mine(room.state, ROOM, "anna")
    assert [found.machine for found in told.machines] == ["w1"]
    assert [(found.machine, found.held_until) for found in told.claims] == [("w2", room.minute(10))]


def test_since_when_a_plug_is_silent_is_shown_while_it_is() -> None:
    room = RoomDriver()
    assert room.record("w1").sensor is Sensor.OK
    assert view(room.record("w1")).silent_since is None
    room.at(7).hear(Sensor.SILENT)
    assert view(room.at(10).record("w1")).silent_since == room.minute(7)
