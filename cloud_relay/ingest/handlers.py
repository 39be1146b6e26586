"""What each message from a room does: keep it in one transaction, then say so, then tell.

The order is the promise: committed first, acknowledged and broadcast after. A kill in between makes
the edge send again, and then nothing takes effect twice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import aiosqlite
from pydantic import BaseModel

from cloud_relay.ingest.commands import Publisher
from cloud_relay.ingest.order import decide
from cloud_relay.ingest.told import TOLD_A_MESSAGE, ToldSender
from cloud_relay.notify.planner import Planner, Told
from cloud_relay.rooms import store
from cloud_relay.rooms.presence import EdgePresence
from cloud_relay.rooms.rooms import Rooms
from cloud_relay.rooms.state import Change, gap_marker
from laundryd import __version__
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.wire.events import Entry, PublicEvent
from laundryd.wire.frames import RoomStatus
from laundryd.wire.ids import ResidentId, RoomKey, RoomRef
from laundryd.wire.notices import NOTICES, Notice, Origin, notice_id
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import DownAck, DownHello, UpEvents, UpHello, UpPresence, UpSnapshot

log = logging.getLogger(__name__)

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"
BEYOND_EVERY_HEAD: Final = 2**53 - 1
"""The wire's largest offset. To keep more than an edge has is the one thing that makes it begin an
epoch of its own, as it must when it comes back with one that was left for good."""


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


class Members(Protocol):
    """Who belongs where."""

    async def rooms(self, resident: ResidentId) -> frozenset[RoomKey]:
        """Return the rooms that ``resident`` joined; none when there is no such resident."""
        ...


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
        self.skipped: Counter[str] = Counter()

    async def hello(self, room: RoomKey, hello: UpHello) -> None:
        """Answer an edge's first word: how far its journal is kept, and the relay's time."""
        await self._rooms.heard(room, hello.local_url, durable=hello.durable)
        self._presence.connected(room)
        self._set_edge(room, online=True)
        kept = self._rooms.position(room)
        acked = kept.offset if kept is not None and kept.epoch == hello.head.epoch else None
        if acked is None and await self._rooms.is_past_epoch(room, hello.head.epoch):
            # A store restored from a backup goes on with numbers that were left.
            log.warning("the edge came back with an epoch it had left", extra={"room": room})
            acked = BEYOND_EVERY_HEAD
        if acked != hello.head.offset:
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
            ),
        )
        if told := await self._planner.told_of_room(room, TOLD_A_MESSAGE):
            self._told.told(room, told)

    async def events(self, room: RoomKey, batch: UpEvents) -> None:
        """Keep what is new with its notices and acknowledgements, then answer.

        Raises:
            ForeignEventError: an entry is not this room's own; nothing of the batch was kept.

        """
        check_entries(room, batch.entries)
        decision = decide(self._rooms.position(room), batch.entries)
        told = Told()
        change: Change | None = None
        notices = [await self._of_members(room, entry.notices) for entry in decision.take]
        async with transaction(self._db) as db:
            if decision.take:
                change = await self._rooms.write_entries(db, room, decision.take)
                for entry, for_members in zip(decision.take, notices, strict=True):
                    await self._planner.plan(db, for_members, told)
                    if entry.ack is not None:
                        await self._planner.acknowledge(db, entry.ack, told, at_room=room)
                events = [entry.event for entry in decision.take if entry.event is not None]
                await self._planner.outdate(db, room, events, told)
            is_whole = decision.answer is not None and not (
                decision.answer.snapshot or decision.answer.send_from
            )
            if batch.caught_up and is_whole:
                await self._planner.caught_up(db, room)
        if change is not None:
            await self._publish(change)
        self._planner.tell(told)
        if decision.answer is not None:
            await self._say(room, Topic.DOWN_ACK, decision.answer)

    async def snapshot(self, room: RoomKey, body: UpSnapshot) -> None:
        """Put the whole room in the place of what was kept, then answer.

        Raises:
            ForeignEventError: it is another room's.

        """
        if body.snapshot.room != room:
            raise ForeignEventError("the snapshot is of another room than its topic")
        position = body.snapshot.position
        if await self._rooms.is_past_epoch(room, position.epoch):
            # An edge that moved on, whose snapshot comes late, ignores this.
            answer = DownAck(epoch=position.epoch, offset=BEYOND_EVERY_HEAD)
            await self._say(room, Topic.DOWN_ACK, answer)
            return
        async with transaction(self._db) as db:
            change = await self._rooms.write_snapshot(db, body)
        if change is not None:
            await self._publish(change)
            log.info("room replaced by a snapshot: %s", body.reason, extra={"room": room})
        kept = self._rooms.position(room)
        if kept is not None:
            await self._say(room, Topic.DOWN_ACK, DownAck(epoch=kept.epoch, offset=kept.offset))

    async def presence(self, room: RoomKey, body: UpPresence) -> None:
        """Take who is connected in the room; an older sequence changes nothing."""
        if self._presence.update(room, body):
            async with transaction(self._db) as db:
                await store.write_presence(db, room, body)
            self._planner.presence_changed()

    async def availability(self, room: RoomKey, payload: bytes) -> None:
        """Take whether the edge is there. When it is gone, so is everybody's presence in the room.

        Raises:
            ValueError: the payload is neither of the two words.

        """
        if payload not in {ONLINE, OFFLINE}:
            raise ValueError("availability is neither online nor offline")
        is_online = payload == ONLINE
        self._set_edge(room, online=is_online)
        if not is_online:
            self._presence.lapse(room)
            async with transaction(self._db) as db:
                await store.write_presence(db, room, UpPresence(seq=0, sessions=[]))
            self._planner.presence_changed()

    def link_lost(self) -> None:
        """Say that no edge is heard: the relay has no broker. Presence stands, they may well be there."""
        for room in self._rooms.enrolled():
            self._set_edge(room, online=False)

    async def nudge(self, room: RoomKey) -> None:
        """Say how far a room's journal is kept.

        Said to every room when the relay connects: an edge that waits for an answer that a kill took
        sends at once what is missing, and one that believes in more than a restored relay keeps goes
        back, because ``send_from`` says so. A room never heard says its hello again by itself.
        """
        kept = self._rooms.position(room)
        if kept is not None:
            answer = DownAck(epoch=kept.epoch, offset=kept.offset, send_from=kept.offset + 1)
            await self._say(room, Topic.DOWN_ACK, answer)

    async def _of_members(self, room: RoomKey, notices: Sequence[Notice]) -> list[Notice]:
        """Return the notices for residents of ``room``: no room may speak to anybody else.

        The entry itself stands. Somebody who left the room, or deleted their account, while their
        laundry ran must not stop its journal.
        """
        kept = [one for one in notices if room in await self._members.rooms(one.resident)]
        if len(kept) < len(notices):
            self.skipped["not_joined"] += len(notices) - len(kept)
            log.warning("a notice is for nobody of the room: skipped", extra={"room": room})
        return kept

    async def _publish(self, change: Change) -> None:
        self._rooms.commit(change)
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
            own = notice_id(room, entry.position, notice.kind, notice.resident)
            if notice.room != room or notice.id != own:
                raise ForeignEventError("a notice is of another room or cause than its entry")
            if NOTICES[notice.kind].origin is not Origin.EDGE:
                raise ForeignEventError(f"a notice is {notice.kind}, which no room originates")
