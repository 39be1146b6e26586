"""Telling residents that their machine is not seen any more: its room's computer has not been heard.

The relay originates it, as nobody else can. While the relay itself
has no broker it hears no room, and says the same, since for the resident it is the same.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NoReturn, Protocol

import aiosqlite

from cloud_relay.notify import outages
from cloud_relay.notify.outages import Outage
from cloud_relay.notify.planner import Planner, Told
from cloud_relay.notify.store import to_ms
from cloud_relay.rooms.state import RoomState
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.wire.ids import Position, ResidentId, RoomKey
from laundryd.wire.machines import EdgeStatus
from laundryd.wire.notices import Notice, NoticeKind, derive
from laundryd.wire.phases import Phase
from laundryd.wire.uplink import LEASE_S

log = logging.getLogger(__name__)

GONE_AFTER: Final = timedelta(minutes=10)
"""Room time without a word until it is told: a reboot, or an evening's bad network, is shorter."""
LOOK_EVERY_S: Final = 15.0
"""Real seconds between two looks at all rooms: some microseconds each."""
NAMES_MAX_CHARS: Final = 80
OUTAGES: Final = "outage"
"""What stands in the place of an epoch in the cause of our notices; the outage's beginning is the offset."""


class KnownRooms(Protocol):
    """What is read of the rooms."""

    def enrolled(self) -> list[RoomKey]:
        """Name every room."""
        ...

    def state(self, room: RoomKey) -> RoomState | None:
        """Return what is kept of a room; None when unknown."""
        ...

    def edge(self, room: RoomKey) -> EdgeStatus:
        """Return whether the room's edge is heard, and since when."""
        ...


def gone_notices(state: RoomState, outage: Outage, now: datetime) -> list[Notice]:
    """Return what the owners of running machines are told at room time ``now``.

    One notice a resident, about all their machines there. Its cause is the outage, not an entry of the
    room's journal: two outages with nothing heard in between are two notices.
    """
    if outage.told or state.position is None or now - outage.since < GONE_AFTER:
        return []
    running: dict[ResidentId, list[str]] = {}
    for slug, view in state.machines.items():
        owner = state.owners.get(slug)
        if owner is not None and view.phase is Phase.IN_USE:
            running.setdefault(owner, []).append(slug)
    return [
        derive(
            NoticeKind.EDGE_GONE,
            room=state.room,
            position=Position(epoch=OUTAGES, offset=to_ms(outage.since)),
            machine=slugs[0],
            resident=owner,
            params={"name": _names(state.machines[slug].name for slug in slugs)},
            at=outage.since + GONE_AFTER,
        )
        for owner, slugs in running.items()
    ]


class EdgeWatch:
    """Looks at all rooms now and then; ``run`` it as a task.

    Outages are kept in the database: a restart of the relay begins none anew and ends none.
    """

    def __init__(
        self, db: aiosqlite.Connection, clock: Clock, *, rooms: KnownRooms, planner: Planner
    ) -> None:
        self._db, self._clock, self._rooms, self._planner = db, clock, rooms, planner
        self._outages: dict[RoomKey, Outage] | None = None
        # A room that was heard by the relay's last life alone is not said to be gone since then; and one
        # that was gone may have come back meanwhile, which it needs a moment to say.
        self._listening_since = clock.now()
        self._silent_until_s = clock.monotonic_s() + LEASE_S

    async def run(self) -> NoReturn:
        """Look for ever. Safe to cancel: a notice is kept with its plan, or looked at again."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except sqlite3.Error:
                log.exception("whose room is gone cannot be told yet")

    def clock_set(self, shift: timedelta) -> None:
        """Take note that room time was set by ``shift``, and kept outages with it."""
        self._listening_since += shift
        self._outages = None

    async def look(self) -> None:
        """Tell what is to be told now, and take back what is not true any more."""
        if self._outages is None:
            self._outages = await outages.load(self._db)
        known = self._outages
        rooms = [room for room in self._rooms.enrolled() if self._rooms.state(room) is not None]
        over = [room for room in rooms if room in known and self._was_heard(room, known[room])]
        if over:
            await self._end(known, over)
        begun = [room for room in rooms if room not in known and not self._rooms.edge(room).online]
        if begun:
            await self._begin(known, begun)
        if self._clock.monotonic_s() < self._silent_until_s:
            return
        for room in rooms:
            if self._outages is not known:
                return  # the clock was set meanwhile, and what is kept moved with it
            if room in known and not self._rooms.edge(room).online:
                await self._tell(known, room)

    def _was_heard(self, room: RoomKey, outage: Outage) -> bool:
        edge = self._rooms.edge(room)
        # Gone again since then: it was heard for a moment, between two looks.
        return edge.online or edge.since > outage.since

    async def _end(self, known: dict[RoomKey, Outage], over: list[RoomKey]) -> None:
        told = Told()
        async with transaction(self._db) as db:
            for room in over:
                if known[room].told:
                    await self._planner.take_back(db, room, NoticeKind.EDGE_GONE, told)
            await outages.end(db, over)
        for room in over:
            del known[room]
        self._planner.tell(told)

    async def _begin(self, known: dict[RoomKey, Outage], begun: list[RoomKey]) -> None:
        async with transaction(self._db) as db:
            new = {
                room: Outage(max(self._rooms.edge(room).since, self._listening_since))
                for room in begun
            }
            await outages.begin(db, new)
        known.update(new)

    async def _tell(self, known: dict[RoomKey, Outage], room: RoomKey) -> None:
        state = self._rooms.state(room)
        notices = gone_notices(state, known[room], self._clock.now()) if state else []
        if not notices:
            return
        told = Told()
        async with transaction(self._db) as db:
            await self._planner.plan(db, notices, told)
            await outages.mark_told(db, room)
        known[room] = replace(known[room], told=True)
        self._planner.tell(told)


def _names(names: Iterable[str]) -> str:
    text = ", ".join(names)
    return text if len(text) <= NAMES_MAX_CHARS else f"{text[: NAMES_MAX_CHARS - 1]}…"
