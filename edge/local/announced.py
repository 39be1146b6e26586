"""What staff announces in this room: shown on its page until each ends, cloud or no cloud."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from typing import Final, NoReturn, Protocol

from pydantic import ValidationError

from edge.store.documents import Documents
from laundryd.daemon.clock import Clock
from laundryd.wire.announcements import ShownAnnouncement
from laundryd.wire.ids import ResidentId, RoomKey
from laundryd.wire.notices import NOTICES, Notice, NoticeCard, Origin
from laundryd.wire.uplink import DownAnnouncement

log = logging.getLogger("laundryd.edge.local")

DOCUMENT: Final = "announcements"
LOOK_AGAIN_S: Final = 30.0
"""Real seconds after which a clock that was set is noticed at the latest."""


class NoticeStore(Protocol):
    """Where notices are kept until they are seen."""

    async def keep_notice(self, notice: Notice) -> bool:
        """Keep a notice that the relay originated; False when it is kept already."""
        ...


class Pages(Protocol):
    """The room's own live sessions."""

    def shows(self, room: RoomKey) -> int:
        """Say what is announced in ``room`` now."""
        ...

    def notify(self, card: NoticeCard, resident: ResidentId) -> int:
        """Send a notice to all sessions of ``resident``."""
        ...


class Announced:
    """What is announced here; ``load`` it before the sockets open, ``bind`` them, ``run`` it as a task."""

    def __init__(
        self, room: RoomKey, documents: Documents, notices: NoticeStore, clock: Clock
    ) -> None:
        self._room, self._documents, self._notices, self._clock = room, documents, notices, clock
        self._pages: Pages | None = None
        self._board: tuple[ShownAnnouncement, ...] = ()
        self._told: list[ShownAnnouncement] = []
        self._changed = asyncio.Event()

    def bind(self, pages: Pages) -> None:
        """Name the live sessions."""
        self._pages = pages

    async def load(self) -> None:
        """Take up what the last life was told; what cannot be read is forgotten: the relay says it again."""
        kept = await self._documents.get(DOCUMENT)
        if kept is None:
            return
        try:
            self._board = tuple(DownAnnouncement.model_validate_json(kept).shown)
        except ValidationError as error:
            log.warning("the kept announcements have %d wrong fields", error.error_count())
        self._told = self.shown()

    def shown(self) -> list[ShownAnnouncement]:
        """Return what is shown now, newest first."""
        now = self._clock.now()
        return [one for one in self._board if one.until > now]

    async def take(self, message: DownAnnouncement) -> None:
        """Show what the relay says, in the place of what it said before."""
        board = tuple(message.shown)
        if board == self._board:
            return
        self._board = board
        self._changed.set()
        try:
            await self._documents.put(DOCUMENT, message.model_dump_json())
        except sqlite3.Error as error:
            log.warning(
                "the announcements are not kept, a restart without cloud forgets: %s", error
            )

    async def take_notice(self, notice: Notice) -> None:
        """Show a resident who is here a notice of the relay's own, and know it when they acknowledge it."""
        if NOTICES[notice.kind].origin is not Origin.RELAY:
            log.warning("a notice of kind %s came down: the room derives those itself", notice.kind)
            return
        is_new = await self._notices.keep_notice(notice)
        if is_new and self._pages is not None:
            self._pages.notify(notice.card(), notice.resident)

    async def run(self) -> NoReturn:
        """Tell the pages whenever something else is shown: the relay said so, or one has ended."""
        while True:
            self._changed.clear()
            shown = self.shown()
            if shown != self._told and self._pages is not None:
                self._pages.shows(self._room)
                self._told = shown
            try:
                async with asyncio.timeout(self._until_next_s(shown)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _until_next_s(self, shown: Sequence[ShownAnnouncement]) -> float:
        now = self._clock.now()
        left_s = [(one.until - now).total_seconds() / self._clock.speed for one in shown]
        return max(0.0, min([*left_s, LOOK_AGAIN_S]))
