"""What a set clock does to the room: every moment that is kept moves with it. Pure.

So what was to happen in ten minutes is still to happen in ten minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar, cast

from edge.room.decision import Accepted, Change, WaitChange
from edge.room.records import MachineRecord, RoomState
from edge.room.view import view
from edge.room.waits import Waits
from laundryd.wire.phases import Cause

T = TypeVar("T")


def clock_set(state: RoomState, shift: timedelta) -> Accepted:
    """Move the whole room by ``shift``, which may be negative.

    Who sees a machine counts down to its times: where one is shown, the machine is told anew, as
    ``sensor_changed``, the cause that changes no phase. ``since`` alone is no reason to tell.
    """
    changes = tuple(
        told_anew(before, moved(before, shift), None) for before in state.machines.values()
    )
    if state.waits == Waits():
        return Accepted(changes)
    waits = moved(state.waits, shift)
    told = sorted({one.resident for one in waits.watches if one.told_until is not None})
    return Accepted(changes, waits, tuple(WaitChange(resident) for resident in told))


def told_anew(before: MachineRecord, after: MachineRecord, cause: Cause | None) -> Change:
    """Return the change to ``after`` with ``cause``, or ``sensor_changed`` where its times are shown."""
    is_seen = view(replace(after, since=before.since)) != view(before)
    return Change(after, Cause.SENSOR_CHANGED if cause is None and is_seen else cause)


def moved(kept: T, shift: timedelta) -> T:
    """Return ``kept`` with every moment in it moved: in its fields, its lists, their records."""
    return cast("T", _moved(kept, shift))


def _moved(value: object, shift: timedelta) -> object:
    if isinstance(value, datetime):
        return value + shift
    if isinstance(value, tuple):
        return tuple(_moved(one, shift) for one in value)
    if isinstance(value, Mapping):
        return {key: _moved(one, shift) for key, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changes = {field.name: _moved(getattr(value, field.name), shift) for field in fields(value)}
        return replace(value, **changes)
    return value
