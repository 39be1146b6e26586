"""The relay's ear at the cloud's broker: takes messages in, checks them, hands them on one by one."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NoReturn

from pydantic import ValidationError

from cloud_relay.ingest.commands import RemoteCommands
from cloud_relay.ingest.handlers import ForeignEventError, Handlers, Judged
from cloud_relay.ingest.inbox import ClockSet, Connected, Inbox, LookAtLeases
from cloud_relay.rooms.rooms import Rooms
from laundryd.daemon.mqtt import Message
from laundryd.wire.commands import UpAnswer
from laundryd.wire.topics import (
    MAX_PAYLOAD_BYTES,
    Address,
    Topic,
    parse_topic,
    topic_filter,
)
from laundryd.wire.uplink import UpEvents, UpHello, UpPresence, UpSnapshot

log = logging.getLogger(__name__)

INBOX_MAX: Final = 10_000
"""Messages waiting to be taken. Past it they are dropped and counted: an edge sends everything again
until it is acknowledged, so memory is bounded and nothing is lost."""
INBOX_MAX_BYTES: Final = 64 * 1024 * 1024
"""Their payload: thousands of rooms that come back at once with full batches would be gigabytes."""
LINK_GRACE_S: Final = 5.0
"""Real seconds without a broker before the rooms are said to be offline: a broker's restart is shorter."""
LOGGED_TOPIC_MAX_CHARS: Final = 120
NUDGES_TOGETHER: Final = 50
"""Rooms asked for a hello at once: waiting for each one's PUBACK in turn would keep thousands of rooms, and
everybody's events, waiting for minutes at a broker that is far away."""
LOOK_AT_LEASES_EVERY_S: Final = 5.0
"""Real seconds between two looks whether an edge said nothing for too long: little beside a lease."""
KEEP_HEARD_EVERY_S: Final = 60.0
"""Real seconds between two notes of when rooms were heard last: after a restart of the relay, who asks for a
room that is gone is told that to the minute."""


class Ingest:
    """Takes what the rooms send. ``link.run`` gets ``on_message``, ``on_connect``, ``on_disconnect``.

    ``skipped`` counts messages that had no effect, by reason: ``inbox_full``, ``oversized``,
    ``unknown_topic``, ``unknown_room``, ``malformed``, ``foreign_event``, ``failed``;
    the handlers add ``not_joined``. ``taken`` counts the others by topic, ``commits`` the transactions
    for batches of entries: ``alone`` for one room, ``together`` for several, ``apart`` for several that
    failed, after which each was taken alone.
    """

    def __init__(self, rooms: Rooms, handlers: Handlers, commands: RemoteCommands) -> None:
        self._rooms = rooms
        self._handlers = handlers
        self._commands = commands
        self._inbox = Inbox()
        self._connected = asyncio.Event()
        self._disconnected = asyncio.Event()
        self.skipped = handlers.skipped
        self.taken: Counter[str] = Counter()
        self.commits: Counter[str] = Counter()

    @staticmethod
    def subscriptions(relay_id: str) -> list[str]:
        """Return the topic filters of a relay; ``relay_id`` names its own reply topic."""
        topics = (
            Topic.AVAILABILITY,
            Topic.UP_HELLO,
            Topic.UP_EVENTS,
            Topic.UP_SNAPSHOT,
            Topic.UP_PRESENCE,
        )
        answers = topic_filter(Topic.UP_ANSWER, variable=relay_id)
        return [*(topic_filter(topic) for topic in topics), answers]

    @property
    def waiting(self) -> int:
        """How many messages wait to be taken."""
        return len(self._inbox)

    def on_message(self, message: Message) -> None:
        """Move a message into the inbox, at once."""
        size = self._inbox.waiting_bytes + len(message.payload)
        if len(self._inbox) >= INBOX_MAX or size > INBOX_MAX_BYTES:
            self._skip("inbox_full", message.topic)
        elif len(message.payload) > MAX_PAYLOAD_BYTES:
            self._skip("oversized", message.topic)
        else:
            self._inbox.put(message)

    async def on_connect(self) -> None:
        """Take note of a new connection; each room is told what is kept, in its turn."""
        self._disconnected.clear()
        self._connected.set()
        self._inbox.put(Connected())

    def clock_set(self) -> None:
        """Ask each room for a hello, in its turn: it measures our clock anew, which was set."""
        self._inbox.put(ClockSet())

    def on_disconnect(self) -> None:
        """Take note that the connection was lost."""
        self._connected.clear()
        self._disconnected.set()

    async def run(self) -> NoReturn:
        """Take messages, in order, for ever. Safe to cancel: what was not acknowledged comes again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_link(), name="ingest link watch")
            tasks.create_task(self._watch_leases(), name="ingest lease watch")
            tasks.create_task(self._keep_heard(), name="ingest last heard")
            while True:
                match await self._inbox.next():
                    case Connected():
                        self._handlers.link_back()
                        await self._nudge_all()
                    case LookAtLeases():
                        await self._handlers.lapse()
                    case ClockSet():
                        await self._nudge_all()
                    case [message]:
                        await self.take(message)
                    case messages:
                        await self.take_together(messages)

    async def take(self, message: Message) -> None:
        """Take one message; whatever is wrong with it is counted and logged, and nothing stops."""
        with self._skipping(message):
            address = await self._hear(message)
            if address is not None:
                await self._dispatch(address, address.room.key, message)
                self.taken[address.topic] += 1

    async def take_together(self, messages: Sequence[Message]) -> None:
        """Take batches of entries, each of another room, in one transaction; then tell, then answer.

        A batch that cannot be kept harms no other: if the transaction fails, each is taken by itself.
        """
        judged: list[tuple[Message, Judged]] = []
        for message in messages:
            with self._skipping(message):
                address = await self._hear(message)
                if address is not None:
                    batch = UpEvents.model_validate_json(message.payload)
                    judged.append((message, await self._handlers.judge(address.room.key, batch)))
        try:
            await self._handlers.keep([one for _, one in judged])
        except Exception as error:  # noqa: BLE001 -- whichever it is of, it shows when taken alone
            self.commits["apart"] += 1
            log.debug("batches of %d rooms are taken one by one: %s", len(judged), error)
            for message, _ in judged:
                await self.take(message)
            return
        self.commits["together"] += 1
        for message, kept in judged:
            with self._skipping(message):
                await self._handlers.tell(kept)
                self.taken[Topic.UP_EVENTS] += 1
        await asyncio.gather(*(self._answer(message, kept) for message, kept in judged))

    async def _answer(self, message: Message, kept: Judged) -> None:
        with self._skipping(message):
            await self._handlers.answer(kept)

    async def _hear(self, message: Message) -> Address | None:
        """Take note that a room spoke; None, and counted, for one that nobody enrolled."""
        address = parse_topic(message.topic)
        if address is None:
            self._skip("unknown_topic", message.topic)
            return None
        room = address.room.key
        if not await self._rooms.known(room):
            self._skip("unknown_room", message.topic)
            return None
        if address.topic is not Topic.AVAILABILITY:
            self._handlers.heard(room)
        return address

    @contextmanager
    def _skipping(self, message: Message) -> Iterator[None]:
        """Count and log what is wrong with ``message``, and go on."""
        try:
            yield
        except ForeignEventError as error:
            self._skip("foreign_event", message.topic, str(error))
        except ValidationError as error:
            self._skip("malformed", message.topic, f"{error.error_count()} wrong fields")
        except (ValueError, OverflowError) as error:
            # Overflown: a clock that is a million years ahead, say.
            self._skip("malformed", message.topic, str(error))
        except sqlite3.Error as error:
            # A full disk, say. It was not acknowledged, so the edge sends it again.
            self._skip("failed", message.topic, str(error))
        except Exception:
            # A fault of ours. One room's message must not end every room's relay, again and again.
            self.skipped["failed"] += 1
            where = {"topic": message.topic[:LOGGED_TOPIC_MAX_CHARS]}
            log.exception("a message failed in our own code", extra=where)

    async def _dispatch(self, address: Address, room: str, message: Message) -> None:
        payload = message.payload
        match address.topic:
            case Topic.UP_HELLO:
                await self._handlers.hello(room, UpHello.model_validate_json(payload))
            case Topic.UP_EVENTS:
                await self._handlers.events(room, UpEvents.model_validate_json(payload))
                self.commits["alone"] += 1
            case Topic.UP_SNAPSHOT:
                await self._handlers.snapshot(room, UpSnapshot.model_validate_json(payload))
            case Topic.UP_PRESENCE:
                await self._handlers.presence(room, UpPresence.model_validate_json(payload))
            case Topic.AVAILABILITY:
                await self._handlers.availability(room, payload, retained=message.retained)
            case Topic.UP_ANSWER:
                self._commands.answered(room, UpAnswer.model_validate_json(payload))
            case _:
                self._skip("unknown_topic", address.topic)

    async def _nudge_all(self) -> None:
        rooms = self._rooms.enrolled()
        for first in range(0, len(rooms), NUDGES_TOGETHER):
            together = rooms[first : first + NUDGES_TOGETHER]
            await asyncio.gather(*(self._handlers.nudge(room) for room in together))

    async def _watch_leases(self) -> NoReturn:
        while True:
            await asyncio.sleep(LOOK_AT_LEASES_EVERY_S)
            # Without a broker nobody can be heard: that says nothing about an edge.
            if self._connected.is_set():
                self._inbox.put(LookAtLeases())

    async def _keep_heard(self) -> NoReturn:
        while True:
            await asyncio.sleep(KEEP_HEARD_EVERY_S)
            try:
                await self._rooms.keep_heard()
            except sqlite3.Error:
                log.exception("when rooms were heard last cannot be kept yet")

    async def _watch_link(self) -> NoReturn:
        while True:
            await self._disconnected.wait()
            try:
                async with asyncio.timeout(LINK_GRACE_S):
                    await self._connected.wait()
            except TimeoutError:
                self._handlers.link_lost()
                await self._connected.wait()

    def _skip(self, reason: str, topic: str, detail: str = "") -> None:
        self.skipped[reason] += 1
        log.warning(
            "message from a room skipped: %s%s", reason, f" ({detail})" if detail else "",
            extra={"reason": reason, "topic": topic[:LOGGED_TOPIC_MAX_CHARS]},
        )  # fmt: skip
