"""Keeps one document a room at the broker, retained, so that an edge has it at its next connect."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from cloud_relay.broker_link import BrokerLink
from laundryd.wire.ids import RoomKey, RoomRef
from laundryd.wire.topics import Topic, topic_name

log = logging.getLogger(__name__)

LOOK_AGAIN_S: Final = 10.0
"""Real seconds after which a room that another process enrolled is seen at the latest, and what could not be
published is tried again."""
LOOK_AT_ALL_S: Final = 600.0
"""Real seconds after which every room's document is made again and compared: what changes says so by
``changed``, and thousands of documents every few seconds would keep the relay busy with nothing else."""


def _nothing() -> None:
    pass


class RetainedDocuments(ABC):
    """Publishes a room's document when it is new, and all of them at each connect; ``run`` it as a task.

    ``counts``: messages by outcome, ``sent`` or ``unsent``.
    """

    def __init__(self, link: BrokerLink, topic: Topic) -> None:
        self._link = link
        self._topic = topic
        self._published: dict[RoomKey, bytes] = {}
        self._wake = asyncio.Event()
        self._looks_at_all = True
        self.counts: Counter[str] = Counter()

    @abstractmethod
    async def rooms(self) -> Sequence[RoomKey]:
        """Name every enrolled room."""

    @abstractmethod
    async def document(self, room: RoomKey) -> bytes:
        """Make the document of ``room``; the same bytes while nothing in it changed."""

    def changed(self) -> None:
        """Look at all documents soon: what is in one of them changed, or a room was added."""
        self._looks_at_all = True
        self._wake.set()

    def missing(self, room: RoomKey) -> None:
        """Publish the document of ``room`` again soon: its edge does not have it."""
        self._published.pop(room, None)
        self._wake.set()

    def connected(self) -> None:
        """Publish all documents soon: a broker that lost its store has none."""
        self._published.clear()
        self._wake.set()

    async def run(self, beat: Callable[[], None] = _nothing) -> NoReturn:
        """Publish what is new, for ever; ``beat`` is called at each step."""
        loop = asyncio.get_running_loop()
        all_at_s = loop.time()
        while True:
            beat()
            self._wake.clear()
            if self._link.connected:
                looks_at_all = self._looks_at_all or loop.time() >= all_at_s
                # Before, not after: what changes while we look is looked at again.
                self._looks_at_all = False
                try:
                    await self.publish_new(beat, missing_only=not looks_at_all)
                except sqlite3.Error as error:
                    log.error("%s: the database failed: %s; trying again", self._topic, error)  # noqa: TRY400 -- no traceback for a full disk
                    self._looks_at_all = True
                else:
                    all_at_s = loop.time() + LOOK_AT_ALL_S if looks_at_all else all_at_s
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def publish_new(
        self, beat: Callable[[], None] = _nothing, *, missing_only: bool = False
    ) -> int:
        """Publish the documents that are not at the broker yet; return how many.

        ``missing_only``: look only at rooms that have none there. ``beat`` is called for each room: at a
        broker that hangs each publish takes its full timeout.
        """
        count = 0
        for room in await self.rooms():
            beat()
            if missing_only and room in self._published:
                continue
            document = await self.document(room)
            if self._published.get(room) == document:
                continue
            self._published.pop(room, None)
            topic = topic_name(RoomRef.from_key(room), self._topic)
            sent = await self._link.publish(topic, document, retain=True)
            self.counts["sent" if sent else "unsent"] += 1
            if sent:
                self._published[room] = document
                count += 1
        if count:
            log.info("published %s for %d rooms", self._topic, count)
        return count
