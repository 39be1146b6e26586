"""The live server as the planner sees it: where a notice is shown, and who is there to see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cloud_relay.rooms.presence import EdgePresence
from laundryd.live.server import LiveServer
from laundryd.wire.ids import NoticeId, ResidentId, RoomKey, SessionId
from laundryd.wire.notices import NOTICES, NoticeCard, Origin


class DownNotices(Protocol):
    """The way down to the rooms' own pages."""

    def notice(self, room: RoomKey, card: NoticeCard, resident: ResidentId) -> None:
        """Send a notice of ours to somebody on the page of ``room``; only queues."""
        ...


class Sockets:
    """Merges the relay's own sessions with those that edges report.

    Planner and live server need each other; ``bind`` closes the circle before anything runs.
    """

    def __init__(self, edges: EdgePresence, down: DownNotices) -> None:
        self._edges = edges
        self._down = down
        self._live: LiveServer | None = None

    def bind(self, live: LiveServer) -> None:
        """Name the live server; call it once, before any other method."""
        self._live = live

    @property
    def live(self) -> LiveServer:
        """The live server.

        Raises:
            RuntimeError: ``bind`` was not called yet.

        """
        if self._live is None:
            raise RuntimeError("the live server is not bound yet: call bind first")
        return self._live

    def attentive(self, resident: ResidentId) -> bool:
        """Say whether the resident looks at a page, the relay's or a room's own."""
        here = any(session.attentive for session in self.live.sessions(resident))
        return here or self._edges.attentive(resident)

    def open(self, resident: ResidentId) -> bool:
        """Say whether the resident has a page open anywhere."""
        return bool(self.live.sessions(resident)) or self._edges.open(resident)

    def notify(self, card: NoticeCard, resident: ResidentId) -> int:
        """Send a notice to the resident's sessions here; return how many took it.

        One that no room can originate goes down to the rooms whose pages they have open, too.
        """
        if NOTICES[card.kind].origin is Origin.RELAY:
            for room in self._edges.rooms_of(resident):
                self._down.notice(room, card, resident)
        return self.live.notify(card, resident)

    def notice_gone(
        self, resident: ResidentId, ids: Sequence[NoticeId], *, but: SessionId | None
    ) -> None:
        """Take notices off the resident's pages, except the one that has just shown them."""
        self.live.notice_gone(resident, ids, but=but)
