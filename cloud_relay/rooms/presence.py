"""Who is connected at the rooms' own pages, as their edges say. It lapses when an edge is gone."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Final

from laundryd.wire.ids import ResidentId, RoomKey, Run, Word
from laundryd.wire.uplink import UpHello, UpPresence

NEVER: Final = -1
"""The sequence before the first of a connection."""
RUNS_KEPT: Final = 8
"""Ended runs of an edge whose hellos are known again: a broker may keep one back, not a long row."""


class EdgePresence:
    """The sessions at all edges, merged by resident."""

    def __init__(self, kept: Mapping[RoomKey, UpPresence] | None = None) -> None:
        self._rooms: dict[RoomKey, UpPresence] = {}
        self._seqs: dict[RoomKey, int] = {}
        self._hellos: dict[RoomKey, UpHello] = {}
        self._past_runs: dict[RoomKey, deque[Run]] = defaultdict(lambda: deque(maxlen=RUNS_KEPT))
        self._sessions: dict[ResidentId, dict[tuple[RoomKey, str], bool]] = {}
        for room, presence in (kept or {}).items():
            self._take(room, presence)

    def update(self, room: RoomKey, presence: UpPresence) -> bool:
        """Take the whole presence of ``room``; False when that changes nothing or is stale."""
        if not self.is_current(room, presence.hello):
            return False
        if presence.seq <= self._seqs.get(room, NEVER):
            return False
        self._seqs[room] = presence.seq
        before = self._rooms.get(room)
        if (before.sessions if before else []) == presence.sessions:
            return False
        self._take(room, presence)
        return True

    def newcomers(self, room: RoomKey, presence: UpPresence) -> list[ResidentId]:
        """Return who has a session in ``presence`` that was not at ``room`` before, sorted."""
        before = self._rooms.get(room)
        known = {session.session_id for session in before.sessions} if before else set()
        return sorted({one.resident for one in presence.sessions if one.session_id not in known})

    def connected(self, room: RoomKey, hello: UpHello) -> bool:
        """Begin the sequence again, for a new connection; what was said stands until more is said.

        False, and nothing begins, for a hello that the broker doubled or brought late, or that the edge
        said again on a connection that is known.
        """
        newest = self._hellos.get(room)
        if newest is not None and hello.run is not None:
            is_late = hello.run == newest.run and hello.nth <= newest.nth
            if is_late or hello.run in self._past_runs[room]:
                return False
            if newest.run is not None and newest.run != hello.run:
                self._past_runs[room].append(newest.run)
        self._hellos[room] = hello
        if newest is not None and None not in {hello.run, hello.connection}:
            is_known = (newest.run, _connection(newest)) == (hello.run, hello.connection)
            if is_known:
                return False
        self._seqs.pop(room, None)
        return True

    def is_current(self, room: RoomKey, hello: Word | None) -> bool:
        """Say whether what names the connection ``hello`` is of the newest one, as far as is known."""
        newest = self._hellos.get(room)
        return newest is None or _connection(newest) in {None, hello}

    def is_anybody(self, room: RoomKey) -> bool:
        """Say whether somebody is connected at ``room``."""
        return room in self._rooms

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

    def rooms_of(self, resident: ResidentId) -> list[RoomKey]:
        """Return the rooms whose page the resident has open, sorted."""
        return sorted({room for room, _session in self._sessions.get(resident, {})})

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


def _connection(hello: UpHello) -> Word | None:
    return hello.connection or hello.word
