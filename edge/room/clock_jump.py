"""What a set clock does to the room: every moment that is kept moves with it. Pure.

So what was to happen in ten minutes is still to happen in ten minutes.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from edge.room.decision import Accepted, Change
from edge.room.records import MachineRecord, RoomState
from edge.room.view import view
from laundryd.wire.phases import Cause


def clock_set(state: RoomState, shift: timedelta) -> Accepted:
    """Move the whole room by ``shift``, which may be negative.

    Who sees a machine counts down to its times: where one is shown, the machine is told anew, as
    ``sensor_changed``, the cause that changes no phase. ``since`` alone is no reason to tell.
    """
    changes: list[Change] = []
    for before in state.machines.values():
        after = moved(before, shift)
        is_seen = view(replace(after, since=before.since)) != view(before)
        changes.append(Change(after, Cause.SENSOR_CHANGED if is_seen else None))
    return Accepted(tuple(changes))


def moved(record: MachineRecord, shift: timedelta) -> MachineRecord:
    """Return ``record`` with every moment in it moved, whichever fields it has."""
    # Any: whichever fields hold moments, those get moments again.
    moments: dict[str, Any] = {
        field.name: value + shift
        for field in fields(record)
        if isinstance(value := getattr(record, field.name), datetime)
    }
    return replace(record, **moments)
