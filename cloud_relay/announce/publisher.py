"""Keeps what each room shows at the broker, retained, so that an edge has it at its next connect."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final, NoReturn, Protocol

from cloud_relay.broker_link import BrokerLink
from laundryd.wire.announcements import ShownAnnouncement
from laundryd.wire.ids import ResidentId, RoomKey, RoomRef
from laundryd.wire.notices import Notice, NoticeCard
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import DownAnnouncement, DownNotice

log = logging.getLogger(__name__)

LOOK_AGAIN_S: Final = 10.0
"""Real seconds after which what could not be published is tried again."""
NOTICES_MAX: Final = 10_000
"""Notices waiting for the broker; past it they are dropped and counted: they are pushed instead."""


class Shown(Protocol):
    """What rooms show."""

    def shown(self, room: RoomKey) -> Sequence[ShownAnnouncement]:
        """Return what is shown in ``room`` now."""
        ...


class EnrolledRooms(Protocol):
    """The rooms."""

    def enrolled(self) -> list[RoomKey]:
        """Name every room."""
        ...


class RoomBoards:
    """Publishes ``down/announcement`` where it is not at the broker yet, and ``down/notice``.

    ``run`` it as a task; ``bind`` it to what is shown before. ``counts``: messages by outcome.
    """

    def __init__(self, link: BrokerLink, rooms: EnrolledRooms) -> None:
        self._link, self._rooms = link, rooms
        self._shown: Shown | None = None
        self._published: dict[RoomKey, bytes] = {}
        self._notices: asyncio.Queue[tuple[RoomKey, Notice]] = asyncio.Queue(NOTICES_MAX)
        self._wake = asyncio.Event()
        self.counts: Counter[str] = Counter()

    def bind(self, shown: Shown) -> None:
        """Name who knows what is shown; call it once, before anything runs."""
        self._shown = shown

    def changed(self) -> None:
        """Look soon: a room shows something else."""
        self._wake.set()

    def connected(self) -> None:
        """Publish for all rooms soon: a broker that lost its store has nothing."""
        self._published.clear()
        self._wake.set()

    def notice(self, room: RoomKey, card: NoticeCard, resident: ResidentId) -> None:
        """Queue a notice of ours for somebody on the page of ``room``; at once, without waiting."""
        notice = Notice.model_validate({**card.model_dump(), "resident": resident})
        try:
            self._notices.put_nowait((room, notice))
        except asyncio.QueueFull:
            self.counts["dropped"] += 1

    async def run(self) -> NoReturn:
        """Publish what is new, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_notices(), name="notices down")
            while True:
                self._wake.clear()
                if self._link.connected:
                    await self.publish_new()
                try:
                    async with asyncio.timeout(LOOK_AGAIN_S):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        raise AssertionError("publishing ends only by cancellation")

    async def publish_new(self) -> int:
        """Publish what is not at the broker yet; return for how many rooms."""
        if self._shown is None:
            raise RuntimeError("nobody knows what is shown: call bind first")
        count = 0
        for room in self._rooms.enrolled():
            body = DownAnnouncement(shown=list(self._shown.shown(room))).model_dump_json().encode()
            if self._published.get(room) == body:
                continue
            topic = topic_name(RoomRef.from_key(room), Topic.DOWN_ANNOUNCEMENT)
            sent = await self._link.publish(topic, body, retain=True)
            self.counts["sent" if sent else "unsent"] += 1
            if sent:
                self._published[room] = body
                count += 1
        return count

    async def _send_notices(self) -> NoReturn:
        while True:
            room, notice = await self._notices.get()
            topic = topic_name(RoomRef.from_key(room), Topic.DOWN_NOTICE)
            body = DownNotice(notice=notice).model_dump_json().encode()
            sent = await self._link.publish(topic, body)
            self.counts["sent" if sent else "unsent"] += 1
