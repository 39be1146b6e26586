"""What the planner needs of the rooms beside it; ``app.py`` brings them together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import aiosqlite

from laundryd.wire.ids import NoticeId, ResidentId, RoomKey, SessionId
from laundryd.wire.notices import NoticeCard
from laundryd.wire.preferences import NoticePreferences


class Presence(Protocol):
    """Who is there, merged over the relay's own sessions and those at all edges."""

    def attentive(self, resident: ResidentId) -> bool:
        """Say whether a session of theirs is visible and was touched lately."""
        ...

    def open(self, resident: ResidentId) -> bool:
        """Say whether a session of theirs is connected, looked at or not."""
        ...


class Wishes(Protocol):
    """What residents wish to be told."""

    def of(self, resident: ResidentId) -> NoticePreferences:
        """Return the resident's wishes."""
        ...


class Sockets(Protocol):
    """The relay's own live sessions."""

    def notify(self, card: NoticeCard, resident: ResidentId) -> int:
        """Send to all sessions of the resident; return how many got it."""
        ...

    def notice_gone(
        self, resident: ResidentId, ids: Sequence[NoticeId], *, but: SessionId | None
    ) -> None:
        """Take notices off the resident's pages, except on the session ``but``."""
        ...


class Edges(Protocol):
    """The way down to the rooms' own pages."""

    def told(
        self, room: RoomKey, notice_ids: Sequence[NoticeId], gone: Collection[NoticeId] = (), /
    ) -> None:
        """Say soon that these notices were told elsewhere; only queues.

        Those in ``gone`` were read, or taken back: they leave the pages that are open, too.
        """
        ...


class PushQueue(Protocol):
    """Where a due notice goes. All run in the caller's transaction; ``wake`` after it."""

    async def enqueue(
        self, db: aiosqlite.Connection, card: NoticeCard, resident: ResidentId
    ) -> int:
        """Queue one delivery for each subscription of the resident; return how many."""
        ...

    async def cancel(self, db: aiosqlite.Connection, notice_ids: Sequence[NoticeId]) -> None:
        """Drop what was not sent yet."""
        ...

    async def wishes_changed(self, db: aiosqlite.Connection, resident: ResidentId) -> None:
        """Judge anew what waits for the end of the resident's quiet hours."""
        ...

    def wake(self) -> None:
        """Look at the queue now."""
        ...
