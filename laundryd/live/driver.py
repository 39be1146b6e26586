"""Does what a client's core decides: opens connections, sends, fetches, waits. Decides nothing itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Final

from pydantic import ValidationError
from typing_extensions import override
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Origin

from laundryd.live.errors import (
    LiveClosedError,
    LiveError,
    LiveRefusedError,
    LiveUnreachableError,
)
from laundryd.live.following.actions import Action, AskWhy, Connect, Drop, Get, Send
from laundryd.live.following.core import FINAL_STATUS, Core
from laundryd.live.following.rooms import is_final
from laundryd.live.web import Web, refused
from laundryd.wire import frames
from laundryd.wire.close_codes import may_reconnect
from laundryd.wire.ids import RoomKey

log = logging.getLogger(__name__)

Told = Action | frames.ServerFrame | LiveRefusedError
"""What a driver tells: an action that it performs, a frame that came, or how a room was refused for good."""

OPEN_TIMEOUT_S: Final = 10.0
"""Seconds for TCP, TLS and handshake."""
FRAME_MAX_BYTES: Final = 1 << 20
"""Largest frame taken: a hundred events with long names are under 100 KB."""
_NO_CODE: Final = 1006
"""RFC 6455 section 7.4.1: the connection ended without a close frame."""
_NOT_FOUND: Final = 404


class Driver:
    """One client's I/O. ``tell`` hears everything in order, and must not wait.

    Without ``web`` nothing is fetched: the server's word for where a room stands is taken instead, and
    the room stands in ``needs_snapshot``.
    """

    def __init__(
        self,
        core: Core,
        url: str,
        token: str,
        *,
        origin: str | None,
        web: Web | None,
        tell: Callable[[Told], None],
    ) -> None:
        self.core = core
        self.url = url
        self.needs_snapshot: set[RoomKey] = set()
        self.failed: LiveError | None = None
        """Why it has ended for good."""
        self._token = token
        self._origin = origin
        self._web = web
        self._tell = tell
        self._changed = asyncio.Event()
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._number = 0
        """Of the connection: what an older one still does is nothing to us."""
        self._socket: ClientConnection | None = None
        self._link: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._refusal: LiveRefusedError | None = None
        """How the last handshake was refused."""

    async def run(self) -> None:
        """Connect and come back until it is ended for good, or cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self.perform(self.core.start(now_s()))
                while not self.core.is_stopped:
                    await self._until_due()
                    self.perform(self.core.tick(now_s()))
        finally:
            self._tasks = None
            self._wake()

    async def close(self) -> None:
        """Close the connection on purpose (code 1000) and end."""
        self._number += 1  # What the connection says from now on is nothing to us.
        if self._socket is not None:
            await self._socket.close()
        self.perform(self.core.stop())

    def abort(self) -> None:
        """Lose the connection as a network does, without a close frame."""
        if self._socket is not None:
            self._socket.transport.abort()

    def perform(self, actions: Iterable[Action]) -> None:
        """Do what was decided, in order."""
        for action in actions:
            match action:
                case Connect():
                    self._connect()
                case Drop():
                    self._drop()
                case Send(frame):
                    self._outgoing.put_nowait(frame.model_dump_json())
                case Get():
                    self._get(action)
                case AskWhy():
                    self._spawn(self._ask_why())
                case _:
                    pass  # for whoever is told
            self._tell(action)
        self._wake()

    async def changed(self) -> None:
        """Wait until something came or was decided."""
        await self._changed.wait()

    # -- waiting

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until_due(self) -> None:
        due_s = self.core.due_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if due_s is None else max(0.0, due_s - now_s())):
                await self.changed()

    def _spawn(self, coroutine: Coroutine[object, object, None]) -> asyncio.Task[None] | None:
        if self._tasks is None:
            coroutine.close()
            return None
        return self._tasks.create_task(coroutine)

    # -- the connection

    def _connect(self) -> None:
        self._drop()
        self._outgoing = asyncio.Queue()
        self._link = self._spawn(self._talk_over(self._number, self._outgoing))

    def _drop(self) -> None:
        self._number += 1
        link, self._link = self._link, None
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.transport.abort()
        if link is not None and link is not asyncio.current_task():
            link.cancel()

    async def _talk_over(self, number: int, outgoing: asyncio.Queue[str]) -> None:
        code = _NO_CODE
        self._refusal = None
        try:
            async with self._handshake() as socket:
                self._socket = socket
                self.perform(self.core.opened())
                writing = asyncio.create_task(_write(socket, outgoing), name="live-client-write")
                try:
                    await self._read_from(socket, number)
                finally:
                    writing.cancel()
                    code = socket.close_code or _NO_CODE
        except InvalidStatus as error:
            response = error.response
            self._refusal = refused(
                response.status_code,
                bytes(response.body or b""),
                response.headers.get("Retry-After"),
            )
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed):
            pass  # no server there, for now
        if number != self._number:
            return
        self._socket = self._link = None
        if not may_reconnect(code):
            self.failed = LiveClosedError(code)
        self.perform(self.core.closed(code, now_s()))

    def _handshake(self) -> connect:
        return _Connect(
            self.url,
            additional_headers={"Authorization": f"Bearer {self._token}"},
            origin=None if self._origin is None else Origin(self._origin),
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=1,
            max_size=FRAME_MAX_BYTES,
            proxy=None,
        )

    async def _read_from(self, socket: ClientConnection, number: int) -> None:
        async for message in socket:
            if number != self._number:
                return
            try:
                frame = frames.SERVER_FRAME.validate_json(message)
            except ValidationError as error:
                # A newer server may say more than we know; what is in it stays unlogged.
                log.warning("live client: skipped a frame: %d errors", error.error_count())
                continue
            actions = self.core.take(frame, now_s())
            self._tell(frame)
            self.perform(actions)

    # -- HTTP

    def _get(self, action: Get) -> None:
        if self._web is not None:
            self._spawn(self._fetch(self._web, action.room))
        elif action.at_least is None:
            self.perform(self.core.get_failed(action.room, _NOT_FOUND, now_s()))
        else:
            self.needs_snapshot.add(action.room)
            self.perform(self.core.rooms.stand_at(action.room, action.at_least, now_s()))

    async def _fetch(self, web: Web, room: RoomKey) -> None:
        try:
            snapshot = await web.room(room)
        except LiveRefusedError as error:
            if is_final(error.status):
                self._tell(error)
            failed = self.core.get_failed(room, error.status, now_s(), error.retry_after_s)
            self.perform(failed)
        except LiveUnreachableError:
            self.perform(self.core.get_failed(room, None, now_s()))
        else:
            self.perform(self.core.got(snapshot, now_s()))

    async def _ask_why(self) -> None:
        refusal = self._refusal
        if refusal is None and self._web is not None:
            try:
                await self._web.me()
            except LiveRefusedError as error:
                refusal = error
            except LiveUnreachableError:
                return
        if refusal is None:
            return
        if refusal.status in FINAL_STATUS:
            self.failed = self.failed or refusal
        self.perform(self.core.why(refusal.status, now_s(), refusal.retry_after_s))


class _Connect(connect):
    """Follows no redirect: the token is for the server that was named, and goes to no other."""

    @override
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def now_s() -> float:
    """Seconds of the clock that a client lives by."""
    return time.monotonic()


async def _write(socket: ClientConnection, outgoing: asyncio.Queue[str]) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await socket.send(await outgoing.get())
