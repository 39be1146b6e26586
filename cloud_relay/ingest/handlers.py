"""What each message from a room does: keep it in one transaction, then say so, then tell.

The order is the promise: committed first, acknowledged and broadcast after. A kill in between makes
the edge send again, and then nothing takes effect twice.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

import aiosqlite
from pydantic import BaseModel

from cloud_relay.broker_link import Publisher
from cloud_relay.ingest.clock_mark import mark_of, set_since
from cloud_relay.ingest.order import BEYOND_EVERY_HEAD, Before, Decision, decide
from cloud_relay.ingest.told import TOLD_A_MESSAGE, ToldSender
from cloud_relay.notify.planner import Planner, Told
from cloud_relay.rooms import store
from cloud_relay.rooms.leases import FIRST_WORD_S, Leases
from cloud_relay.rooms.presence import EdgePresence
from cloud_relay.rooms.rooms import Rooms
from cloud_relay.rooms.state import Change, gap_marker
from laundryd import __version__
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.wire.events import Entry, PublicEvent
from laundryd.wire.frames import RoomStatus
from laundryd.wire.ids import Position, ResidentId, RoomKey, RoomRef
from laundryd.wire.notices import NOTICES, Notice, Origin, notice_id
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import (
    LEASE_S,
    ClockMark,
    DownAck,
    DownHello,
    UpEvents,
    UpHello,
    UpPresence,
    UpSnapshot,
)

log = logging.getLogger(__name__)

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"
NOTHING_KEPT: Final = Position(epoch="0", offset=0)
"""Said to an edge that was never heard; no edge is in this epoch."""


class ForeignEventError(Exception):
    """An entry speaks of another room, place or resident than it may; the text says which."""


class Fanout(Protocol):
    """The relay's live sessions, as far as rooms concern them."""

    def publish(self, event: PublicEvent) -> None:
        """Send an event to every session that may see its room."""
        ...

    async def send_mine(self, resident: ResidentId) -> None:
        """Send what is theirs to all sessions of the resident."""
        ...

    def room_status(self, status: RoomStatus) -> object:
        """Say that a room's edge came or went."""
        ...


class RosterWatch(Protocol):
    """Who keeps the rooms' rosters at the broker."""

    async def heard(self, room: RoomKey, version: int | None) -> None:
        """Take note which roster an edge has."""
        ...


class Members(Protocol):
    """Who belongs where."""

    async def rooms(self, resident: ResidentId) -> frozenset[RoomKey]:
        """Return the rooms that ``resident`` joined; none when there is no such resident."""
        ...


@dataclass(slots=True)
class Judged:
    """A batch of one room, judged by what is kept; ``change`` and ``told`` are its effect once it is kept.

    ``notices``: those for members of the room, for each entry that is taken, in the edge's time. ``ahead``:
    by how much our clock is ahead of the edge's, as it measured when our clock stood at ``measured``.
    """

    room: RoomKey
    decision: Decision
    notices: Sequence[Sequence[Notice]]
    ahead: timedelta
    measured: ClockMark | None
    has_caught_up: bool
    change: Change | None = None
    told: Told = field(default_factory=Told)


class Handlers:
    """One method for each topic; every one is called for enrolled rooms only.

    ``skipped`` counts, by reason, what had no effect: here ``not_joined``, a notice for somebody who is
    no resident of the room that tells it.
    """

    def __init__(
        self,
        db: aiosqlite.Connection,
        clock: Clock,
        *,
        link: Publisher,
        rooms: Rooms,
        presence: EdgePresence,
        planner: Planner,
        fanout: Fanout,
        told: ToldSender,
        members: Members,
        rosters: RosterWatch,
    ) -> None:
        self._db = db
        self._clock = clock
        self._link = link
        self._rooms = rooms
        self._presence = presence
        self._planner = planner
        self._fanout = fanout
        self._told = told
        self._members = members
        self._rosters = rosters
        self._leases = Leases()
        self._ahead: dict[RoomKey, timedelta] = {}
        self.skipped: Counter[str] = Counter()

    def heard(self, room: RoomKey) -> None:
        """Take note that the room's edge said something just now, whatever it was."""
        self._leases.heard(room, self._clock.monotonic_s())

    def clock_off_s(self) -> float:
        """Return the largest difference between our clock and that of an edge that is there, seconds."""
        there = (room for room in self._ahead if self._rooms.edge(room).online)
        return max((abs(self._ahead[room]) for room in there), default=timedelta()).total_seconds()

    async def hello(self, room: RoomKey, hello: UpHello) -> None:
        """Answer an edge's first word, or its sign of life: how far it is kept, and the relay's time."""
        await self._rooms.heard(room, hello.local_url, durable=hello.durable)
        is_first = not hello.renewal and self._presence.connected(room, hello)
        self._set_edge(room, online=True)
        # What the edge measured, or the first time what we see, the hello's way in it.
        ahead_ms = hello.relay_ahead_ms
        self._ahead[room] = (
            self._clock.real_now() - hello.sent_at
            if ahead_ms is None
            else timedelta(milliseconds=ahead_ms)
        )
        kept = self._rooms.position(room)
        is_known = kept is not None and kept.epoch == hello.head.epoch
        acked = kept.offset if kept is not None and is_known else None
        if acked is None and await self._rooms.is_past_epoch(room, hello.head.epoch):
            # A store restored from a backup goes on with numbers that were left.
            log.warning("the edge came back with an epoch it had left", extra={"room": room})
            acked = BEYOND_EVERY_HEAD
        if acked != hello.head.offset and is_first:
            self._planner.hold(room)
        await self._say(
            room,
            Topic.DOWN_HELLO,
            DownHello(
                version=__version__,
                epoch=hello.head.epoch,
                acked=acked,
                echo_sent_at=hello.sent_at,
                relay_at=self._clock.real_now(),
                word=hello.word,
                run=self._rooms.run(room) if is_known else None,
                held=self._planner.holds(room),
                clock=mark_of(self._clock),
            ),
        )
        await self._rosters.heard(room, hello.roster)
        if is_first and (told := await self._planner.told_of_room(room, TOLD_A_MESSAGE)):
            self._told.told(room, list(told), {one for one, is_read in told.items() if is_read})

    async def events(self, room: RoomKey, batch: UpEvents) -> None:
        """Keep what is new with its notices and acknowledgements, then tell and answer.

        Raises:
            ForeignEventError: an entry is not this room's own; nothing of the batch was kept.

        """
        judged = await self.judge(room, batch)
        await self.keep([judged])
        await self.tell(judged)
        await self.answer(judged)

    async def judge(self, room: RoomKey, batch: UpEvents) -> Judged:
        """Say what of a batch is new. It must be kept before another one of its room is judged.

        Raises:
            ForeignEventError: an entry is not this room's own.

        """
        check_entries(room, batch.entries)
        decision = decide(
            self._rooms.position(room),
            batch.entries,
            kept_run=self._rooms.run(room),
            before=Before(batch.after, batch.after_run),
            word=batch.word,
        )
        answer = decision.answer
        if answer is not None and answer.offset == BEYOND_EVERY_HEAD:
            log.warning("the edge went on from another past than is kept", extra={"room": room})
        members = await self._members_told(room, decision.take)
        return Judged(
            room,
            decision,
            [self._of_members(room, one.told, members) for one in decision.take],
            timedelta(milliseconds=batch.ahead_ms),
            batch.clock,
            batch.caught_up and is_whole(answer) and self._is_current(room, batch),
        )

    async def keep(self, batches: Sequence[Judged]) -> None:
        """Keep batches of different rooms in one transaction: all of them, or none if one fails."""
        async with transaction(self._db) as db:
            for one in batches:
                await self._write(db, one)
        for one in batches:
            if one.has_caught_up:
                self._planner.release(one.room)
            if one.change is not None:
                self._rooms.commit(one.change)

    async def _write(self, db: aiosqlite.Connection, one: Judged) -> None:
        take, told = one.decision.take, one.told
        if take:
            one.change = await self._rooms.write_entries(db, one.room, take)
            # Within the transaction: before it, our clock may be set, and what is kept moved without these.
            ahead = one.ahead + set_since(one.measured, self._clock)
            for entry, for_members in zip(take, one.notices, strict=True):
                await self._planner.plan(db, _in_our_time(for_members, ahead), told)
                if entry.ack is not None:
                    await self._planner.acknowledge(db, entry.ack, told, at_room=one.room)
            events = [entry.event for entry in take if entry.event is not None]
            brought = {
                notice.id: entry.offset
                for entry, for_members in zip(take, one.notices, strict=True)
                for notice in for_members
            }
            await self._planner.outdate(db, one.room, events, brought, told)
        if one.has_caught_up:
            await self._planner.caught_up(db, one.room)

    async def tell(self, kept: Judged) -> None:
        """Say on the sockets what a batch that was kept did."""
        if kept.change is not None:
            await self._broadcast(kept.change)
        self._planner.tell(kept.told)

    async def answer(self, kept: Judged) -> None:
        """Say to the edge what is kept; only after it was committed."""
        if kept.decision.answer is not None:
            await self._say(kept.room, Topic.DOWN_ACK, kept.decision.answer)

    async def snapshot(self, room: RoomKey, body: UpSnapshot) -> None:
        """Put the whole room in the place of what was kept, then answer.

        Raises:
            ForeignEventError: it is another room's.

        """
        if body.snapshot.room != room:
            raise ForeignEventError("the snapshot is of another room than its topic")
        position = body.snapshot.position
        kept, run = self._rooms.position(room), self._rooms.run(room)
        is_another = kept == position and None not in {run, body.run} and run != body.run
        if is_another or await self._rooms.is_past_epoch(room, position.epoch):
            # An edge that moved on, whose snapshot comes late, ignores this.
            answer = DownAck(epoch=position.epoch, offset=BEYOND_EVERY_HEAD, word=body.word)
            await self._say(room, Topic.DOWN_ACK, answer)
            return
        async with transaction(self._db) as db:
            change = await self._rooms.write_snapshot(db, body)
        if change is not None:
            self._rooms.commit(change)
            await self._broadcast(change)
            log.info("room replaced by a snapshot: %s", body.reason, extra={"room": room})
        kept = self._rooms.position(room)
        if kept is not None:
            # One that is older than what is kept came to nothing: the room is still wanted, from there.
            answer = DownAck(
                epoch=kept.epoch, offset=kept.offset, snapshot=change is None, word=body.word
            )
            await self._say(room, Topic.DOWN_ACK, answer)

    async def presence(self, room: RoomKey, body: UpPresence) -> None:
        """Take who is connected in the room; an older sequence changes nothing."""
        came = self._presence.newcomers(room, body)
        if not self._presence.update(room, body):
            return
        async with transaction(self._db) as db:
            await store.write_presence(db, room, body)
        self._planner.presence_changed()
        if came:
            await self._planner.came_to_room(came)

    async def availability(self, room: RoomKey, payload: bytes, *, retained: bool = False) -> None:
        """Take whether the edge is there. When it is gone, so is everybody's presence in the room.

        ``retained``: the broker kept it, who knows since when; it is believed for ``FIRST_WORD_S``.

        Raises:
            ValueError: the payload is neither of the two words.

        """
        if payload not in {ONLINE, OFFLINE}:
            raise ValueError("availability is neither online nor offline")
        if payload == OFFLINE:
            await self._gone(room)
            return
        self._leases.heard(room, self._clock.monotonic_s(), FIRST_WORD_S if retained else LEASE_S)
        self._set_edge(room, online=True)

    async def lapse(self) -> None:
        """Take every edge for gone that said nothing for too long, whatever its broker says of it."""
        for room in self._leases.lapsed(self._clock.monotonic_s()):
            if self._rooms.edge(room).online or self._presence.is_anybody(room):
                log.warning("the edge said nothing for too long", extra={"room": room})
            try:
                await self._gone(room)
            except sqlite3.Error:
                # Each lease ends once: one room's note that the disk refuses must not keep the others.
                log.exception("who is gone cannot be kept", extra={"room": room})

    def link_back(self) -> None:
        """Give every room the time for a first word: the relay has a broker again and asks for it."""
        for room in self._rooms.enrolled():
            self._leases.begin(room, self._clock.monotonic_s())

    async def _gone(self, room: RoomKey) -> None:
        self._leases.gone(room)
        self._set_edge(room, online=False)
        if not self._presence.is_anybody(room):
            return
        self._presence.lapse(room)
        self._planner.presence_changed()
        async with transaction(self._db) as db:
            await store.write_presence(db, room, UpPresence(seq=0, sessions=[]))

    def link_lost(self) -> None:
        """Say that no edge is heard: the relay has no broker. Presence stands, they may well be there."""
        for room in self._rooms.enrolled():
            self._set_edge(room, online=False)

    async def nudge(self, room: RoomKey) -> None:
        """Ask a room for its hello, by saying how far its journal is kept.

        Said to every room when the relay connects: an edge that waits for an answer that a kill took
        asks at once, and one that believes in more than a restored relay keeps finds that out.
        """
        kept = self._rooms.position(room) or NOTHING_KEPT
        answer = DownAck(epoch=kept.epoch, offset=kept.offset, send_from=kept.offset + 1)
        await self._say(room, Topic.DOWN_ACK, answer)
        # From now on: among thousands a room may be asked later than it would count as gone.
        self._leases.heard(room, self._clock.monotonic_s(), FIRST_WORD_S)

    def _is_current(self, room: RoomKey, batch: UpEvents) -> bool:
        # A doubled batch of an older connection says nothing about what this one still has to bring.
        return self._presence.is_current(room, batch.hello)

    async def _members_told(self, room: RoomKey, entries: Iterable[Entry]) -> frozenset[ResidentId]:
        residents = {notice.resident for entry in entries for notice in entry.told}
        return frozenset(
            [one for one in sorted(residents) if room in await self._members.rooms(one)]
        )

    def _of_members(
        self,
        room: RoomKey,
        notices: Sequence[Notice],
        members: frozenset[ResidentId],
    ) -> list[Notice]:
        """Return the notices for residents of ``room``: no room may speak to anybody else.

        The entry itself stands. Somebody who left the room, or deleted their account, while their
        laundry ran must not stop its journal.
        """
        kept = [one for one in notices if one.resident in members]
        if len(kept) < len(notices):
            self.skipped["not_joined"] += len(notices) - len(kept)
            log.warning("a notice is for nobody of the room: skipped", extra={"room": room})
        return kept

    async def _broadcast(self, change: Change) -> None:
        marker = gap_marker(change.state) if change.replaced else None
        for event in (*change.events, *((marker,) if marker is not None else ())):
            self._fanout.publish(event)
        for resident in sorted(change.touched):
            await self._fanout.send_mine(resident)

    def _set_edge(self, room: RoomKey, *, online: bool) -> None:
        status = self._rooms.set_edge(room, online=online)
        if status is not None:
            log.info("edge %s", "online" if online else "offline", extra={"room": room})
            self._fanout.room_status(RoomStatus(room=room, edge=status))

    async def _say(self, room: RoomKey, topic: Topic, payload: BaseModel) -> None:
        name = topic_name(RoomRef.from_key(room), topic)
        # Not sent is not lost: the edge asks again when no answer comes.
        await self._link.publish(name, payload.model_dump_json().encode())


def _in_our_time(notices: Sequence[Notice], ahead: timedelta) -> Sequence[Notice]:
    """Return notices of an edge whose clock ours is ``ahead`` of: we judge until when they are useful."""
    if not ahead:
        return notices
    return [one.model_copy(update={"useful_until": one.useful_until + ahead}) for one in notices]


def is_whole(answer: DownAck | None) -> bool:
    """Say whether ``answer`` finds nothing missing in what the edge sent."""
    if answer is None or answer.offset == BEYOND_EVERY_HEAD:
        return False
    return not answer.snapshot and answer.send_from is None


def check_entries(room: RoomKey, entries: Iterable[Entry]) -> None:
    """Check that entries speak of their own room and place only.

    Raises:
        ForeignEventError: one does not, or a notice does not bear the id that its cause gives it, or is
            of a kind that the relay alone originates, so that no room can answer, or overwrite, for
            another one, or announce something in the staff's name.

    """
    for entry in entries:
        event = entry.event
        if event is not None and (
            event.room != room or (event.epoch, event.offset) != (entry.epoch, entry.offset)
        ):
            raise ForeignEventError("an event is of another room or place than its entry")
        for notice in entry.notices:
            _check_notice(room, notice, entry.position)
        if entry.carried is not None:
            if entry.carried.cause.epoch == entry.epoch:
                raise ForeignEventError("a notice is carried over from the epoch that it is in")
            _check_notice(room, entry.carried.notice, entry.carried.cause)


def _check_notice(room: RoomKey, notice: Notice, cause: Position) -> None:
    own = notice_id(room, cause, notice.kind, notice.resident)
    if notice.room != room or notice.id != own:
        raise ForeignEventError("a notice is of another room or cause than its entry")
    if NOTICES[notice.kind].origin is not Origin.EDGE:
        raise ForeignEventError(f"a notice is {notice.kind}, which no room originates")
