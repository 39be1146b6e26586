"""The relay's ear at the cloud's broker: takes messages in, checks them, hands them on one by one."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from dataclasses import dataclass
from typing import Final, NoReturn

from pydantic import ValidationError

from cloud_relay.ingest.commands import RemoteCommands
from cloud_relay.ingest.handlers import ForeignEventError, Handlers
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
LINK_GRACE_S: Final = 5.0
"""Real seconds without a broker before the rooms are said to be offline: a broker's restart is shorter."""
LOGGED_TOPIC_MAX_CHARS: Final = 120


LOOK_AT_LEASES_EVERY_S: Final = 5.0
"""Real seconds between two looks whether an edge said nothing for too long: little beside a lease."""


@dataclass(frozen=True, slots=True)
class _Connected:
    """A mark in the inbox: everything before it came over an older connection."""


@dataclass(frozen=True, slots=True)
class _LookAtLeases:
    """A mark in the inbox: everything before it was heard."""


@dataclass(frozen=True, slots=True)
class _ClockSet:
    """A mark in the inbox: what was measured by our clock before is wrong."""


_Mark = _Connected | _LookAtLeases | _ClockSet


class Ingest:
    """Takes what the rooms send. ``link.run`` gets ``on_message``, ``on_connect``, ``on_disconnect``.

    ``skipped`` counts messages that had no effect, by reason: ``inbox_full``, ``oversized``,
    ``unknown_topic``, ``unknown_room``, ``malformed``, ``foreign_event``, ``failed``;
    the handlers add ``not_joined``.
    """

    def __init__(self, rooms: Rooms, handlers: Handlers, commands: RemoteCommands) -> None:
        self._rooms = rooms
        self._handlers = handlers
        self._commands = commands
        self._inbox: asyncio.Queue[Message | _Mark] = asyncio.Queue()
        self._connected = asyncio.Event()
        self._disconnected = asyncio.Event()
        self.skipped = handlers.skipped
        self.taken: Counter[str] = Counter()

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
        return self._inbox.qsize()

    def on_message(self, message: Message) -> None:
        """Move a message into the inbox, at once."""
        if self._inbox.qsize() >= INBOX_MAX:
            self._skip("inbox_full", message.topic)
        elif len(message.payload) > MAX_PAYLOAD_BYTES:
            self._skip("oversized", message.topic)
        else:
            self._inbox.put_nowait(message)

    async def on_connect(self) -> None:
        """Take note of a new connection; each room is told what is kept, in its turn."""
        self._disconnected.clear()
        self._connected.set()
        self._inbox.put_nowait(_Connected())

    def clock_set(self) -> None:
        """Ask each room for a hello, in its turn: it measures our clock anew, which was set."""
        self._inbox.put_nowait(_ClockSet())

    def on_disconnect(self) -> None:
        """Take note that the connection was lost."""
        self._connected.clear()
        self._disconnected.set()

    async def run(self) -> NoReturn:
        """Take messages, in order, for ever. Safe to cancel: what was not acknowledged comes again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_link(), name="ingest link watch")
            tasks.create_task(self._watch_leases(), name="ingest lease watch")
            while True:
                match await self._inbox.get():
                    case _Connected():
                        self._handlers.link_back()
                        await self._nudge_all()
                    case _LookAtLeases():
                        await self._lapse()
                    case _ClockSet():
                        await self._nudge_all()
                    case message:
                        await self.take(message)

    async def take(self, message: Message) -> None:
        """Take one message; whatever is wrong with it is counted and logged, and nothing stops."""
        address = parse_topic(message.topic)
        if address is None:
            self._skip("unknown_topic", message.topic)
            return
        room = address.room.key
        try:
            if not await self._rooms.known(room):
                self._skip("unknown_room", message.topic)
                return
            if address.topic is not Topic.AVAILABILITY:
                self._handlers.heard(room)
            await self._dispatch(address, room, message)
        except ForeignEventError as error:
            self._skip("foreign_event", message.topic, str(error))
        except ValidationError as error:
            self._skip("malformed", message.topic, f"{error.error_count()} wrong fields")
        except ValueError as error:
            self._skip("malformed", message.topic, str(error))
        except sqlite3.Error as error:
            # A full disk, say. It was not acknowledged, so the edge sends it again.
            self._skip("failed", message.topic, str(error))
        except Exception:
            # A fault of ours. One room's message must not end every room's relay, again and again.
            self.skipped["failed"] += 1
            log.exception("a message failed in our own code", extra={"room": room})
        else:
            self.taken[address.topic] += 1

    async def _dispatch(self, address: Address, room: str, message: Message) -> None:
        payload = message.payload
        match address.topic:
            case Topic.UP_HELLO:
                await self._handlers.hello(room, UpHello.model_validate_json(payload))
            case Topic.UP_EVENTS:
                await self._handlers.events(room, UpEvents.model_validate_json(payload))
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
        for room in self._rooms.enrolled():
            await self._handlers.nudge(room)

    async def _watch_leases(self) -> NoReturn:
        while True:
            await asyncio.sleep(LOOK_AT_LEASES_EVERY_S)
            # Without a broker nobody can be heard: that says nothing about an edge.
            if self._connected.is_set():
                self._inbox.put_nowait(_LookAtLeases())

    async def _lapse(self) -> None:
        try:
            await self._handlers.lapse()
        except sqlite3.Error:
            log.exception("who is gone cannot be kept")

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
