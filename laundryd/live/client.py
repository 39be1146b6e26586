"""A Python client of the live protocol, for programs and tests: it comes back and resumes by itself.

What it decides is pure and stands in ``following``; ``driver`` does it; here is what a caller uses.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Final, Self, TypeVar

from laundryd.live.driver import Driver, Told, now_s
from laundryd.live.errors import LiveError, LiveRefusedError, LiveTimeoutError
from laundryd.live.following.actions import (
    Apply,
    AskWhy,
    Connect,
    Drop,
    Get,
    Send,
    Show,
    State,
    Take,
)
from laundryd.live.following.core import Core
from laundryd.live.inbox import Inbox, Received
from laundryd.live.web import Web
from laundryd.wire import frames
from laundryd.wire.commands import CommandName, CommandParams
from laundryd.wire.events import AckKind, PublicEvent
from laundryd.wire.ids import NoticeId, PagePosition, Position, RoomKey, SessionId, Slug
from laundryd.wire.notices import Lang

Frame = TypeVar("Frame", bound=frames.ServerFrame)
Item = TypeVar("Item")

SEND_WITHIN_S: Final = 10.0
"""How long a frame waits for a connection."""


class LiveClient:
    """One session. Use it with ``async with``; it connects in the background and comes back by itself.

    ``url`` is ``ws://`` or ``wss://`` up to and with the path; ``token`` goes into the Authorization
    header. ``rooms`` are the rooms to listen to, with the position where the caller stands, None for a
    room never seen. ``session_id`` continues an earlier session.

    ``positions`` follows the events by the protocol's rule. With ``web`` the client fetches by itself
    what cannot be resumed, holds what comes meanwhile, and asks why it was refused. Without it, a room
    in ``needs_snapshot`` had a gap: GET it and say so with ``snapshot_taken``.

    ``listener`` is told everything that was decided and that came, in order, and must not wait.
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
        web: Web | None = None,
        listener: Callable[[Told], None] = lambda _told: None,
    ) -> None:
        self._core = Core(
            dict(rooms) if isinstance(rooms, Mapping) else dict.fromkeys(rooms),
            lang=lang,
            random=random.random,
            session_id=session_id,
            visible=visible,
            now_s=now_s(),
        )
        self._driver = Driver(self._core, url, token, origin=origin, web=web, tell=self._hear)
        self._listener = listener
        self.state = State.CONNECTING
        self.connections = 0
        """Welcomes so far."""
        self._frames: Inbox[frames.ServerFrame] = Inbox()
        self._events: Inbox[PublicEvent] = Inbox()
        self._task: asyncio.Task[None] | None = None

    @property
    def needs_snapshot(self) -> set[RoomKey]:
        """Rooms that the caller must GET: what was missed could not be replayed."""
        return self._driver.needs_snapshot

    @property
    def session_id(self) -> SessionId | None:
        """The session's name; None before the first welcome."""
        return self._core.session_id

    @property
    def positions(self) -> Mapping[RoomKey, PagePosition | None]:
        """Where the client stands in each room."""
        return self._core.rooms.positions

    @property
    def duplicates(self) -> int:
        """Events that came over the socket a second time."""
        return self._core.rooms.duplicates

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._driver.run(), name="live-client")
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
        await self._driver.close()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def ended(self) -> LiveError | None:
        """Wait until the server has ended it for good, and return why; None: it was closed by us."""
        if self._task is not None:
            await asyncio.wait([self._task])
        return self._driver.failed

    def drop(self) -> None:
        """Lose the connection as a network does, without a close frame; it comes back by itself."""
        self._driver.abort()

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

    async def next_any(self, timeout_s: float = 5.0) -> Received[frames.ServerFrame]:
        """Return the oldest unread frame, whatever it is: for who needs the order of all of them.

        Raises:
            LiveTimeoutError: none came within ``timeout_s``.
            LiveRefusedError, LiveClosedError: the connection has ended for good.

        """
        return await self._next(self._frames, lambda _frame: True, timeout_s, "frame")

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
        """Say that the caller has the whole room at ``position``; a ``PagePosition`` names its run, too."""
        self.needs_snapshot.discard(room)
        self._core.rooms.positions[room] = PagePosition.of(position)

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
        """Say that these notices were rendered on a visible page: now, or once it is connected."""
        self._driver.perform(self._core.acknowledge(AckKind.SHOWN, notice_ids))

    async def read(self, notice_ids: Iterable[NoticeId]) -> None:
        """Say that the resident opened or dismissed these notices: now, or once it is connected."""
        self._driver.perform(self._core.acknowledge(AckKind.READ, notice_ids))

    async def attention(self, *, visible: bool, touched_s_ago: float = 0.0) -> None:
        """Say whether the page is visible and when it was touched; repeated after each reconnect."""
        self._driver.perform(
            self._core.attend(visible=visible, now_s=now_s(), touched_s_ago=touched_s_ago)
        )

    async def ping(self) -> None:
        """Ask the server whether it lives; wait for a ``Pong`` frame."""
        await self._until(lambda: self._core.is_live, SEND_WITHIN_S, "connection")
        self._driver.perform(self._core.ping())

    async def send(self, frame: frames.ClientFrame, timeout_s: float = SEND_WITHIN_S) -> None:
        """Send a frame, once the client is connected; pings by ``ping``, acknowledgements by ``ack``.

        Raises:
            LiveTimeoutError: the client did not get connected within ``timeout_s``.

        """
        await self._until(lambda: self._core.is_live, timeout_s, "connection")
        self._driver.perform([Send(frame)])

    def try_now(self) -> None:
        """Do not wait for the next try, as an app does not when its device is online again."""
        self._driver.perform(self._core.woken(now_s()))

    # -- waiting

    def _hear(self, told: Told) -> None:
        match told:
            case Show(state):
                self.state = state
            case Apply(event):
                self._events.items.append(Received(event, now_s()))
            case Connect() | Drop() | Send() | Get() | AskWhy() | Take() | LiveRefusedError():
                pass
            case _:
                self.connections += isinstance(told, frames.Welcome)
                self._frames.items.append(Received(told, now_s()))
        self._listener(told)

    async def _next(
        self,
        inbox: Inbox[Item],
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
                    if self._driver.failed is not None:
                        raise self._driver.failed
                    await self._driver.changed()
        except TimeoutError:
            unread = [received.item.type for received in self._frames.items]
            raise LiveTimeoutError(
                f"{self._driver.url}: no {what} within {timeout_s} s; unread are {unread[-20:]}"
            ) from None
