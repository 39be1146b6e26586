"""What others see of the room: everybody the machines, a resident what is theirs, the relay the owners."""

from __future__ import annotations

from edge.room.records import HELD, MachineRecord, RoomState
from laundryd.wire.events import Waiting
from laundryd.wire.frames import Mine, MyClaim, MyMachine, MyWatch
from laundryd.wire.ids import Position, ResidentId, RoomKey, Run, Slug
from laundryd.wire.machines import MachineView, RoomSnapshot
from laundryd.wire.phases import Sensor
from laundryd.wire.times import Moment


def view(record: MachineRecord) -> MachineView:
    """Return what anybody may see of ``record``: whether it has an owner, never who."""
    return MachineView(
        machine=record.machine,
        kind=record.kind,
        name=record.name,
        phase=record.phase,
        since=record.since,
        sensor=record.sensor,
        silent_since=record.sensor_since if record.sensor is Sensor.SILENT else None,
        has_owner=record.owner is not None,
        held_until=record.held_until,
        started_at=record.started_at,
        ends_at=record.ends_at,
        ends_confidence=record.ends_confidence,
        ended_at=record.ended_at,
        programme=record.programme,
        pickup_requested_at=record.pickup_requested_at,
        owner_coming_at=record.owner_coming_at,
        fault_reported_at=record.faults[-1].at if record.faults else None,
    )


def snapshot(
    state: RoomState,
    *,
    room: RoomKey,
    name: str,
    position: Position,
    at: Moment,
    durable: bool,
    run: Run | None = None,
) -> RoomSnapshot:
    """Return the whole room. ``position`` must have been taken before ``state`` was read.

    ``run`` is that of the store; None: the room is shown to nobody who comes back with it.
    """
    return RoomSnapshot(
        room=room,
        name=name,
        position=position,
        at=at,
        durable=durable,
        machines=[view(record) for record in state.machines.values()],
        programmes=list(state.programmes),
        run=run,
    )


def mine(state: RoomState, room: RoomKey, resident: ResidentId) -> Mine:
    """Return everything in the room that is ``resident``'s: laundry, claims, and what they wait for."""
    owned = [record for record in state.machines.values() if record.owner == resident]
    return Mine(
        machines=[
            MyMachine(room=room, machine=record.machine)
            for record in owned
            if record.phase not in HELD
        ],
        claims=[
            MyClaim(room=room, machine=record.machine, held_until=record.held_until)
            for record in owned
            if record.held_until is not None
        ],
        watches=[
            MyWatch(room=room, kind=watch.kind, told_until=watch.told_until)
            for watch in state.waits.watches
            if watch.resident == resident
        ],
        pickup_muted=[room] if resident in state.waits.muted else [],
    )


def owners(state: RoomState) -> dict[Slug, ResidentId]:
    """Return who owns what, for the relay alone."""
    return {
        record.machine: record.owner
        for record in state.machines.values()
        if record.owner is not None
    }


def waiting(state: RoomState) -> list[Waiting]:
    """Return what everybody waits for, for the relay alone."""
    return [state.waits.of(resident) for resident in state.waits.residents()]
