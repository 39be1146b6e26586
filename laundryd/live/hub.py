"""Everything that is connected, and what goes out to it. Synchronous: nothing here waits for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from laundryd.live.attention import Attention
from laundryd.live.channel import Channel
from laundryd.live.connection import Connection, Encoded, encode
from laundryd.live.desk import RoomTime
from laundryd.live.kept import KeptSession
from laundryd.live.metrics import Counts
from laundryd.live.misdeeds import Misdeeds
from laundryd.live.replays import Replays, Since, encoded
from laundryd.live.session_ids import SessionIds
from laundryd.live.sessions import Sessions
from laundryd.live.settings import LiveSettings
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import DeviceId, NoticeId, Position, ResidentId, RoomKey, SessionId
from laundryd.wire.notices import NoticeCard

ERRORS_WINDOW_S: Final = 60.0
"""``errors_max`` is counted a minute, so that a tablet on the wall may err for years."""
_PING = frames.Ping()


class Hub:
    """Connections, sessions and rooms of one server. Moments are the event loop's monotonic seconds."""

    def __init__(
        self,
        settings: LiveSettings,
        clock: RoomTime,
        counts: Counts,
        *,
        since: Since,
        session_ids: SessionIds,
        presence_changed: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.counts = counts
        self.replays = Replays(since, replay_max=settings.replay_max, batch_max=settings.batch_max)
        self._presence_changed = presence_changed
        self._connections: dict[Connection, None] = {}
        self._channels: dict[RoomKey, Channel] = {}
        self._bursting: set[Channel] = set()
        self._sessions: Sessions[Connection] = Sessions(
            attentive_s=settings.attentive_s,
            linger_s=settings.linger_s,
            per_resident_max=settings.connections_per_resident_max,
            ids=session_ids,
        )
        self.misdeeds = Misdeeds(
            errors_max=settings.errors_max,
            window_s=ERRORS_WINDOW_S,
            shut_out_s=settings.shut_out_s,
        )
        self._mine_tickets = 0
        self.burst_began = asyncio.Event()
        """Set when events begin to wait for their batch, so that whoever flushes looks at ``due_s``."""

    @property
    def sessions(self) -> Sessions[Connection]:
        """The sessions, for reading."""
        return self._sessions

    # -- connections come and go

    def add(self, connection: Connection) -> None:
        """Take an accepted connection in; its timers run from now on."""
        self._connections[connection] = None

    def remove(self, connection: Connection, *, on_purpose: bool) -> None:
        """Forget a connection that has ended; ``on_purpose``: the page was closed by its reader."""
        self._connections.pop(connection, None)
        for room in connection.admission.rooms:
            self._leave(room, connection)
        if connection.close_code is not None:
            self.counts.closed(connection.close_code)
        if connection.session_id is None:
            return
        if self._sessions.detach(
            connection.session_id, connection.generation, now_s=now_s(), on_purpose=on_purpose
        ):
            self._came_or_went()

    def restrict(self, connection: Connection, rooms: frozenset[RoomKey]) -> None:
        """Let a connection see ``rooms`` at most, of those that its handshake let it see."""
        admission = connection.admission
        for room in admission.rooms - rooms:
            self._leave(room, connection)
        connection.admission = replace(admission, rooms=admission.rooms & rooms)

    def join(self, room: RoomKey, connection: Connection) -> None:
        """Hold a room's events for a connection whose history is about to be read."""
        channel = self._channels.get(room)
        if channel is None:
            channel = self._channels[room] = Channel(self.settings, self.counts)
        channel.join(connection)

    def _leave(self, room: RoomKey, connection: Connection) -> None:
        channel = self._channels.get(room)
        if channel is None:
            return
        channel.leave(connection)
        if channel.empty:
            del self._channels[room]

    def settle(
        self, room: RoomKey, connection: Connection, floor: Position | None
    ) -> Sequence[PublicEvent]:
        """Return the room's held events after ``floor`` and feed the connection from now on."""
        channel = self._channels.get(room)
        return () if channel is None else channel.settle(connection, floor)

    def encoded(self, events: Sequence[PublicEvent]) -> list[Encoded]:
        """Encode events for one connection, as a batch does."""
        return encoded(events, self.settings.batch_max)

    def attach(self, connection: Connection, asked_id: SessionId | None, *, visible: bool) -> None:
        """Make a session of an identified connection; an older connection of it is closed."""
        session, replaced = self._sessions.attach(
            asked_id=asked_id,
            resident=connection.admission.resident,
            device=connection.admission.device,
            link=connection,
            attention=Attention(visible=visible, touched_s=now_s()),
            since=self.clock.now(),
            now_s=now_s(),
        )
        connection.session_id = session.session_id
        connection.generation = session.generation
        if replaced is not None:
            replaced.close(CloseCode.REPLACED)

    def restore(self, kept: Iterable[KeptSession], *, kept_s_ago: float) -> None:
        """Take in the sessions of the server's last life."""
        self._sessions.restore(kept, kept_s_ago=kept_s_ago, now_s=now_s())
        self.counts.sessions.set(len(self._sessions))

    def attend(self, connection: Connection, frame: frames.Attention) -> None:
        """Take what an app says of its page."""
        if connection.session_id is None:
            return
        attention = Attention.told(
            visible=frame.visible, touched_s_ago=frame.touched_s_ago, now_s=now_s()
        )
        if self._sessions.attend(connection.session_id, connection.generation, attention, now_s()):
            self._presence_changed()

    def close_device(self, device: DeviceId) -> int:
        """Close all connections of a revoked device and forget its sessions; return how many closed."""
        theirs = [c for c in self._connections if c.admission.device == device]
        for connection in theirs:
            connection.close(CloseCode.REVOKED)
        if self._sessions.forget_device(device):
            self._came_or_went()
        return len(theirs)

    def close_room(self, room: RoomKey, code: CloseCode) -> int:
        """Close everybody who listens to ``room``; return how many. What waits for its batch goes before.

        Whoever is back before that batch was due would get what is older than the room they come to.
        """
        channel = self._channels.get(room)
        if channel is None:
            return 0
        channel.flush(now_s())
        listeners = channel.listeners()
        for connection in listeners:
            connection.close(code)
        return len(listeners)

    def close_all(self, code: CloseCode) -> None:
        """Close every connection."""
        for connection in list(self._connections):
            connection.close(code)

    def announce_presence(self) -> None:
        """Tell the program that somebody came."""
        self._came_or_went()

    def _came_or_went(self) -> None:
        self.counts.sessions.set(len(self._sessions))
        self._presence_changed()

    # -- what goes out

    def publish(self, event: PublicEvent) -> None:
        """Send an event to everybody who listens to its room, at once or with its burst."""
        self.counts.events.inc()
        channel = self._channels.get(event.room)
        if channel is None:
            return
        channel.publish(event, now_s())
        if channel.due_s is not None and channel not in self._bursting:
            self._bursting.add(channel)
            self.burst_began.set()

    def due_s(self) -> float | None:
        """Return the moment at which the next batch is due, None while nothing waits."""
        moments = [channel.due_s for channel in self._bursting]
        return min((moment for moment in moments if moment is not None), default=None)

    def flush_due(self) -> None:
        """Send the batches whose time has come."""
        moment_s = now_s()
        for channel in list(self._bursting):
            due_s = channel.due_s
            if due_s is not None and due_s <= moment_s:
                channel.flush(moment_s)
            if channel.due_s is None:
                self._bursting.discard(channel)

    def tell_room(self, room: RoomKey, frame: frames.RoomStatus | frames.ShownInRoom) -> int:
        """Send a frame to everybody who listens to ``room``; return how many."""
        channel = self._channels.get(room)
        told = 0 if channel is None else channel.tell(encode(frame))
        self.counts.frames(frame.type, told)
        return told

    def tell_resident(self, resident: ResidentId, frame: frames.ServerFrame) -> int:
        """Send a private frame to all sessions of ``resident``; return how many took it."""
        return self.tell_all(self._sessions.links(resident), frame)

    def tell_all(self, connections: Iterable[Connection], frame: frames.ServerFrame) -> int:
        """Encode a frame once and give it to ``connections``; return how many took it."""
        message = encode(frame)
        told = sum(connection.deliver(message) for connection in connections)
        self.counts.frames(frame.type, told)
        return told

    def notify(self, card: NoticeCard, resident: ResidentId) -> int:
        """Send a notice to all sessions of ``resident``; return how many took it."""
        for connection in self._sessions.links(resident):
            if connection.told is not None:
                connection.told.add(card.id)
        return self.tell_resident(resident, frames.NoticeFrame.of(card))

    def notice_gone(
        self, resident: ResidentId, ids: Sequence[NoticeId], but: SessionId | None
    ) -> int:
        """Take notices off all pages of ``resident`` except ``but``'s; return how many were told."""
        if not ids:
            return 0
        links = self._sessions.links(resident)
        for connection in links:
            if connection.told is not None:
                connection.told.update(ids)
        others = [link for link in links if link.session_id != but]
        return self.tell_all(others, frames.NoticeGone(ids=list(ids)))

    def mine_ticket(self) -> int:
        """Take a number before ``mine`` is read: of two readings the later begun is the newer."""
        self._mine_tickets += 1
        return self._mine_tickets

    def tell_mine(self, connections: Iterable[Connection], frame: frames.Mine, ticket: int) -> int:
        """Send ``mine``, but never an older reading after a newer one; return how many took it."""
        behind = [connection for connection in connections if connection.mine_ticket < ticket]
        for connection in behind:
            connection.mine_ticket = ticket
        return self.tell_all(behind, frame)

    # -- time

    def sweep(self) -> None:
        """Look at all timers: identify, heartbeat, expiry, attention, dropped sessions."""
        moment_s = now_s()
        settings = self.settings
        silent = []
        for connection in list(self._connections):
            if connection.closing:
                continue
            if connection.expires_s is not None and moment_s >= connection.expires_s:
                connection.close(CloseCode.REVOKED)
            elif connection.session_id is None:
                late = moment_s - connection.accepted_s >= settings.identify_s
                if late and not connection.identifying:
                    connection.close(CloseCode.IDENTIFY_TIMEOUT)
            elif moment_s - connection.heard_s >= 2 * settings.heartbeat_s:
                connection.close(CloseCode.HEARTBEAT_MISSED)
            elif moment_s - max(connection.heard_s, connection.pinged_s) >= settings.heartbeat_s:
                connection.pinged_s = moment_s
                silent.append(connection)
        self.tell_all(silent, _PING)
        self.misdeeds.sweep(moment_s)
        waits = (connection.waits for connection in self._connections)
        self.counts.queues([found for found in waits if found is not None])
        if self._sessions.sweep(moment_s):
            self._came_or_went()


def now_s() -> float:
    """Real monotonic seconds of the running event loop."""
    return asyncio.get_running_loop().time()
