"""The table of WebSocket close codes.

3000-3499 and 4000-4499 mean: come back, with backoff. All others of ours are final: the app asks
``GET /api/v1/me`` why, because a browser cannot read a refused handshake.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class CloseCode(IntEnum):
    """Why the server closed a live connection."""

    GOING_AWAY = 1001
    SLOW_READER = 4001
    HEARTBEAT_MISSED = 4002
    STARVED = 4003
    IDENTIFY_TIMEOUT = 4004
    NOT_IDENTIFIED = 4500
    BAD_FRAME = 4501
    FRAME_TOO_LARGE = 4502
    REVOKED = 4503
    TOO_MANY_ERRORS = 4504
    REPLACED = 4505


@dataclass(frozen=True, slots=True)
class CloseRow:
    """``reconnect`` says whether the client should come back by itself.

    ``meaning`` goes along as the close frame's reason: 123 bytes at most (RFC 6455 section 5.5).
    """

    reconnect: bool
    meaning: str


CLOSE_CODES: Final[dict[CloseCode, CloseRow]] = {
    CloseCode.GOING_AWAY: CloseRow(True, "The server is stopping; it will be back."),
    CloseCode.SLOW_READER: CloseRow(True, "More frames waited than the queue holds; resume."),
    CloseCode.HEARTBEAT_MISSED: CloseRow(True, "Nothing came for two heartbeats."),
    CloseCode.REPLACED: CloseRow(
        False, "The same session connected anew; this connection is the old one."
    ),
    CloseCode.STARVED: CloseRow(True, "The connection fell behind the room's position; resume."),
    CloseCode.IDENTIFY_TIMEOUT: CloseRow(True, "No identify frame came in time."),
    CloseCode.NOT_IDENTIFIED: CloseRow(False, "The first frame was not identify."),
    CloseCode.BAD_FRAME: CloseRow(False, "A frame was not JSON, or not one of the protocol's."),
    CloseCode.FRAME_TOO_LARGE: CloseRow(False, "A frame was larger than the limit."),
    CloseCode.REVOKED: CloseRow(False, "The token was revoked or has expired; join or link again."),
    CloseCode.TOO_MANY_ERRORS: CloseRow(
        False,
        "Too many refused frames of this resident in a minute; handshakes get 429 and Retry-After.",
    ),
}


_RECONNECT_RANGES: Final = (range(3000, 3500), range(4000, 4500))
# 1005, 1006: no code reached us, the network broke; 1011, 1012, 1013: the server's own trouble.
_RECONNECT_STANDARD: Final = frozenset({1001, 1005, 1006, 1011, 1012, 1013})


def may_reconnect(code: int) -> bool:
    """Say whether a client that saw ``code`` should come back by itself."""
    if code in CLOSE_CODES:
        return CLOSE_CODES[CloseCode(code)].reconnect
    return code in _RECONNECT_STANDARD or any(code in span for span in _RECONNECT_RANGES)
