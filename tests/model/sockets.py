"""One WebSocket between a page and a program, without sockets: ASGI on one side, frames on the other.

Like TCP it keeps the order and loses nothing, until it is cut; then each side hears of it, or does not.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Final, Protocol

from laundryd.live.asgi import Message, Receive, Scope, Send

WAY_S: Final = 0.01
BUFFER_FRAMES: Final = 16
"""What the system takes in for a reader who does not read; then ``send`` waits."""
LOST: Final = 1006


class Page(Protocol):
    """What a page hears of its socket."""

    def opened(self, socket: Socket) -> None:
        """The server accepted."""
        ...

    def refused(self, socket: Socket, status: int, code: str) -> None:
        """The server answered the handshake with a problem."""
        ...

    def heard(self, socket: Socket, text: str) -> None:
        """A frame came."""
        ...

    def closed(self, socket: Socket, code: int) -> None:
        """It is over; the code is ``LOST`` when nobody said why."""
        ...


Application = Callable[[Scope, Receive, Send], Coroutine[object, object, None]]


class _Transport:
    """uvicorn's send has one; ``abort`` drops what was not sent."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def abort(self) -> None:
        self._socket.cut(page_hears=True)


class Socket:
    """``serve`` is the server's task; the page calls ``say`` and ``leave``."""

    def __init__(self, page: Page, token: str, host: str) -> None:
        self._page = page
        self._headers = [
            (b"host", host.encode()),
            (b"authorization", f"Bearer {token}".encode()),
        ]
        self._to_server: asyncio.Queue[Message] = asyncio.Queue()
        self._to_page: deque[Message] = deque()
        self._room = asyncio.Event()
        self.stalled = False
        """The page does not read."""
        self._server_cut = self._page_cut = self._over = False
        self._status = 0
        self.transport = _Transport(self)
        self._to_server.put_nowait({"type": "websocket.connect"})

    async def serve(self, application: Application) -> None:
        """Run the server's side to its end."""
        scope = {
            "type": "websocket",
            "path": "/api/v1/live",
            "headers": self._headers,
            "extensions": {"websocket.http.response": {}},
        }
        await application(scope, self.receive, self.send)

    # -- the server's side

    async def receive(self) -> Message:
        """Return the next message for the server."""
        return await self._to_server.get()

    async def send(self, message: Message) -> None:
        """Take a message from the server; waits while the page does not read."""
        while self.stalled and len(self._to_page) >= BUFFER_FRAMES and not self._server_cut:
            self._room.clear()
            await self._room.wait()
        if self._server_cut:
            raise OSError("the connection is gone")
        self._to_page.append(message)
        if not self.stalled:
            asyncio.get_running_loop().call_later(WAY_S, self._reach)

    # -- the page's side

    def say(self, text: str) -> None:
        """Send a frame to the server."""
        message = {"type": "websocket.receive", "text": text}
        asyncio.get_running_loop().call_later(WAY_S, self._arrive, message)

    def leave(self, code: int = 1000) -> None:
        """Close on purpose."""
        self._over = True
        message = {"type": "websocket.disconnect", "code": code}
        asyncio.get_running_loop().call_later(WAY_S, self._arrive, message)

    def read_on(self) -> None:
        """Read what waited, and go on reading."""
        self.stalled = False
        self._room.set()
        for _ in range(len(self._to_page)):
            asyncio.get_running_loop().call_later(WAY_S, self._reach)

    def cut(self, *, server_hears: bool = True, page_hears: bool = True) -> None:
        """Lose the connection; what is under way is lost with it."""
        self._to_page.clear()
        if server_hears and not self._server_cut:
            self._to_server.put_nowait({"type": "websocket.disconnect", "code": LOST})
        self._server_cut = self._server_cut or server_hears
        self._page_cut = True
        self._room.set()
        if page_hears:
            self._end(LOST)

    def server_died(self, *, page_hears: bool) -> None:
        """The server's process is gone."""
        self._server_cut = True
        self.cut(server_hears=False, page_hears=page_hears)

    # -- arriving

    def _arrive(self, message: Message) -> None:
        if not self._page_cut and not self._server_cut:
            self._to_server.put_nowait(message)

    def _reach(self) -> None:
        if self._page_cut or self.stalled or not self._to_page:
            return
        message = self._to_page.popleft()
        if self._over:
            return
        match message["type"]:
            case "websocket.accept":
                self._page.opened(self)
            case "websocket.send":
                self._page.heard(self, message["text"])
            case "websocket.close":
                self._to_server.put_nowait(
                    {"type": "websocket.disconnect", "code": message["code"]}
                )
                self._server_cut = True
                self._end(message["code"])
            case "websocket.http.response.start":
                self._status = message["status"]
            case "websocket.http.response.body":
                self._over = True
                self._page.refused(self, self._status, json.loads(message["body"])["code"])
            case other:
                raise AssertionError(other)

    def _end(self, code: int) -> None:
        if not self._over:
            self._over = True
            self._page.closed(self, code)
