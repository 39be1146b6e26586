"""What each room shows, kept at the broker, and the relay's own notices on their way to rooms' pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NoReturn, Protocol

from typing_extensions import override

from cloud_relay.broker_link import BrokerLink
from cloud_relay.retained import RetainedDocuments
from laundryd.wire.announcements import ShownAnnouncement
from laundryd.wire.ids import ResidentId, RoomKey, RoomRef
from laundryd.wire.notices import Notice, NoticeCard
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import DownAnnouncement, DownNotice

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


class RoomBoards(RetainedDocuments):
    """Publishes ``down/announcement``, and ``down/notice`` beside it.

    ``bind`` it to what is shown before it runs. ``counts``: messages by outcome, ``dropped`` for notices
    that found no room in the queue.
    """

    def __init__(self, link: BrokerLink, rooms: EnrolledRooms) -> None:
        super().__init__(link, Topic.DOWN_ANNOUNCEMENT)
        self._rooms = rooms
        self._shown: Shown | None = None
        self._notices: asyncio.Queue[tuple[RoomKey, Notice]] = asyncio.Queue(NOTICES_MAX)

    def bind(self, shown: Shown) -> None:
        """Name who knows what is shown; call it once, before anything runs."""
        self._shown = shown

    def notice(self, room: RoomKey, card: NoticeCard, resident: ResidentId) -> None:
        """Queue a notice of ours for somebody on the page of ``room``; at once, without waiting."""
        notice = Notice.model_validate({**card.model_dump(), "resident": resident})
        try:
            self._notices.put_nowait((room, notice))
        except asyncio.QueueFull:
            self.counts["dropped"] += 1

    @override
    async def rooms(self) -> Sequence[RoomKey]:
        return self._rooms.enrolled()

    @override
    async def document(self, room: RoomKey) -> bytes:
        if self._shown is None:
            raise RuntimeError("nobody knows what is shown: call bind first")
        return DownAnnouncement(shown=list(self._shown.shown(room))).model_dump_json().encode()

    @override
    async def run(self, beat: Callable[[], None] = lambda: None) -> NoReturn:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_notices(), name="notices down")
            await super().run(beat)
        raise AssertionError("publishing ends only by cancellation")

    async def _send_notices(self) -> NoReturn:
        while True:
            room, notice = await self._notices.get()
            topic = topic_name(RoomRef.from_key(room), Topic.DOWN_NOTICE)
            body = DownNotice(notice=notice).model_dump_json().encode()
            sent = await self._link.publish(topic, body)
            self.counts["sent" if sent else "unsent"] += 1
