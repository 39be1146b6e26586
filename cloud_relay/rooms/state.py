"""One room as the relay keeps it, pure: a snapshot replaces it, an entry changes one machine of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from laundryd.wire.events import Entry, PublicEvent, Waiting
from laundryd.wire.frames import MyClaim, MyMachine, MyWatch
from laundryd.wire.ids import Offset, Position, ResidentId, RoomKey, Run, Slug
from laundryd.wire.machines import EdgeStatus, MachineView, Programme, RoomSnapshot
from laundryd.wire.phases import Cause, Phase
from laundryd.wire.uplink import UpSnapshot

HELD_PHASES = frozenset({Phase.CLAIMED, Phase.ARRIVED})
USED_PHASES = frozenset({Phase.IN_USE, Phase.FINISHED})


@dataclass(frozen=True, slots=True)
class RoomState:
    """What the relay keeps of one room. Immutable: a transaction that fails leaves the old one.

    ``position`` None: the room's edge has not been heard yet. ``floor`` is the offset that the journal
    begins after: a client that stands before it gets a snapshot. ``heard_at`` is room time. ``waiting``
    has those alone of whom there is something to say. ``run`` of the edge's store wrote the entry at
    ``position``; None: not known. ``run_heads``: by number of the relay's own run, oldest first, where
    the journal stood in this epoch when that run first wrote to it.
    """

    room: RoomKey
    name: str
    heard_at: datetime
    position: Position | None = None
    run: Run | None = None
    floor: int = 0
    durable: bool = True
    local_url: str | None = None
    machines: Mapping[Slug, MachineView] = field(default_factory=dict)
    owners: Mapping[Slug, ResidentId] = field(default_factory=dict)
    waiting: Mapping[ResidentId, Waiting] = field(default_factory=dict)
    programmes: tuple[Programme, ...] = ()
    run_heads: tuple[tuple[int, Offset], ...] = ()

    def snapshot(
        self, at: datetime, edge: EdgeStatus, run: Run | None = None
    ) -> RoomSnapshot | None:
        """Return the room as residents may see it, or None when its edge was never heard.

        ``run`` is the relay's own; None: the room is shown to nobody who comes back with it.
        """
        if self.position is None:
            return None
        return RoomSnapshot(
            room=self.room,
            name=self.name,
            position=self.position,
            at=at,
            edge=edge,
            durable=self.durable,
            machines=list(self.machines.values()),
            programmes=list(self.programmes),
            run=run,
        )

    def claims_of(self, resident: ResidentId) -> list[MyClaim]:
        """Return the machines of this room that are held for ``resident``."""
        return [
            MyClaim(room=self.room, machine=view.machine, held_until=view.held_until)
            for view in self._owned(resident)
            if view.phase in HELD_PHASES and view.held_until is not None
        ]

    def machines_of(self, resident: ResidentId) -> list[MyMachine]:
        """Return the machines of this room that run with, or hold, the laundry of ``resident``."""
        return [
            MyMachine(room=self.room, machine=view.machine)
            for view in self._owned(resident)
            if view.phase in USED_PHASES
        ]

    def watches_of(self, resident: ResidentId) -> list[MyWatch]:
        """Return the kinds of machine that ``resident`` waits for in this room."""
        waiting = self.waiting.get(resident)
        return [
            MyWatch(room=self.room, kind=kind, told_until=told_until)
            for kind, told_until in (waiting.watches.items() if waiting else ())
        ]

    def is_pickup_muted(self, resident: ResidentId) -> bool:
        """Say whether ``resident`` takes no requests to collect in this room."""
        waiting = self.waiting.get(resident)
        return waiting is not None and waiting.pickup_muted

    def residents(self) -> frozenset[ResidentId]:
        """Return everybody who has something in this room."""
        return frozenset(self.owners.values()) | frozenset(self.waiting)

    def _owned(self, resident: ResidentId) -> Iterable[MachineView]:
        return (view for slug, view in self.machines.items() if self.owners.get(slug) == resident)


@dataclass(frozen=True, slots=True)
class Change:
    """What entries or a snapshot did to a room.

    ``events`` are those to broadcast, in order. ``touched`` are the residents for whom something of
    their own may have changed; ``waiting`` those of them who wait for something
    else than before. ``replaced``: clients must fetch the room, no event leads to this state.
    """

    state: RoomState
    events: tuple[PublicEvent, ...] = ()
    touched: frozenset[ResidentId] = frozenset()
    waiting: frozenset[ResidentId] = frozenset()
    replaced: bool = False


def apply_entries(state: RoomState, entries: Iterable[Entry], heard_at: datetime) -> Change:
    """Apply consecutive ``entries`` that follow ``state.position`` directly.

    Raises:
        ValueError: an entry does not follow the one before it.

    """
    machines, owners, waiting = dict(state.machines), dict(state.owners), dict(state.waiting)
    events: list[PublicEvent] = []
    touched: set[ResidentId] = set()
    waited: set[ResidentId] = set()
    position, run = state.position, state.run
    for entry in entries:
        if position is None or entry.position != Position(
            epoch=position.epoch, offset=position.offset + 1
        ):
            raise ValueError(f"{state.room}: entry {entry.position} does not follow {position}")
        position, run = entry.position, entry.run
        if entry.waiting is not None:
            waiting.pop(entry.waiting.resident, None)
            waiting.update(_said([entry.waiting]))
            waited.add(entry.waiting.resident)
        if entry.event is None:
            continue
        slug = entry.event.machine.machine
        machines[slug] = entry.event.machine
        touched.update(who for who in (owners.pop(slug, None), entry.owner) if who is not None)
        if entry.owner is not None:
            owners[slug] = entry.owner
        events.append(entry.event)
    after = replace(
        state,
        machines=machines,
        owners=owners,
        waiting=waiting,
        position=position,
        run=run,
        heard_at=heard_at,
    )
    return Change(after, tuple(events), frozenset(touched | waited), frozenset(waited))


def _said(told: Iterable[Waiting]) -> dict[ResidentId, Waiting]:
    return {one.resident: one for one in told if one.watches or one.pickup_muted}


def apply_snapshot(state: RoomState, body: UpSnapshot, heard_at: datetime) -> Change:
    """Put the whole room in the place of what was kept; the journal begins anew after it."""
    snapshot = body.snapshot
    machines = {view.machine: view for view in snapshot.machines}
    after = replace(
        state,
        name=snapshot.name,
        position=snapshot.position,
        run=body.run,
        floor=snapshot.position.offset,
        durable=snapshot.durable,
        machines=machines,
        owners={slug: who for slug, who in body.owners.items() if slug in machines},
        waiting=_said(body.waiting),
        programmes=tuple(snapshot.programmes),
        heard_at=heard_at,
    )
    waited = frozenset(state.waiting) | frozenset(after.waiting)
    return Change(after, (), state.residents() | after.residents(), waited, replaced=True)


def gap_marker(state: RoomState) -> PublicEvent | None:
    """Make the event that sends every client behind ``state`` to fetch the room after a snapshot.

    It follows its own offset, which no position before it satisfies: by the client's rule that is a
    gap. Clients that are there already ignore it. It is broadcast, and never kept in the journal. None
    for a room without machines, or never heard: its clients have nothing to fetch.
    """
    view = next(iter(state.machines.values()), None)
    if view is None or state.position is None:
        return None
    return PublicEvent(
        room=state.room,
        epoch=state.position.epoch,
        offset=state.position.offset,
        follows=state.position.offset,
        at=state.heard_at,
        cause=Cause.SENSOR_CHANGED,
        machine=view,
    )
