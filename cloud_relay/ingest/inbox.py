"""What waits to be taken, in order; pure but for the waiting. Batches of several rooms go together.

A commit costs a write to the disk, whatever is in it. So batches that wait while one commit runs go into
the next one together. Nobody waits for company: what comes alone is taken alone, at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from laundryd.daemon.mqtt import Message
from laundryd.wire.ids import RoomKey
from laundryd.wire.topics import Topic, parse_topic

TOGETHER_MAX: Final = 50
"""Messages of one transaction: some 20 ms of work, which the last of them waits for the first."""
TOGETHER_MAX_BYTES: Final = 128 * 1024
"""Payload of one transaction: two full batches of rooms that drain, so that live events need not wait
for more. A single message may be larger."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A mark in the inbox: everything before it came over an older connection."""


@dataclass(frozen=True, slots=True)
class LookAtLeases:
    """A mark in the inbox: everything before it was heard."""


@dataclass(frozen=True, slots=True)
class ClockSet:
    """A mark in the inbox: what was measured by our clock before is wrong."""


Mark = Connected | LookAtLeases | ClockSet


class Inbox:
    """Messages and marks, oldest first. One task takes them out."""

    def __init__(self) -> None:
        self._waiting: deque[Message | Mark] = deque()
        self._came = asyncio.Event()
        self.waiting_bytes = 0
        """Payload of the messages that wait."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: Message | Mark) -> None:
        """Add an item behind the others."""
        self._waiting.append(item)
        self.waiting_bytes += _size(item)
        self._came.set()

    async def next(self) -> Mark | Sequence[Message]:
        """Wait for something; return the mark, or the messages that may be taken in one transaction."""
        while not self._waiting:
            self._came.clear()
            await self._came.wait()
        first = self._take()
        if not isinstance(first, Message):
            return first
        return [first, *self._company(first)]

    def _company(self, first: Message) -> Sequence[Message]:
        """Take out what goes together with ``first``: what follows it, each of another room.

        In one room the next batch is judged by what the one before it left, once that is committed.
        """
        room = _room_of_batch(first) if self._waiting else None
        if room is None:
            return ()
        rooms, size, company = {room}, len(first.payload), list[Message]()
        while self._waiting and len(rooms) < TOGETHER_MAX:
            item = self._waiting[0]
            room = _room_of_batch(item) if isinstance(item, Message) else None
            if not isinstance(item, Message) or room is None or room in rooms:
                break
            size += len(item.payload)
            if size > TOGETHER_MAX_BYTES:
                break
            rooms.add(room)
            company.append(item)
            self._take()
        return company

    def _take(self) -> Message | Mark:
        item = self._waiting.popleft()
        self.waiting_bytes -= _size(item)
        return item


def _size(item: Message | Mark) -> int:
    return len(item.payload) if isinstance(item, Message) else 0


def _room_of_batch(message: Message) -> RoomKey | None:
    """Return the room whose batch of entries this is; None for anything else."""
    address = parse_topic(message.topic)
    return address.room.key if address is not None and address.topic is Topic.UP_EVENTS else None
