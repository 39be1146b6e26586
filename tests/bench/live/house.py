"""Who lives in the benchmark: 20 rooms with 100 residents each, and what their machines say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from laundryd.wire.events import Entry, PublicEvent
from laundryd.wire.ids import Position, RoomRef
from laundryd.wire.machines import MachineKind, MachineView, RoomSnapshot
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.uplink import UpEvents, UpHello, UpSnapshot

CLIENTS: Final = 2_000
ROOM_CLIENTS: Final = 100
ROOMS: Final = tuple(
    RoomRef(site="maple-hall", room=f"r{number}") for number in range(CLIENTS // ROOM_CLIENTS)
)
EPOCH: Final = "e1"
AT: Final = datetime.now(UTC)
"""Of today: what is older than a journal's age is replayed to nobody."""
MARK: Final = b'"cause"'
"""Stands once in each event, and nowhere else in any frame."""


def room_of(client: int) -> RoomRef:
    """Say where a client lives: neighbours come one after the other."""
    return ROOMS[client // ROOM_CLIENTS]


def _machine() -> MachineView:
    return MachineView(
        machine="washer-1",
        kind=MachineKind.WASHER,
        name="Washer 1",
        phase=Phase.IN_USE,
        since=AT,
        sensor=Sensor.OK,
        started_at=AT,
    )


def entry(room: RoomRef, offset: int) -> Entry:
    event = PublicEvent(
        room=room.key,
        epoch=EPOCH,
        offset=offset,
        follows=offset - 1,
        at=AT,
        cause=Cause.CYCLE_STARTED,
        machine=_machine(),
    )
    return Entry(epoch=EPOCH, offset=offset, event=event)


def events(room: RoomRef, after: int, count: int) -> bytes:
    """Write the next ``count`` events of ``room`` as its edge sends them up."""
    entries = [entry(room, after + number) for number in range(1, count + 1)]
    return UpEvents(entries=entries, caught_up=True).model_dump_json().encode()


def hello(room: RoomRef) -> UpHello:
    head = Position(epoch=EPOCH, offset=0)
    return UpHello(name=room.room, version="0", head=head, acked=0, durable=True, sent_at=AT)


def snapshot(room: RoomRef) -> UpSnapshot:
    return UpSnapshot(
        snapshot=RoomSnapshot(
            room=room.key,
            name=room.room,
            position=Position(epoch=EPOCH, offset=0),
            at=AT,
            machines=[_machine()],
        ),
        owners={},
        reason="new_epoch",
    )
