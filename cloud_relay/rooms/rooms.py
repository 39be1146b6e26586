"""All rooms: read from memory, written through to SQLite, the same after a restart."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

import aiosqlite

from cloud_relay.errors import RoomExistsError
from cloud_relay.rooms import store
from cloud_relay.rooms.runs import Runs
from cloud_relay.rooms.state import Change, RoomState, apply_entries, apply_snapshot
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.wire.events import Entry, PublicEvent
from laundryd.wire.frames import Mine
from laundryd.wire.ids import PagePosition, Position, ResidentId, RoomKey, Run
from laundryd.wire.machines import EdgeStatus, RoomSnapshot
from laundryd.wire.uplink import UpSnapshot


class Rooms:
    """The rooms of this relay. ``await load()`` first.

    What is read here is always committed: a change is written by ``write_*`` inside a transaction and
    becomes visible by ``commit`` after it.
    """

    def __init__(self, db: aiosqlite.Connection, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._states: dict[RoomKey, RoomState] = {}
        self._edges: dict[RoomKey, EdgeStatus] = {}
        self._heard: dict[RoomKey, datetime] = {}
        """When rooms were heard last, as far as that is not kept yet."""
        self._rooms_of: dict[ResidentId, set[RoomKey]] = defaultdict(set)
        self._runs: Runs | None = None

    async def load(self) -> None:
        """Read every room. Edges count as offline, since they were last heard, until heard again."""
        for state in await store.load_rooms(self._db):
            self._take(state)

    async def begin_run(self) -> None:
        """Go on from here as the one relay that serves; who only looks in, or enrols, leaves it out."""
        self._runs = await Runs.begin(self._db)

    async def enroll(self, room: RoomKey, name: str) -> None:
        """Let ``room`` speak to this relay.

        Raises:
            RoomExistsError: it is enrolled already.

        """
        async with transaction(self._db) as db:
            new = await store.insert_room(db, room, name, self._clock.now())
        if not new:
            raise RoomExistsError(f"room {room} is enrolled already; choose another name for it")
        await self.known(room)

    async def known(self, room: RoomKey) -> bool:
        """Say whether ``room`` is enrolled, also when another process enrolled it since the start."""
        if room not in self._states:
            for state in await store.load_rooms(self._db, room):
                # Somebody who asked at the same time may have read it first, and it may be further by now.
                if room not in self._states:
                    self._take(state)
        return room in self._states

    def enrolled(self) -> list[RoomKey]:
        """Name every enrolled room that was loaded, in order."""
        return sorted(self._states)

    def name(self, room: RoomKey) -> str | None:
        """Return the room's display name; None for an unknown room."""
        state = self._states.get(room)
        return state.name if state else None

    def local_url(self, room: RoomKey) -> str | None:
        """Return the address of the room's own page; None when unknown."""
        state = self._states.get(room)
        return state.local_url if state else None

    def position(self, room: RoomKey) -> Position | None:
        """Return how far the room's journal is kept; None when its edge was never heard."""
        state = self._states.get(room)
        return state.position if state else None

    @property
    def own_run(self) -> Run | None:
        """Name this opening of the relay's database; None before ``begin_run``."""
        return self._runs.present if self._runs else None

    def is_same_past(self, room: RoomKey, position: PagePosition) -> bool:
        """Say whether what is kept of ``room``, in its present epoch, went through ``position``."""
        state = self._states.get(room)
        if state is None or self._runs is None:
            return position.run is None
        return self._runs.is_same_past(state, position)

    def run(self, room: RoomKey) -> Run | None:
        """Return which run of the edge's store wrote the entry at ``position``; None when unknown."""
        state = self._states.get(room)
        return state.run if state else None

    def edge(self, room: RoomKey) -> EdgeStatus:
        """Return whether the room's edge is heard, and since when.

        Raises:
            KeyError: the room is unknown.

        """
        return self._edges[room]

    def state(self, room: RoomKey) -> RoomState | None:
        """Return all that is kept of the room, also whose its machines are; None when unknown."""
        return self._states.get(room)

    def snapshot(self, room: RoomKey) -> RoomSnapshot | None:
        """Return the room as residents may see it; None when unknown, or when its edge was never heard."""
        state = self._states.get(room)
        if state is None:
            return None
        return state.snapshot(self._clock.now(), self._edges[room], self.own_run)

    def looks(self, room: RoomKey) -> tuple[RoomState, EdgeStatus] | None:
        """Return all that a room's snapshot shows; None for an unknown room.

        Both are replaced, never changed: who has the same two objects as before has the same room.
        """
        state = self._states.get(room)
        return (state, self._edges[room]) if state else None

    def mine(self, resident: ResidentId) -> Mine:
        """Return everything that is this resident's, over all rooms."""
        states = [self._states[room] for room in sorted(self._rooms_of.get(resident, ()))]
        return Mine(
            machines=[mine for state in states for mine in state.machines_of(resident)],
            claims=[mine for state in states for mine in state.claims_of(resident)],
            watches=[mine for state in states for mine in state.watches_of(resident)],
            pickup_muted=[state.room for state in states if state.is_pickup_muted(resident)],
        )

    async def since(
        self, room: RoomKey, position: Position, limit: int
    ) -> list[PublicEvent] | None:
        """Return the first ``limit`` public events after ``position``, or None when they are not kept.

        None: another epoch, or a position before the journal or from the future.
        """
        if not self._reaches(room, position):
            return None
        # In a transaction of its own: one connection sees what another task has not committed yet, and
        # a snapshot being written would look like a journal in which nothing was missed.
        async with transaction(self._db) as db:
            if not self._reaches(room, position):
                return None
            return await store.events_after(db, room, position.offset, limit)

    def _reaches(self, room: RoomKey, position: Position) -> bool:
        state = self._states.get(room)
        if state is None or state.position is None or state.position.epoch != position.epoch:
            return False
        return state.floor <= position.offset <= state.position.offset

    async def write_entries(
        self, db: aiosqlite.Connection, room: RoomKey, entries: tuple[Entry, ...]
    ) -> Change:
        """Apply entries that follow the room's position, inside the caller's transaction."""
        before = self._states[room]
        return await self._write(db, before, apply_entries(before, entries, self._clock.now()))

    async def write_snapshot(self, db: aiosqlite.Connection, body: UpSnapshot) -> Change | None:
        """Replace the room, inside the caller's transaction; None when the snapshot is an older one.

        Whether its epoch was left for good is ``is_past_epoch``'s to say, before.
        """
        before = self._states[body.snapshot.room]
        new = body.snapshot.position
        kept = before.position
        if kept is not None and kept.epoch == new.epoch and new.offset < kept.offset:
            return None
        return await self._write(db, before, apply_snapshot(before, body, self._clock.now()))

    async def _write(self, db: aiosqlite.Connection, before: RoomState, change: Change) -> Change:
        after = await store.write_change(db, before, change)
        if self._runs is not None:
            after = await self._runs.note(db, before, after)
        return replace(change, state=after)

    def commit(self, change: Change) -> None:
        """Make a change visible, after its transaction was committed."""
        self._take(change.state)

    async def is_past_epoch(self, room: RoomKey, epoch: str) -> bool:
        """Say whether the room was in ``epoch`` and has left it; no edge ever goes back to one."""
        return await store.is_past_epoch(self._db, room, epoch)

    async def heard(self, room: RoomKey, local_url: str | None, *, durable: bool) -> None:
        """Note what an edge said of itself in its hello; nothing changes when it says what it said before."""
        self._heard[room] = self._clock.now()
        state = self._states[room]
        if (state.local_url, state.durable) == (local_url, durable):
            # The same state stays: who has encoded it need not do so again at each sign of life.
            return
        after = replace(state, local_url=local_url, durable=durable, heard_at=self._clock.now())
        async with transaction(self._db) as db:
            await store.write_head(db, after)
        self._take(after)

    async def keep_heard(self) -> None:
        """Keep when rooms were heard last, all in one commit: the next life says it of those that are gone.

        Call it now and then; each hello by itself would cost a write.

        Raises:
            sqlite3.Error: it could not be kept; the next call keeps it.

        """
        heard = dict(self._heard)
        if not heard:
            return
        async with transaction(self._db) as db:
            await store.write_heard(db, heard)
        self._heard = {room: at for room, at in self._heard.items() if heard.get(room) != at}

    def set_edge(self, room: RoomKey, *, online: bool) -> EdgeStatus | None:
        """Note that the room's edge came or went; None when nothing changed."""
        if self._edges[room].online == online:
            return None
        self._edges[room] = EdgeStatus(online=online, since=self._clock.now())
        return self._edges[room]

    def clock_set(self, shift: timedelta) -> None:
        """Take note that room time was set by ``shift``: since when an edge is there or gone moves too."""
        for room, edge in self._edges.items():
            self._edges[room] = EdgeStatus(online=edge.online, since=edge.since + shift)
        self._heard = {room: at + shift for room, at in self._heard.items()}

    def _take(self, state: RoomState) -> None:
        before = self._states.get(state.room)
        for resident in before.residents() if before else ():
            self._rooms_of[resident].discard(state.room)
            if not self._rooms_of[resident]:
                del self._rooms_of[resident]
        for resident in state.residents():
            self._rooms_of[resident].add(state.room)
        self._states[state.room] = state
        self._edges.setdefault(state.room, EdgeStatus(online=False, since=state.heard_at))
