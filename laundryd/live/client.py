"""A Python client of the live protocol, for programs and tests: it comes back and resumes by itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Origin

from laundryd.live.errors import (
    LiveClosedError,
    LiveError,
    LiveRefusedError,
    LiveTimeoutError,
)
from laundryd.live.follow import Step, step
from laundryd.wire import frames
from laundryd.wire.bodies import Problem
from laundryd.wire.close_codes import may_reconnect
from laundryd.wire.commands import CommandName, CommandParams
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import NoticeId, Position, RoomKey, SessionId, Slug
from laundryd.wire.notices import Lang

log = logging.getLogger(__name__)

Frame = TypeVar("Frame", bound=frames.ServerFrame)
Item = TypeVar("Item")

INBOX_MAX: Final = 10_000
"""Frames and events that are kept unread; the oldest go first. A test or a demo reads far sooner."""
OPEN_TIMEOUT_S: Final = 10.0
"""Seconds for TCP, TLS and handshake."""
FRAME_MAX_BYTES: Final = 1 << 20
"""Largest frame taken: a hundred events with long names are under 100 KB."""
_FINAL_STATUS: Final = frozenset({400, 401, 403, 404, 421})
"""Handshake answers that another try does not change."""
_FIRST_BACKOFF: Final = frames.Backoff(first_s=1, factor=2, cap_s=30)
"""Until a welcome says otherwise."""


@dataclass(frozen=True, slots=True)
class Received(Generic[Item]):
    """A frame or an event, and when it came in: ``time.monotonic()`` seconds."""

    item: Item
    received_s: float


@dataclass(slots=True)
class _Inbox(Generic[Item]):
    """What came in and was not asked for yet."""

    items: deque[Received[Item]] = field(default_factory=lambda: deque(maxlen=INBOX_MAX))

    def take(self, wanted: Callable[[Item], bool]) -> Received[Item] | None:
        for index, received in enumerate(self.items):
            if wanted(received.item):
                del self.items[index]
                return received
        return None


class LiveClient:
    """One session. Use it with ``async with``; it connects in the background and comes back by itself.

    ``url`` is ``ws://`` or ``wss://`` up to and with the path; ``token`` goes into the Authorization
    header. ``rooms`` are the rooms to listen to, with the position where the caller stands, None for a
    room never seen. ``session_id`` continues an earlier session.

    ``positions`` follows the events by the protocol's rule. A room in ``needs_snapshot`` had a gap: GET
    it and say so with ``snapshot_taken``.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        rooms: Iterable[RoomKey] | Mapping[RoomKey, Position | None],
        visible: bool = True,
        lang: Lang = Lang.EN,
        session_id: SessionId | None = None,
        origin: str | None = None,
    ) -> None:
        self._url = url
        self._token = token
        self._origin = origin
        self._visible = visible
        self._touched_s = time.monotonic()
        self._lang = lang
        self.session_id = session_id
        self.positions: dict[RoomKey, Position | None] = (
            dict(rooms) if isinstance(rooms, Mapping) else dict.fromkeys(rooms)
        )
        self.needs_snapshot: set[RoomKey] = set()
        self.duplicates = 0
        """Events that came over the socket a second time."""
        self._came_to: dict[RoomKey, Position] = {}
        self.connections = 0
        """Welcomes so far."""
        self._frames: _Inbox[frames.ServerFrame] = _Inbox()
        self._events: _Inbox[PublicEvent] = _Inbox()
        self._changed = asyncio.Event()
        self._try_now = asyncio.Event()
        self._opened: ClientConnection | None = None
        self._socket: ClientConnection | None = None
        """The opened connection once it was welcomed."""
        self._task: asyncio.Task[None] | None = None
        self._failed: LiveError | None = None
        self._backoff = _FIRST_BACKOFF
        self._tries = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._stay_connected(), name="live-client")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close on purpose (code 1000) and stop coming back."""
        task, self._task = self._task, None
        if task is None:
            return
        if self._opened is not None:
            await self._opened.close()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    def drop(self) -> None:
        """Lose the connection as a network does, without a close frame; it comes back by itself."""
        if self._opened is not None:
            self._opened.transport.abort()

    # -- receiving

    async def next_frame(
        self,
        kind: type[Frame],
        timeout_s: float = 5.0,
        *,
        where: Callable[[Frame], bool] = lambda _frame: True,
    ) -> Received[Frame]:
        """Return the oldest unread frame of ``kind`` for which ``where`` holds; others stay.

        Raises:
            LiveTimeoutError: none came within ``timeout_s``.
            LiveRefusedError, LiveClosedError: the connection has ended for good.

        """

        def wanted(frame: frames.ServerFrame) -> bool:
            return isinstance(frame, kind) and where(frame)

        found = await self._next(self._frames, wanted, timeout_s, kind.__name__)
        if not isinstance(found.item, kind):
            raise TypeError(f"{found.item.type} was taken for {kind.__name__}")
        return Received(found.item, found.received_s)

    async def next_event(
        self,
        where: Callable[[PublicEvent], bool] = lambda _event: True,
        timeout_s: float = 5.0,
    ) -> Received[PublicEvent]:
        """Return the oldest unread event for which ``where`` holds; duplicates never come.

        Raises:
            LiveTimeoutError: none came within ``timeout_s``.
            LiveRefusedError, LiveClosedError: the connection has ended for good.

        """
        return await self._next(self._events, where, timeout_s, "event")

    async def welcomed(self, timeout_s: float = 10.0) -> frames.Welcome:
        """Return the next welcome."""
        return (await self.next_frame(frames.Welcome, timeout_s)).item

    def unread_events(self) -> list[PublicEvent]:
        """Return all unread events, oldest first, and leave them."""
        return [received.item for received in self._events.items]

    def unread_frames(self) -> list[frames.ServerFrame]:
        """Return all unread frames, oldest first, and leave them."""
        return [received.item for received in self._frames.items]

    def snapshot_taken(self, room: RoomKey, position: Position) -> None:
        """Say that the caller has the whole room at ``position``."""
        self.needs_snapshot.discard(room)
        self.positions[room] = position

    # -- sending

    async def send_command(
        self,
        room: RoomKey,
        machine: Slug,
        name: CommandName,
        *,
        minutes: int | None = None,
        command_id: str | None = None,
        timeout_s: float = 10.0,
    ) -> frames.Result:
        """Send a command and wait for its result.

        Raises:
            LiveTimeoutError: no result came; the same ``command_id`` may be sent again.

        """
        command_id = command_id or uuid.uuid4().hex
        await self.send(
            frames.Command(
                id=command_id,
                room=room,
                machine=machine,
                name=name,
                params=CommandParams(minutes=minutes),
            )
        )
        found = await self.next_frame(
            frames.Result, timeout_s, where=lambda result: result.id == command_id
        )
        return found.item

    async def ack(self, notice_ids: Iterable[NoticeId]) -> None:
        """Say that these notices were rendered on a visible page."""
        await self.send(frames.Ack(notice_ids=list(notice_ids)))

    async def read(self, notice_ids: Iterable[NoticeId]) -> None:
        """Say that the resident opened or dismissed these notices."""
        await self.send(frames.Read(notice_ids=list(notice_ids)))

    async def attention(self, *, visible: bool, touched_s_ago: float = 0.0) -> None:
        """Say whether the page is visible and when it was touched; repeated after each reconnect."""
        self._visible = visible
        self._touched_s = time.monotonic() - touched_s_ago
        await self.send(frames.Attention(visible=visible, touched_s_ago=touched_s_ago))

    async def ping(self) -> None:
        """Ask the server whether it lives; wait for a ``Pong`` frame."""
        await self.send(frames.Ping())

    async def send(self, frame: frames.ClientFrame, timeout_s: float = 10.0) -> None:
        """Send a frame, once the client is connected.

        Raises:
            LiveTimeoutError: the client did not get connected within ``timeout_s``.

        """
        await self._until(lambda: self._socket is not None, timeout_s, "connection")
        if self._socket is None:
            raise LiveTimeoutError(f"{self._url}: the connection went away again")
        await self._socket.send(frame.model_dump_json())

    def try_now(self) -> None:
        """Do not wait for the next try, as an app does not when its device is online again."""
        self._try_now.set()

    # -- the connection

    async def _stay_connected(self) -> None:
        try:
            while True:
                try:
                    await self._connect_once()
                except LiveError as error:
                    self._failed = error
                    return
                # Full jitter: everybody comes back after a restart, but not all in the same moment.
                span_s = self._backoff.first_s * self._backoff.factor**self._tries
                self._tries += 1
                # No secret depends on it.
                wait_s = random.uniform(0, min(self._backoff.cap_s, span_s))  # noqa: S311
                self._try_now.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._try_now.wait()
        finally:
            self._wake()

    async def _connect_once(self) -> None:
        try:
            async with connect(
                self._url,
                additional_headers={"Authorization": f"Bearer {self._token}"},
                origin=None if self._origin is None else Origin(self._origin),
                compression=None,
                ping_interval=None,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=1,
                max_size=FRAME_MAX_BYTES,
                proxy=None,
            ) as socket:
                await self._talk(socket)
        except InvalidStatus as error:
            response = error.response
            if response.status_code in _FINAL_STATUS:
                raise _refused(response.status_code, bytes(response.body or b"")) from error
        except (OSError, TimeoutError, InvalidHandshake):
            return  # try again later

    async def _talk(self, socket: ClientConnection) -> None:
        identify = frames.Identify(
            session_id=self.session_id,
            rooms=self.positions,
            visible=self._visible,
            lang=self._lang,
        )
        self._opened = socket
        try:
            await socket.send(identify.model_dump_json())
            async for message in socket:
                try:
                    frame = frames.SERVER_FRAME.validate_json(message)
                except ValidationError as error:
                    # A newer server may say more than we know; what is in it stays unlogged.
                    log.warning("live client: skipped a frame: %d errors", error.error_count())
                    continue
                await self._take(socket, frame)
        except ConnectionClosed:
            pass
        finally:
            self._opened = self._socket = None
        code = socket.close_code or 1006
        if not may_reconnect(code):
            raise LiveClosedError(code)

    async def _take(self, socket: ClientConnection, frame: frames.ServerFrame) -> None:
        received_s = time.monotonic()
        match frame:
            case frames.Welcome():
                await self._take_welcome(socket, frame)
            case frames.Batch():
                for event in frame.events:
                    self._take_event(event, received_s)
            case frames.Ping():
                await socket.send(frames.Pong().model_dump_json())
            case _:
                pass
        self._frames.items.append(Received(frame, received_s))
        self._wake()

    async def _take_welcome(self, socket: ClientConnection, frame: frames.Welcome) -> None:
        self.session_id = frame.session_id
        self._backoff = frame.backoff
        self._tries = 0
        self.connections += 1
        for room, resume in frame.rooms.items():
            if not resume.recovered:
                self.needs_snapshot.add(room)
                self.positions[room] = Position(epoch=resume.epoch, offset=resume.offset)
        self._socket = socket
        attention = frames.Attention(
            visible=self._visible, touched_s_ago=max(0.0, time.monotonic() - self._touched_s)
        )
        await socket.send(attention.model_dump_json())

    def _take_event(self, event: PublicEvent, received_s: float) -> None:
        decision = step(self.positions.get(event.room), event)
        came = self._came_to.get(event.room)
        again = came is not None and came.epoch == event.epoch and event.offset <= came.offset
        if not again:
            self._came_to[event.room] = Position(epoch=event.epoch, offset=event.offset)
        if decision is Step.DUPLICATE:
            # One that comes for the first time and is known already stood in a snapshot: no double.
            self.duplicates += again
            return
        if decision is Step.GAP:
            self.needs_snapshot.add(event.room)
        self.positions[event.room] = Position(epoch=event.epoch, offset=event.offset)
        self._events.items.append(Received(event, received_s))

    # -- waiting

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _next(
        self,
        inbox: _Inbox[Item],
        wanted: Callable[[Item], bool],
        timeout_s: float,
        what: str,
    ) -> Received[Item]:
        found: list[Received[Item]] = []

        def look() -> bool:
            taken = inbox.take(wanted)
            if taken is not None:
                found.append(taken)
            return taken is not None

        await self._until(look, timeout_s, what)
        return found[0]

    async def _until(self, ready: Callable[[], bool], timeout_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not ready():
                    if self._failed is not None:
                        raise self._failed
                    await self._changed.wait()
        except TimeoutError:
            unread = [received.item.type for received in self._frames.items]
            raise LiveTimeoutError(
                f"{self._url}: no {what} within {timeout_s} s; unread are {unread[-20:]}"
            ) from None


def _refused(status: int, body: bytes) -> LiveRefusedError:
    try:
        problem = Problem.model_validate(json.loads(body))
    except (ValueError, ValidationError):
        return LiveRefusedError(status, None, "the answer is not a problem document of ours")
    return LiveRefusedError(status, problem.code, problem.detail)
