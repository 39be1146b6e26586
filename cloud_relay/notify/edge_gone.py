"""Telling residents that their machine is not seen any more: its room's computer has not been heard.

The one notice beside announcements that the relay originates: nobody else can. While the relay itself
has no broker it hears no room, and says the same, since for the resident it is the same.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NoReturn, Protocol

import aiosqlite

from cloud_relay.notify.planner import Planner, Told
from cloud_relay.rooms.state import RoomState
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.wire.ids import ResidentId, RoomKey
from laundryd.wire.machines import EdgeStatus
from laundryd.wire.notices import Notice, NoticeKind, derive
from laundryd.wire.phases import Phase

log = logging.getLogger(__name__)

GONE_AFTER: Final = timedelta(minutes=10)
"""Room time without a word until it is told: a reboot, or an evening's bad network, is shorter."""
LOOK_EVERY_S: Final = 15.0
"""Real seconds between two looks at all rooms: some microseconds each."""
NAMES_MAX_CHARS: Final = 80


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


def gone_notices(
    state: RoomState, edge: EdgeStatus, now: datetime, listening_since: datetime
) -> list[Notice]:
    """Return what the owners of running machines are told; times are room time.

    One notice a resident, about all their machines there. The same outage gives the same ids, since
    nothing is heard of the room in it.
    """
    gone_since = max(edge.since, listening_since)
    if edge.online or state.position is None or now - gone_since < GONE_AFTER:
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
            position=state.position,
            machine=slugs[0],
            resident=owner,
            params={"name": _names(state.machines[slug].name for slug in slugs)},
            at=gone_since + GONE_AFTER,
        )
        for owner, slugs in running.items()
    ]


class EdgeWatch:
    """Looks at all rooms now and then; ``run`` it as a task."""

    def __init__(
        self, db: aiosqlite.Connection, clock: Clock, *, rooms: KnownRooms, planner: Planner
    ) -> None:
        self._db, self._clock, self._rooms, self._planner = db, clock, rooms, planner
        self._said: set[RoomKey] = set()
        # A room that was heard by the relay's last life alone is not said to be gone since then.
        self._listening_since = clock.now()

    async def run(self) -> NoReturn:
        """Look for ever. Safe to cancel: a notice is kept with its plan, or looked at again."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except sqlite3.Error:
                log.exception("whose room is gone cannot be told yet")

    async def look(self) -> None:
        """Tell what is to be told now, and take back what is not true any more."""
        now = self._clock.now()
        for room in self._rooms.enrolled():
            state, edge = self._rooms.state(room), self._rooms.edge(room)
            if state is None:
                continue
            told = Told()
            if edge.online:
                if room not in self._said:
                    continue
                async with transaction(self._db) as db:
                    await self._planner.take_back(db, room, NoticeKind.EDGE_GONE, told)
                self._said.discard(room)
            elif notices := gone_notices(state, edge, now, self._listening_since):
                async with transaction(self._db) as db:
                    await self._planner.plan(db, notices, told)
                self._said.add(room)
            self._planner.tell(told)


def _names(names: Iterable[str]) -> str:
    text = ", ".join(names)
    return text if len(text) <= NAMES_MAX_CHARS else f"{text[: NAMES_MAX_CHARS - 1]}…"
