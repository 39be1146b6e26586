from __future__ import annotations

from edge.room.view import mine, owners, snapshot
from laundryd.wire.ids import Position
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
