"""Lets announcements go when they are due, each once, and keeps what every room shows."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NoReturn

import aiosqlite

from cloud_relay.announce import store
from cloud_relay.announce.schedule import Going, going
from cloud_relay.announce.writing import KnownRooms
from cloud_relay.notify.planner import Planner, Told
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.wire.announcements import (
    SHOWN_MAX,
    ShownAnnouncement,
    announcement_notice,
    occurrence_id,
)
from laundryd.wire.ids import RoomKey
from laundryd.wire.notices import Lang

log = logging.getLogger(__name__)

LOOK_AGAIN_S: Final = 5.0
"""Real seconds after which what another process wrote, the command line say, is seen at the latest."""


class AnnouncementKeeper:
    """Keeps announcements going; ``run`` it as a task.

    ``on_shown`` hears of each room in which something else is shown now.
    """

    def __init__(
        self,
        db: aiosqlite.Connection,
        clock: Clock,
        *,
        rooms: KnownRooms,
        planner: Planner,
        on_shown: Callable[[RoomKey], None],
    ) -> None:
        self._db, self._clock, self._rooms, self._planner = db, clock, rooms, planner
        self._on_shown = on_shown
        self._shown: dict[RoomKey, tuple[ShownAnnouncement, ...]] = {}
        self._wake = asyncio.Event()

    def shown(self, room: RoomKey) -> Sequence[ShownAnnouncement]:
        """Return what is shown in ``room`` now, newest first."""
        now = self._clock.now()
        return [one for one in self._shown.get(room, ()) if one.until > now]

    def changed(self) -> None:
        """Look soon: something was written, edited or cancelled."""
        self._wake.set()

    async def run(self) -> NoReturn:
        """Let go what is due, for ever. Safe to cancel: what is due stands in the database."""
        pruned_on = None
        while True:
            self._wake.clear()
            wait_s = LOOK_AGAIN_S
            try:
                await self.look()
                wait_s = await self._until_next_s()
                if pruned_on != self._clock.now().date():
                    async with transaction(self._db) as db:
                        await store.prune(db, self._clock.now())
                    pruned_on = self._clock.now().date()
            except sqlite3.Error as error:
                log.error("announcements: the database failed: %s; trying again", error)  # noqa: TRY400 -- no traceback for a full disk
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Let go what is due, take back what was cancelled, and show in each room what is to be shown."""
        now = self._clock.now()
        for kept in await store.due(self._db, now):
            await self._go(kept.id, now)
        await self._take_back(now)
        occurrences = await store.shown(self._db, now)
        for room in self._rooms.enrolled():
            shown = tuple(shown_of(one) for one in occurrences if one.body.target.covers(room))[
                :SHOWN_MAX
            ]
            if shown != self._shown.get(room, ()):
                self._shown[room] = shown
                self._on_shown(room)

    async def _go(self, announcement: str, now: datetime) -> None:
        """Let one go: its occurrence, its residents' notices and its next moment, all or nothing."""
        told = Told()
        async with transaction(self._db) as db:
            # Read again: staff may have edited or cancelled it since.
            kept = await store.one(db, announcement)
            if kept is None or kept.next_at is None:
                return
            goes = going(kept.body, kept.next_at, now)
            if goes is None:
                return
            occurrence = occurrence_of(kept, goes)
            # A clock that was set back may bring the same moment again: that must hold up no other one.
            is_new = await store.insert_occurrence(db, occurrence)
            await store.set_next(db, kept.id, goes.next_at)
            if is_new and not goes.missed:
                await self._tell(db, occurrence, told)
        self._planner.tell(told)
        log.info(
            "announcement %s %s", kept.id, "was due while we were away" if goes.missed else "goes"
        )

    async def _tell(
        self, db: aiosqlite.Connection, occurrence: store.Occurrence, told: Told
    ) -> None:
        target = occurrence.body.target
        rooms = [room for room in self._rooms.enrolled() if target.covers(room)]
        shown = shown_of(occurrence)
        notices = [
            announcement_notice(
                shown, room=room, resident=resident, silent=not occurrence.body.sound
            )
            for resident, room in (await store.addressed(db, rooms)).items()
        ]
        await self._planner.plan(db, notices, told)
        await store.insert_notices(db, occurrence.id, [one.id for one in notices])

    async def _take_back(self, now: datetime) -> None:
        notices = await store.unsaid_of_cancelled(self._db, now)
        if not notices:
            return
        told = Told()
        async with transaction(self._db) as db:
            await self._planner.withdraw(db, notices, told)
        self._planner.tell(told)

    async def _until_next_s(self) -> float:
        now = self._clock.now()
        at = await store.next_moment(self._db, now)
        if at is None:
            return LOOK_AGAIN_S
        return min(max((at - now).total_seconds() / self._clock.speed, 0.0), LOOK_AGAIN_S)


def occurrence_of(kept: store.Kept, goes: Going) -> store.Occurrence:
    """Describe what goes; it is shown as long as its body says, from the moment it was due."""
    return store.Occurrence(
        id=occurrence_id(kept.id, goes.at),
        announcement=kept.id,
        due_at=goes.at,
        until=goes.at + kept.body.shown_for,
        missed=goes.missed,
        body=kept.body,
    )


def shown_of(occurrence: store.Occurrence) -> ShownAnnouncement:
    """Describe what residents see of an occurrence."""
    body = occurrence.body
    return ShownAnnouncement(
        id=occurrence.id,
        kind=body.kind,
        machine=body.target.machine,
        texts={lang: body.text(lang) for lang in Lang},
        urgent=body.urgent,
        since=occurrence.due_at,
        until=occurrence.until,
    )
