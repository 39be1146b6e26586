"""WebSocket framing (RFC 6455) of a server without extensions: bytes in, messages out, and back. Pure.

A server's data frames are not masked and, with deflate off, do not depend on the connection. So a frame
is made once, for as many connections as get it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

CONTROL_MAX_BYTES: Final = 125
"""Payload of a control frame (section 5.5)."""
_FIN: Final = 0x80
_RESERVED: Final = 0x70
_MASKED: Final = 0x80
_LENGTH: Final = 0x7F
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_MASK_BYTES: Final = 4
_SHORTEST_HEAD: Final = 2
_MORE_LENGTH: Final = {_LENGTH_16: 2, _LENGTH_64: 8}
"""Bytes of the length that follow the second byte."""
_SMALLEST: Final = {2: 126, 8: 1 << 16}
"""Section 5.2: a length is written in the fewest bytes, and the highest bit of eight is 0."""
_CODE_BYTES: Final = 2
_CLOSE_CODES: Final = (range(1000, 1004), range(1007, 1015), range(3000, 5000))
"""What a peer may close with (section 7.4, and IANA's registry of 1000 to 2999)."""


class Opcode(IntEnum):
    """What a frame is (section 5.2)."""

    CONT = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Fault(IntEnum):
    """Close codes of our own judgement on a peer's frames (section 7.4.1)."""

    PROTOCOL = 1002
    NOT_UTF8 = 1007
    TOO_LARGE = 1009


NO_CODE: Final = 1005
"""Stands for a close frame without a code; never on the wire."""


class FrameError(Exception):
    """The peer broke the protocol: close with ``code``; the message says how."""

    def __init__(self, code: Fault, what: str) -> None:
        super().__init__(what)
        self.code = code


@dataclass(frozen=True, slots=True)
class Frame:
    """One message, or one control frame. ``data``: unmasked, and whole where it was fragmented."""

    opcode: Opcode
    data: bytes

    @property
    def close_code(self) -> int:
        """The code of a close frame; ``NO_CODE`` if it has none."""
        return int.from_bytes(self.data[:_CODE_BYTES]) if self.data else NO_CODE


def server_frame(opcode: Opcode, payload: bytes) -> bytes:
    """Frame what a server sends: whole, not masked."""
    size = len(payload)
    if size < _LENGTH_16:
        head = bytes((_FIN | opcode, size))
    elif size < 1 << 16:
        head = struct.pack("!BBH", _FIN | opcode, _LENGTH_16, size)
    else:
        head = struct.pack("!BBQ", _FIN | opcode, _LENGTH_64, size)
    return head + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """Frame a close; a ``reason`` too long for a control frame is cut."""
    said = reason.encode()[: CONTROL_MAX_BYTES - _CODE_BYTES].decode(errors="ignore").encode()
    payload = b"" if code == NO_CODE else code.to_bytes(_CODE_BYTES) + said
    return server_frame(Opcode.CLOSE, payload)


def unmasked(data: bytes, mask: bytes) -> bytes:
    """Take a client's mask off (section 5.3)."""
    size = len(data)
    pattern = (mask * (size // _MASK_BYTES + 1))[:size]
    return (int.from_bytes(data) ^ int.from_bytes(pattern)).to_bytes(size)


_NOTHING: Final = bytearray()
"""Shared by all readers that gather nothing; never written to."""


class FrameReader:
    """Reads a client's frames. ``message_max_bytes``: the largest message, fragments together.

    ``feed`` what came, then ask ``next`` until it says None. What is kept is never more than one message
    and what was fed with its end.
    """

    __slots__ = ("_at", "_buffer", "_message_max_bytes", "_opcode", "_parts")

    def __init__(self, message_max_bytes: int, data: bytes = b"") -> None:
        self._message_max_bytes = message_max_bytes
        self._buffer = data
        self._at = 0
        # Of the message whose fragments are being gathered in ``_parts``.
        self._opcode: Opcode | None = None
        self._parts = _NOTHING

    @property
    def waiting_bytes(self) -> int:
        """How much was fed and not read yet."""
        return len(self._buffer) - self._at

    def feed(self, data: bytes) -> None:
        """Take what came in."""
        rest = self._buffer[self._at :]
        self._buffer = rest + data if rest else data
        self._at = 0

    def next(self) -> Frame | None:
        """Return the next whole message or control frame; None: more must come first.

        Raises:
            FrameError: the peer broke the protocol, or its message is too large.

        """
        while (found := self._frame()) is not None:
            is_last, opcode, data = found
            if opcode >= Opcode.CLOSE:
                return _control(opcode, data)
            frame = self._gather(opcode, data, is_last=is_last)
            if frame is not None:
                return frame
        return None

    def _gather(self, opcode: Opcode, data: bytes, *, is_last: bool) -> Frame | None:
        if opcode is Opcode.CONT:
            if self._opcode is None:
                raise FrameError(Fault.PROTOCOL, "a continuation of nothing")
            self._parts += data
        elif self._opcode is not None:
            raise FrameError(Fault.PROTOCOL, "a message within another one")
        elif is_last:
            return Frame(opcode, data)
        else:
            self._opcode, self._parts = opcode, bytearray(data)
        if not is_last:
            return None
        whole = Frame(self._opcode, bytes(self._parts))
        self._opcode, self._parts = None, _NOTHING
        return whole

    def _frame(self) -> tuple[bool, Opcode, bytes] | None:
        buffer, at = self._buffer, self._at
        head = self._head()
        if head is None:
            return None
        begins, size = head
        opcode = _opcode(buffer[at])
        if opcode < Opcode.CLOSE and size + len(self._parts) > self._message_max_bytes:
            raise FrameError(Fault.TOO_LARGE, f"a message above {self._message_max_bytes} bytes")
        ends = begins + size
        if len(buffer) < ends:
            return None
        data = unmasked(buffer[begins:ends], buffer[begins - _MASK_BYTES : begins])
        is_last = bool(buffer[at] & _FIN)
        if ends == len(buffer):
            self._buffer, self._at = b"", 0
        else:
            self._at = ends
        return is_last, opcode, data

    def _head(self) -> tuple[int, int] | None:
        """Return where the next frame's payload begins, and its size; None: more must come first."""
        buffer, at = self._buffer, self._at
        there = len(buffer) - at
        if there < _SHORTEST_HEAD:
            return None
        first, second = buffer[at], buffer[at + 1]
        if not second & _MASKED:
            raise FrameError(Fault.PROTOCOL, "a client's frame without a mask")
        size = second & _LENGTH
        if _opcode(first) >= Opcode.CLOSE and (size > CONTROL_MAX_BYTES or not first & _FIN):
            raise FrameError(Fault.PROTOCOL, "a control frame that is long or fragmented")
        longer = _MORE_LENGTH.get(size, 0)
        head = _SHORTEST_HEAD + longer
        if there < head:
            return None
        if longer:
            size = int.from_bytes(buffer[at + _SHORTEST_HEAD : at + head])
            if not _SMALLEST[longer] <= size < 1 << 63:
                raise FrameError(Fault.PROTOCOL, "a length that is not in its shortest form")
        return at + head + _MASK_BYTES, size


_OPCODES: Final = {int(opcode): opcode for opcode in Opcode}


def _opcode(first: int) -> Opcode:
    opcode = _OPCODES.get(first & 0x0F)
    if opcode is None or first & _RESERVED:
        raise FrameError(Fault.PROTOCOL, "an unknown kind of frame, or an extension")
    return opcode


def _control(opcode: Opcode, data: bytes) -> Frame:
    if opcode is Opcode.CLOSE and data:
        code = int.from_bytes(data[:_CODE_BYTES])
        if len(data) < _CODE_BYTES or not any(code in allowed for allowed in _CLOSE_CODES):
            raise FrameError(Fault.PROTOCOL, "a close frame with a code that is none")
        try:
            data[_CODE_BYTES:].decode()
        except UnicodeDecodeError as error:
            raise FrameError(Fault.NOT_UTF8, "a close frame's reason is not UTF-8") from error
    return Frame(opcode, data)
