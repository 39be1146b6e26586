"""Writing, editing, cancelling and listing announcements. The keeper sees to what follows from it.

May run beside the relay: ``laundryd relay announce`` writes into the same database.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final, Protocol

import aiosqlite

from cloud_relay.announce import store
from cloud_relay.announce.schedule import next_after
from laundryd.daemon.clock import Clock
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.sqlite import transaction
from laundryd.wire.announcements import (
    Announcement,
    AnnouncementBody,
    AnnouncementCounts,
    AnnouncementId,
    AnnouncementState,
    Target,
)
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import RoomKey
from laundryd.wire.machines import RoomSnapshot

ID_BYTES: Final = 8


class KnownRooms(Protocol):
    """What is read of the rooms."""

    def enrolled(self) -> list[RoomKey]:
        """Name every room."""
        ...

    async def known(self, room: RoomKey) -> bool:
        """Say whether the room is enrolled, by this process or another."""
        ...

    def snapshot(self, room: RoomKey) -> RoomSnapshot | None:
        """Return the room as last heard; None when it was not yet."""
        ...


class Announcements:
    """Staff's announcements. Times are room time."""

    def __init__(self, db: aiosqlite.Connection, clock: Clock, rooms: KnownRooms) -> None:
        self._db, self._clock, self._rooms = db, clock, rooms

    async def write(self, author: str, body: AnnouncementBody) -> Announcement:
        """Keep a new announcement, which goes now or at its time.

        Raises:
            ProblemError: ``unknown_target``; ``invalid_body``: it would be over before it goes.

        """
        await self._check(body.target)
        now = self._clock.now()
        at, body = first_moment(body, now), _with_time_of_day(body, now)
        kept = store.Kept(
            id=secrets.token_hex(ID_BYTES),
            author=author,
            body=body,
            created_at=now,
            next_at=at,
            cancelled=False,
        )
        async with transaction(self._db) as db:
            await store.insert(db, kept)
        return described(kept, None, now)

    async def edit(self, announcement: AnnouncementId, body: AnnouncementBody) -> Announcement:
        """Put ``body`` in the place of what was written, before it goes; of a repeated one, before the next.

        Raises:
            ProblemError: ``unknown_announcement``, ``already_gone``, and those of ``write``.

        """
        await self._check(body.target)
        now = self._clock.now()
        at, body = first_moment(body, now), _with_time_of_day(body, now)
        async with transaction(self._db) as db:
            kept = await self._one(db, announcement)
            if kept.next_at is None:
                raise ProblemError(ErrorCode.ALREADY_GONE)
            await store.rewrite(db, announcement, body, at)
        return await self.one(announcement)

    async def cancel(self, announcement: AnnouncementId) -> Announcement:
        """Let it go no more; if it has gone, it is shown no more, and told to nobody who was not yet.

        Raises:
            ProblemError: ``unknown_announcement``; ``already_gone``: it is over.

        """
        now = self._clock.now()
        async with transaction(self._db) as db:
            kept = await self._one(db, announcement)
            last = (await store.last_of(db, [announcement])).get(announcement)
            if _state(kept, last, now) not in {
                AnnouncementState.SCHEDULED,
                AnnouncementState.SHOWN,
            }:
                raise ProblemError(ErrorCode.ALREADY_GONE)
            await store.cancel(db, announcement, now)
        return await self.one(announcement)

    async def one(self, announcement: AnnouncementId) -> Announcement:
        """Return one announcement.

        Raises:
            ProblemError: ``unknown_announcement``.

        """
        return (await self._described([await self._one(self._db, announcement)]))[0]

    async def listed(self) -> list[Announcement]:
        """Return the newest announcements, newest first, with what became of each."""
        return await self._described(await store.newest(self._db))

    async def _described(self, kept: list[store.Kept]) -> list[Announcement]:
        last = await store.last_of(self._db, [one.id for one in kept])
        counts = await store.counts(self._db, [one.id for one in last.values()])
        now = self._clock.now()
        return [
            described(
                one,
                gone := last.get(one.id),
                now,
                counts.get(gone.id) if gone is not None else None,
            )
            for one in kept
        ]

    @staticmethod
    async def _one(db: aiosqlite.Connection, announcement: AnnouncementId) -> store.Kept:
        kept = await store.one(db, announcement)
        if kept is None:
            raise ProblemError(ErrorCode.UNKNOWN_ANNOUNCEMENT)
        return kept

    async def _check(self, target: Target) -> None:
        room, site = target.room, target.site
        if room is not None:
            if not await self._rooms.known(room):
                raise ProblemError(ErrorCode.UNKNOWN_TARGET, f"There is no room {room}.")
            snapshot = self._rooms.snapshot(room)
            machines = {view.machine for view in snapshot.machines} if snapshot else set()
            if target.machine is not None and target.machine not in machines:
                raise ProblemError(
                    ErrorCode.UNKNOWN_TARGET, f"There is no machine {target.machine} in {room}."
                )
        elif site is not None and not any(target.covers(one) for one in self._rooms.enrolled()):
            raise ProblemError(ErrorCode.UNKNOWN_TARGET, f"There is no site {site}.")


def first_moment(body: AnnouncementBody, now: datetime) -> datetime:
    """Return when ``body``, written at ``now``, goes first: never before now.

    Raises:
        ProblemError: ``invalid_body``: its end, or the end of its repetitions, has passed.

    """
    if body.at is None or body.at > now:
        return body.at or now
    at = now if body.at + body.shown_for > now else None
    if body.repeat is not None:
        at = next_after(body, now)
    if at is None:
        raise ProblemError(
            ErrorCode.INVALID_BODY,
            "It would be over before it goes: give a later time, or none for now.",
            fields=["body.at"],
        )
    return at


def _with_time_of_day(body: AnnouncementBody, now: datetime) -> AnnouncementBody:
    """Return a repeated one that goes now with this time of day from now on."""
    if body.repeat is None or body.at is not None:
        return body
    return body.model_copy(update={"at": now})


def described(
    kept: store.Kept,
    last: store.Occurrence | None,
    now: datetime,
    counts: AnnouncementCounts | None = None,
) -> Announcement:
    """Describe an announcement to staff; ``last``: its newest occurrence, None before the first."""
    is_shown = last is not None and not last.missed and last.until > now
    return Announcement(
        id=kept.id,
        author=kept.author,
        created_at=kept.created_at,
        state=_state(kept, last, now),
        next_at=kept.next_at,
        shown_until=last.until if last is not None and is_shown else None,
        body=kept.body,
        counts=counts or AnnouncementCounts(),
    )


def _state(kept: store.Kept, last: store.Occurrence | None, now: datetime) -> AnnouncementState:
    if kept.cancelled:
        return AnnouncementState.CANCELLED
    if kept.next_at is not None or last is None:
        return AnnouncementState.SCHEDULED
    if last.missed:
        return AnnouncementState.MISSED
    return AnnouncementState.SHOWN if last.until > now else AnnouncementState.ENDED
