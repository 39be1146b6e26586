"""Who is connected at the rooms' own pages, as their edges say. It lapses when an edge is gone."""

from __future__ import annotations

from collections.abc import Mapping

from laundryd.wire.ids import ResidentId, RoomKey
from laundryd.wire.uplink import UpPresence

NEVER = -1
"""The sequence before the first of a connection."""


class EdgePresence:
    """The sessions at all edges, merged by resident."""

    def __init__(self, kept: Mapping[RoomKey, UpPresence] | None = None) -> None:
        self._rooms: dict[RoomKey, UpPresence] = {}
        self._seqs: dict[RoomKey, int] = {}
        self._sessions: dict[ResidentId, dict[tuple[RoomKey, str], bool]] = {}
        for room, presence in (kept or {}).items():
            self._take(room, presence)

    def update(self, room: RoomKey, presence: UpPresence) -> bool:
        """Take the whole presence of ``room``; False when a newer one of this connection is known."""
        if presence.seq <= self._seqs.get(room, NEVER):
            return False
        self._take(room, presence)
        self._seqs[room] = presence.seq
        return True

    def connected(self, room: RoomKey) -> None:
        """Begin the sequence again, for a new connection; what was said stands until more is said."""
        self._seqs.pop(room, None)

    def lapse(self, room: RoomKey) -> None:
        """Forget everybody at a room whose edge is gone: nobody can be told through it."""
        self._seqs.pop(room, None)
        self._take(room, UpPresence(seq=0, sessions=[]))

    def attentive(self, resident: ResidentId) -> bool:
        """Say whether the resident looks at the page of a room right now."""
        return any(self._sessions.get(resident, {}).values())

    def open(self, resident: ResidentId) -> bool:
        """Say whether the resident has the page of a room open, looked at or not."""
        return resident in self._sessions

    def _take(self, room: RoomKey, presence: UpPresence) -> None:
        before = self._rooms.pop(room, None)
        for session in before.sessions if before else ():
            mine = self._sessions[session.resident]
            mine.pop((room, session.session_id), None)
            if not mine:
                del self._sessions[session.resident]
        if not presence.sessions:
            return
        self._rooms[room] = presence
        for session in presence.sessions:
            mine = self._sessions.setdefault(session.resident, {})
            mine[room, session.session_id] = session.attentive
