"""What was told elsewhere, on its way down to the rooms' own pages (``down/told``)."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NoReturn

from cloud_relay.broker_link import Publisher
from laundryd.wire.ids import NoticeId, RoomKey, RoomRef
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import DownTold

log = logging.getLogger(__name__)

TOLD_A_MESSAGE: Final = 100
"""The wire's own limit."""
WAITING_MAX: Final = 10_000
"""Rooms and notices waiting for the broker; past it they are dropped and counted."""


class ToldSender:
    """Publishes ``down/told``; ``run`` it as a task.

    What is dropped here, or lost with the link, is said again at the edge's next hello: at worst the
    room's page tells what a push told before.
    """

    def __init__(self, link: Publisher) -> None:
        self._link = link
        self._waiting: asyncio.Queue[tuple[RoomKey, DownTold]] = asyncio.Queue(WAITING_MAX)
        self.counts: Counter[str] = Counter()

    def told(
        self, room: RoomKey, notice_ids: Sequence[NoticeId], gone: Collection[NoticeId] = ()
    ) -> None:
        """Queue notices that were told elsewhere; at once, without waiting.

        ``gone``: those of them that leave the room's open pages too; of others it may name any.
        """
        for start in range(0, len(notice_ids), TOLD_A_MESSAGE):
            ids = list(notice_ids[start : start + TOLD_A_MESSAGE])
            told = DownTold(notice_ids=ids, gone=[one for one in ids if one in gone])
            try:
                self._waiting.put_nowait((room, told))
            except asyncio.QueueFull:
                self.counts["dropped"] += 1

    async def run(self) -> NoReturn:
        """Publish what is queued, for ever."""
        while True:
            room, told = await self._waiting.get()
            topic = topic_name(RoomRef.from_key(room), Topic.DOWN_TOLD)
            sent = await self._link.publish(topic, told.model_dump_json().encode())
            self.counts["sent" if sent else "unsent"] += 1
