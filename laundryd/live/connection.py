"""One WebSocket connection's way out: never waits for its reader, and needs no task while it keeps up.

A frame is made once, and its bytes are written to each connection. ASGI knows only texts, so the server
offers its way beside it (``FrameWriter``); with a server that does not, each text goes through ``send``.
That waits when the reader is slow: a text is offered by a single step of the coroutine, and a reader who
keeps up has it with that step. For one who does not, frames wait in a bounded queue and a task drains
it; the task ends when the queue is empty.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine

from laundryd.live.asgi import FrameWriter, Message, Send
from laundryd.live.door import Admission
from laundryd.live.settings import LiveSettings
from laundryd.wire.close_codes import CLOSE_CODES, CloseCode
from laundryd.wire.frames import ServerFrame
from laundryd.wire.ids import NoticeId, SessionId
from laundryd.wire.rfc6455 import Opcode, server_frame

Spawn = Callable[[Coroutine[object, object, None]], bool]
"""Starts a task of the server's; False when the server is not running."""

# The server says RuntimeError or OSError for a connection that is closed already: from the peer's close
# or from a protocol error of theirs until our next receive() hears of it.
_GONE = (OSError, RuntimeError)


class Encoded:
    """A frame of ours as it goes over the wire, for any number of connections."""

    __slots__ = ("_text", "frame")

    def __init__(self, text: str) -> None:
        self._text = text
        self.frame = server_frame(Opcode.TEXT, text.encode())

    @property
    def message(self) -> Message:
        """The same for ASGI's ``send``."""
        return {"type": "websocket.send", "text": self._text}


def encode(frame: ServerFrame) -> Encoded:
    """Encode a frame once, for as many connections as get it."""
    return Encoded(frame.model_dump_json())


class Connection:
    """What the server knows of one connection. Moments are real monotonic seconds.

    ``session_id`` is None and ``generation`` 0 until it is identified. ``told`` collects notices that
    were sent or taken back while the pending ones are read; None when that is over.
    """

    __slots__ = (
        "_cut",
        "_drained",
        "_send",
        "_settings",
        "_task",
        "_waiting",
        "_waiting_bytes",
        "_writer",
        "accepted_s",
        "admission",
        "close_code",
        "closing",
        "commands",
        "expires_s",
        "generation",
        "heard_s",
        "identifying",
        "mine_ticket",
        "pinged_s",
        "session_id",
        "spawn",
        "told",
    )

    def __init__(
        self,
        send: Send,
        admission: Admission,
        settings: LiveSettings,
        *,
        writer: FrameWriter | None = None,
        spawn: Spawn,
        now_s: float,
    ) -> None:
        self._send = send
        self._writer = writer
        self._settings = settings
        self.spawn = spawn
        self._task = asyncio.current_task()
        self._waiting: deque[Message] | None = None
        self._waiting_bytes = 0
        self._drained: asyncio.Event | None = None
        self._cut = False
        self.admission = admission
        self.accepted_s = now_s
        self.heard_s = now_s
        self.pinged_s = now_s
        self.expires_s = None if admission.expires_in_s is None else now_s + admission.expires_in_s
        self.identifying = False
        self.session_id: SessionId | None = None
        self.generation = 0
        self.closing = False
        self.close_code: int | None = None
        self.commands = 0
        self.mine_ticket = 0
        self.told: set[NoticeId] | None = set()

    @property
    def was_cut(self) -> bool:
        """The connection's task was cancelled by us, because its reader did not even take the close."""
        return self._cut

    def deliver(self, encoded: Encoded) -> bool:
        """Hand a frame over or let it wait; never blocks. False if the connection is on its way out."""
        if self.closing:
            return False
        if self._waiting is not None:
            return self._queue(encoded)
        # One call a connection and frame: everything here is done a hundred thousand times a second.
        if self._writer is None:
            is_written = self._offer(encoded.message)
        else:
            try:
                is_written = self._writer.write_frame(encoded.frame)
            except OSError:
                self.closing = True
                return False
        if not is_written:
            self._wait_with(encoded.message)
        return not self.closing

    def _queue(self, encoded: Encoded) -> bool:
        settings, message = self._settings, encoded.message
        size = _size(message)
        if (
            self._waiting is None
            or len(self._waiting) >= settings.queue_max
            or self._waiting_bytes + size > settings.queue_max_bytes
        ):
            self.close(CloseCode.SLOW_READER)
            return False
        self._waiting.append(message)
        self._waiting_bytes += size
        return True

    @property
    def waits(self) -> tuple[int, int] | None:
        """How many frames and bytes wait for a slow reader; None while it keeps up."""
        return None if self._waiting is None else (len(self._waiting), self._waiting_bytes)

    def close(self, code: int) -> None:
        """Close with ``code``; what waits is dropped. A reader who does not take it is cut off later."""
        if self.closing:
            return
        self.closing = True
        self.close_code = code
        row = CLOSE_CODES[CloseCode(code)] if code in CLOSE_CODES else None
        message = {
            "type": "websocket.close",
            "code": int(code),
            "reason": row.meaning if row else "",
        }
        if self._waiting is not None:
            self._waiting.clear()
            self._waiting.append(message)
            self._waiting_bytes = 0
        elif not self._offer(message):
            self._wait_with(message)
        # The buffers of a reader who takes nothing would otherwise live as long as its TCP connection.
        asyncio.get_running_loop().call_later(self._settings.close_grace_s, self.cut)

    def cut(self) -> None:
        """End the connection without a word; harmless if it has ended already."""
        self.closing = True
        if self._task is None or self._task.done():
            # Our part has ended; the server may still wait to write to somebody who does not read.
            self._abort()
        elif not self._abort():
            self._cut = True
            self._task.cancel()

    def _abort(self) -> bool:
        # ASGI cannot drop a connection with unsent bytes. uvicorn's `send` is a method of its protocol,
        # whose transport can.
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        abort = getattr(transport, "abort", None)
        if not callable(abort):
            return False
        abort()
        return True

    def _offer(self, message: Message) -> bool:
        """Try to send in one step; False if the reader must be waited for."""
        step = self._send(message).__await__()
        try:
            next(step)
        except StopIteration:
            return True
        except _GONE:
            self.closing = True
            return True
        # Not sent yet: uvicorn waits for the transport before it does anything with the message.
        step.close()
        return False

    def _wait_with(self, message: Message) -> None:
        self._waiting = deque([message])
        self._waiting_bytes = _size(message)
        drain = self._drain(self._waiting)
        if not self.spawn(drain):
            drain.close()
            self._waiting = None
            self.cut()

    async def _drain(self, waiting: deque[Message]) -> None:
        try:
            while waiting:
                message = waiting.popleft()
                self._waiting_bytes -= _size(message)
                await self._send(message)
        except _GONE:
            self.closing = True
        finally:
            self._waiting = None
            if self._drained is not None:
                self._drained.set()

    async def keep_pace(self) -> None:
        """Wait while frames wait for the reader; for whoever has much to send to this one alone."""
        while self._waiting is not None and not self.closing:
            self._drained = asyncio.Event()
            await self._drained.wait()
        self._drained = None


def _size(message: Message) -> int:
    """Return the bytes of a frame's text; 0 for a close."""
    text = message.get("text", "")
    return len(text) if text.isascii() else len(text.encode())
