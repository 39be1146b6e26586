"""The session server: an ASGI application of its own for ``/api/v1/live``.

A program dispatches to it before its HTTP framework, runs ``run()`` in its task group, and tells it what
to send. There is no task per session beyond the one that the web server starts for the connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Final, NoReturn

from laundryd.live.address import caller_address, is_this_computer
from laundryd.live.asgi import FRAMES_EXTENSION, FrameWriter, Receive, Scope, Send
from laundryd.live.connection import Connection
from laundryd.live.conversation import Conversation
from laundryd.live.crowd import Crowd
from laundryd.live.desk import Desk, RoomTime
from laundryd.live.door import Admission, Door, Refusal
from laundryd.live.handshake import judge, read_headers, refuse, refuse_http
from laundryd.live.hub import Hub, now_s
from laundryd.live.kept import KeptSessions
from laundryd.live.metrics import Counts
from laundryd.live.session_ids import SessionIds
from laundryd.live.sessions import SessionView
from laundryd.live.settings import LiveSettings
from laundryd.live.welcoming import EdgeStatusOf, send_mine
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.errors import ErrorCode
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import DeviceId, NoticeId, ResidentId, RoomKey, SessionId
from laundryd.wire.notices import NoticeCard

log = logging.getLogger(__name__)

_COME_LATER: Final = frozenset({ErrorCode.BUSY, ErrorCode.RATE_LIMITED})
"""Refusals that say when to come back; whoever knows it better says so in the refusal."""


class LiveServer:
    """Serves the live protocol. ``server_name`` labels its metrics: ``edge`` or ``relay``.

    ``edge_status`` says whether a room's edge is heard, None where that is no question. ``session_key``
    is secret and the same in every life of the server, so that sessions outlive a restart; None: they
    get new ids. ``trusted_proxies`` are believed whom they speak for (``X-Forwarded-For``). All methods
    must be called in the event loop that runs the server.
    """

    def __init__(
        self,
        door: Door,
        desk: Desk,
        *,
        settings: LiveSettings,
        clock: RoomTime,
        server_name: str,
        edge_status: EdgeStatusOf = lambda _room: None,
        session_key: bytes | None = None,
        trusted_proxies: Collection[IPv4Network | IPv6Network] = (),
    ) -> None:
        self._door = door
        self._desk = desk
        self._settings = settings
        self._edge_status = edge_status
        self._counts = Counts(server_name)
        self._hub = Hub(
            settings,
            clock,
            self._counts,
            since=desk.since,
            session_ids=SessionIds(session_key),
            presence_changed=desk.presence_changed,
        )
        self._tasks: asyncio.TaskGroup | None = None
        self._crowd = Crowd(settings)
        self._trusted_proxies = trusted_proxies

    # -- life

    def restore(self, kept: KeptSessions, real_now: datetime) -> None:
        """Take in the sessions of the last life, as dropped just now; call it before ``run``."""
        self._hub.restore(kept.sessions, kept_s_ago=kept.age_s(real_now))

    def kept_sessions(self, real_now: datetime) -> KeptSessions:
        """Write down all sessions for the next life."""
        return KeptSessions(kept_at=real_now, sessions=self._hub.sessions.kept(now_s()))

    async def run(self, beat: Callable[[], None] = lambda: None) -> NoReturn:
        """Flush batches, watch the timers, hold the tasks of commands and slow readers.

        ``beat`` is called whenever the timers were looked at, once in a few seconds or more often.
        Cancel it to stop: all connections are closed with 1001.
        """
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await self._keep_time(beat)
            finally:
                self._hub.close_all(CloseCode.GOING_AWAY)
                self._tasks = None
        raise AssertionError("unreachable: keeping time only ends by cancellation")

    async def _keep_time(self, beat: Callable[[], None]) -> NoReturn:
        hub = self._hub
        next_sweep_s = now_s() + self._settings.sweep_s
        while True:
            beat()
            hub.burst_began.clear()
            hub.flush_due()
            if now_s() >= next_sweep_s:
                hub.sweep()
                next_sweep_s = now_s() + self._settings.sweep_s
            due_s = hub.due_s()
            wake_s = next_sweep_s if due_s is None else min(due_s, next_sweep_s)
            try:
                async with asyncio.timeout_at(wake_s):
                    await hub.burst_began.wait()
            except TimeoutError:
                continue

    def _spawn(self, coroutine: Coroutine[object, object, None]) -> bool:
        if self._tasks is None:
            return False
        self._tasks.create_task(coroutine)
        return True

    # -- ASGI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection from handshake to end."""
        if scope["type"] == "http":
            await refuse_http(send)
            return
        if scope["type"] != "websocket":
            raise ValueError(f"the live server speaks WebSocket only, not {scope['type']}")
        await receive()  # websocket.connect
        headers = read_headers(scope["headers"])
        address = self._counted_address(scope, headers)
        self._crowd.enter(address)
        self._counts.connections.inc()
        try:
            admission = await self._judge(headers, address)
            if isinstance(admission, Refusal):
                await self._refuse(scope, send, admission)
                return
            writer: FrameWriter | None = scope.get("extensions", {}).get(FRAMES_EXTENSION)
            del headers, scope  # they would live as long as the connection
            try:
                await self._serve(admission, receive, send, writer)
            finally:
                self._crowd.leave_as(admission.resident)
        except OSError:
            # ASGI: the client was gone before the handshake's answer.
            log.debug("live: a client left during its handshake")
        finally:
            self._crowd.leave(address)
            self._counts.connections.dec()

    def _counted_address(self, scope: Scope, headers: Mapping[str, str]) -> str | None:
        peer = scope.get("client")
        address = caller_address(
            peer[0] if peer else "", headers.get("x-forwarded-for", ""), self._trusted_proxies
        )
        return None if is_this_computer(address) else address

    async def _judge(self, headers: Mapping[str, str], address: str | None) -> Admission | Refusal:
        """Let a handshake in, counted as its resident's, or say why not."""
        refusal = judge(headers, self._settings) or self._crowd.refuse_address(address)
        if refusal is None and self._tasks is None:
            refusal = Refusal(ErrorCode.BUSY)
        if refusal is not None:
            return refusal
        try:
            admission = await self._door.admit(headers)
        except Exception:
            log.exception("live: the door failed")
            return Refusal(ErrorCode.INTERNAL)
        if isinstance(admission, Refusal):
            return admission
        shut_out_s = self._hub.misdeeds.shut_out_for_s(admission.resident, now_s())
        if shut_out_s:
            return Refusal(
                ErrorCode.RATE_LIMITED, "Too many of your frames were refused.", shut_out_s
            )
        return self._crowd.enter_as(admission.resident) or admission

    async def _serve(
        self, admission: Admission, receive: Receive, send: Send, writer: FrameWriter | None
    ) -> None:
        await send({"type": "websocket.accept"})
        connection = Connection(
            send,
            admission,
            self._settings,
            writer=writer,
            spawn=self._spawn,
            now_s=now_s(),
        )
        self._hub.add(connection)
        on_purpose = False
        try:
            on_purpose = await Conversation(
                self._hub,
                self._desk,
                self._door,
                connection,
                receive,
                edge_status=self._edge_status,
            ).run()
        except asyncio.CancelledError:
            if not connection.was_cut:
                raise
        finally:
            connection.closing = True
            self._hub.remove(connection, on_purpose=on_purpose)

    async def _refuse(self, scope: Scope, send: Send, refusal: Refusal) -> None:
        self._counts.refused(refusal.code)
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close"})  # becomes a bare 403
            return
        retry_after_s = refusal.retry_after_s
        if retry_after_s is None and refusal.code in _COME_LATER:
            retry_after_s = self._settings.retry_after_s
        await refuse(send, refusal, retry_after_s=retry_after_s)

    # -- what the program tells

    def publish(self, event: PublicEvent) -> None:
        """Send ``event`` to everybody who listens to its room: at once, or with its burst in 100 ms.

        Call it in the order of the journal, after the event is kept there.
        """
        self._hub.publish(event)

    async def send_mine(self, resident: ResidentId) -> None:
        """Read what is ``resident``'s from the desk and send it to all their sessions."""
        await send_mine(self._hub, self._desk, self._hub.sessions.links(resident))

    def notify(self, card: NoticeCard, resident: ResidentId) -> int:
        """Send a notice to all sessions of ``resident``; return how many took it.

        Call it after the notice is kept, so that a session that is just joining finds it as pending.
        """
        return self._hub.notify(card, resident)

    def notice_gone(
        self, resident: ResidentId, ids: Iterable[NoticeId], *, but: SessionId | None = None
    ) -> int:
        """Take notices off all pages of ``resident``; return how many sessions were told.

        ``but``: the session that has just shown them, which keeps them on its page; None for no such.
        """
        return self._hub.notice_gone(resident, list(ids), but)

    def room_status(self, status: frames.RoomStatus) -> int:
        """Say that a room's edge came or went; return how many sessions were told."""
        return self._hub.tell_room(status.room, status)

    def shows(self, room: RoomKey) -> int:
        """Say what staff announces in ``room`` now, as the desk knows it; return how many were told."""
        shown = list(self._desk.shown(room))
        return self._hub.tell_room(room, frames.ShownInRoom(room=room, shown=shown))

    def room_replaced(self, room: RoomKey) -> int:
        """Say that a snapshot took the place of a room's journal: an edge began a new epoch.

        Everybody who listens to it is closed with 4003, comes back, is told that they did not recover
        and fetches the room; otherwise they would not see it before its next event. Return how many.
        """
        return self._hub.close_room(room, CloseCode.STARVED)

    def close_device(self, device: DeviceId) -> int:
        """Close all connections of a revoked device; return how many."""
        return self._hub.close_device(device)

    # -- what the program asks

    def sessions(self, resident: ResidentId) -> Sequence[SessionView]:
        """Show the sessions of ``resident``, those that dropped just now included."""
        return list(self._hub.sessions.views(resident))

    def all_sessions(self) -> Sequence[SessionView]:
        """Show all sessions, those that dropped just now included."""
        return list(self._hub.sessions.views())
