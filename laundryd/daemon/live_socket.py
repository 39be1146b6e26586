"""A WebSocket connection as an ASGI server serves it, at little more than the transport's own cost.

uvicorn's own way builds an HTTP parser, a WebSocket parser with its generators, a queue and an event for
each connection, and frames each text anew for everybody. Here a connection is one small object, and an
application that frames once hands the bytes over through the scope's extension ``laundryd.frames``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import MutableMapping
from typing import Any, Final, Protocol

from starlette.types import ASGIApp, Message
from typing_extensions import override
from uvicorn.protocols.utils import ClientDisconnected

from laundryd.daemon import upgrade
from laundryd.wire.rfc6455 import (
    Fault,
    Frame,
    FrameError,
    FrameReader,
    Opcode,
    close_frame,
    server_frame,
)

log = logging.getLogger(__name__)

FRAMES_EXTENSION: Final = "laundryd.frames"
"""Key in the scope's ``extensions``: the connection, for frames made beforehand (``write_frame``)."""
MESSAGE_MAX_BYTES: Final = 65_536
"""Largest message read; the live protocol's own limit is lower, and closes with a code that says why."""
CLOSE_GRACE_S: Final = 10.0
"""For the peer's answer to our close frame; then the connection ends without it."""
_LOST: Final = 1006
"""RFC 6455 section 7.1.5: it ended without a close frame."""
_RESTARTING: Final = 1012
_TROUBLE: Final = 1011


class ServerState(Protocol):
    """What uvicorn's server waits for when it stops."""

    connections: set[Any]  # Any: uvicorn's own protocols stand in it beside ours
    tasks: set[asyncio.Task[None]]


class LiveSocket(asyncio.Protocol):
    """One connection from its handshake's request on, with ASGI's ``receive`` and ``send``.

    Frames are read when the application asks for the next message. Until then a limited number of bytes
    waits here, and what is more waits in the kernel.
    """

    __slots__ = (
        "_accept_key",
        "_close_timer",
        "_closed_code",
        "_is_accepted",
        "_is_close_sent",
        "_is_lost",
        "_is_paused",
        "_is_reading",
        "_is_told",
        "_may_write",
        "_reader",
        "_refusing",
        "_state",
        "_waiter",
        "_writable",
        "transport",
    )

    def __init__(
        self, transport: asyncio.Transport, state: ServerState, accept_key: bytes, rest: bytes
    ) -> None:
        self.transport = transport
        self._state = state
        self._accept_key = accept_key
        self._reader = FrameReader(MESSAGE_MAX_BYTES, rest)
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Event | None = None
        self._close_timer: asyncio.TimerHandle | None = None
        self._refusing: Message | None = None
        self._closed_code: int | None = None
        self._is_told = False
        self._is_accepted = False
        self._is_close_sent = False
        self._is_lost = False
        self._is_paused = False
        self._is_reading = True
        # The flags above in one, for what is asked once a frame.
        self._may_write = False
        state.connections.add(self)

    def start(self, app: ASGIApp, scope: MutableMapping[str, Any]) -> None:
        """Serve the connection with ``app``, in a task of its own."""
        task = asyncio.get_running_loop().create_task(self._run(app, scope))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    async def _run(self, app: ASGIApp, scope: MutableMapping[str, Any]) -> None:
        served = app(scope, self.receive, self.send)
        del scope  # its headers would otherwise live as long as the connection
        try:
            await served
        except ClientDisconnected:
            pass
        except Exception:
            log.exception("a WebSocket's application failed")
        finally:
            self._end()

    def _end(self) -> None:
        """Close what the application left open."""
        if not self._is_close_sent and not self._is_lost:
            if self._is_accepted:
                self._say_close(_TROUBLE)
            else:
                self.transport.write(upgrade.refusal(500))
        if self._close_timer is None:
            self._part()

    def _part(self) -> None:
        """Close once everything is written; a peer that takes nothing has ``CLOSE_GRACE_S`` for it."""
        self.transport.close()
        if self._close_timer is None and not self._is_lost:
            self._close_timer = asyncio.get_running_loop().call_later(
                CLOSE_GRACE_S, self.transport.abort
            )

    # -- the transport's side

    @override
    def data_received(self, data: bytes) -> None:
        reader = self._reader
        reader.feed(data)
        if self._is_close_sent:
            self._await_close()
        elif self._waiter is not None:
            self._wake()
        elif reader.waiting_bytes > MESSAGE_MAX_BYTES and self._is_reading:
            self._is_reading = False
            self.transport.pause_reading()

    @override
    def eof_received(self) -> bool:
        return False  # close at once: a half-closed WebSocket is of no use

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._may_write = False
        self._state.connections.discard(self)
        if self._close_timer is not None:
            self._close_timer.cancel()
        self.resume_writing()
        self._wake()

    @override
    def pause_writing(self) -> None:
        self._is_paused = True
        self._may_write = False

    @override
    def resume_writing(self) -> None:
        self._is_paused = False
        self._may_write = self._is_accepted and not self._is_close_sent and not self._is_lost
        if self._writable is not None:
            self._writable.set()

    def shutdown(self) -> None:
        """End because the server stops; uvicorn calls it."""
        if self._is_accepted and not self._is_close_sent and not self._is_lost:
            self._say_close(_RESTARTING)
        self.transport.close()

    # -- frames made beforehand

    def write_frame(self, frame: bytes) -> bool:
        """Write a whole frame; False: the reader is slow, wait for it with ``send``.

        Raises:
            ClientDisconnected: the connection is over.

        """
        if self._may_write:
            self.transport.write(frame)
            return True
        if self._is_lost or self._is_close_sent or not self._is_accepted:
            raise ClientDisconnected
        return False

    # -- ASGI

    async def receive(self) -> Message:
        """Return the next message, or that the connection is over."""
        if not self._is_told:
            self._is_told = True
            return {"type": "websocket.connect"}
        while self._closed_code is None:
            frame = self._next_frame() if self._is_accepted else None
            if frame is not None:
                message = self._message(frame)
                if message is not None:
                    return message
            elif self._is_lost:
                self._closed_code = _LOST
            elif self._closed_code is None:
                await self._more()
        return {"type": "websocket.disconnect", "code": self._closed_code}

    async def send(self, message: Message) -> None:
        """Take one of ASGI's messages; before it does anything it waits for a slow reader.

        Raises:
            ClientDisconnected: the connection is over.

        """
        while self._is_paused:
            if self._writable is None:
                self._writable = asyncio.Event()
            self._writable.clear()
            await self._writable.wait()
        if self._is_lost or self._is_close_sent:
            raise ClientDisconnected
        if self._is_accepted:
            self._send(message)
        else:
            self._answer(message)

    def _send(self, message: Message) -> None:
        match message["type"]:
            case "websocket.send":
                text, data = message.get("text"), message.get("bytes")
                if text is not None:
                    self.transport.write(server_frame(Opcode.TEXT, text.encode()))
                else:
                    self.transport.write(server_frame(Opcode.BINARY, data or b""))
            case "websocket.close":
                self._say_close(message.get("code", 1000), message.get("reason") or "")
                self._close_timer = asyncio.get_running_loop().call_later(
                    CLOSE_GRACE_S, self.transport.abort
                )
            case other:
                raise RuntimeError(f"{other} was sent on an accepted WebSocket")

    def _answer(self, message: Message) -> None:
        """Answer the handshake."""
        match message["type"]:
            case "websocket.accept":
                self._is_accepted = self._may_write = True
                headers = message.get("headers", ())
                self.transport.write(upgrade.switching(self._accept_key, headers))
                self._accept_key = b""
            case "websocket.close":
                self._refuse(upgrade.refusal(403))
            case "websocket.http.response.start":
                self._refusing = message
            case "websocket.http.response.body" if self._refusing is not None:
                if message.get("more_body"):
                    raise RuntimeError("a refused handshake is answered with one body")
                headers = self._refusing.get("headers", ())
                body = message.get("body", b"")
                self._refuse(upgrade.refusal(self._refusing["status"], headers, body))
            case other:
                raise RuntimeError(f"{other} was sent before the handshake was answered")

    # -- the end, and what leads there

    def _refuse(self, answer: bytes) -> None:
        self.transport.write(answer)
        self._is_close_sent = True
        self._closed_code = _LOST
        self._part()

    def _say_close(self, code: int, reason: str = "") -> None:
        self.transport.write(close_frame(code, reason))
        self._is_close_sent = True
        self._may_write = False
        self._closed_code = code
        if not self._is_reading:
            self._is_reading = True
            self.transport.resume_reading()
        self._wake()

    def _await_close(self) -> None:
        """Read on after our close, to no purpose but the peer's own."""
        try:
            while (frame := self._reader.next()) is not None:
                if frame.opcode is Opcode.CLOSE:
                    self.transport.close()
        except FrameError:
            self.transport.close()

    def _next_frame(self) -> Frame | None:
        try:
            return self._reader.next()
        except FrameError as error:
            self._fail(error.code)
            return None

    def _message(self, frame: Frame) -> Message | None:
        """Return what the application hears of a frame; None: nothing."""
        match frame.opcode:
            case Opcode.TEXT:
                try:
                    return {"type": "websocket.receive", "text": frame.data.decode()}
                except UnicodeDecodeError:
                    self._fail(Fault.NOT_UTF8)
            case Opcode.BINARY:
                return {"type": "websocket.receive", "bytes": frame.data}
            case Opcode.PING if not self._is_paused and not self._is_lost:
                self.transport.write(server_frame(Opcode.PONG, frame.data))
            case Opcode.CLOSE:
                code = frame.close_code
                if not self._is_lost:
                    self._say_close(code)
                    self._part()
                self._closed_code = code
            case _:
                pass  # a pong; or a ping of who does not read: they need no answer
        return None

    def _fail(self, code: Fault) -> None:
        if not self._is_lost:
            self._say_close(code)
            self._part()
        self._closed_code = code

    async def _more(self) -> None:
        """Wait until something came in, or the connection is over."""
        if not self._is_reading:
            self._is_reading = True
            self.transport.resume_reading()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
