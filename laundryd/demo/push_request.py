"""What a push service checks of one POST (RFC 8030, RFC 8291), pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

BODY_MAX_BYTES = 4096
"""The largest encrypted body that every push service must take (RFC 8030 section 7.2)."""

TTL_MAX_S = 30 * 24 * 3600
"""The longest time that a message is kept, in seconds; more is cut to it, as Mozilla's service does."""

TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
"""RFC 8030 section 5.4."""

URGENCIES: Final = ("very-low", "low", "normal", "high")
"""RFC 8030 section 5.3."""

TTL = re.compile(r"[0-9]{1,12}")

_KEY_ID_AT = 20  # after 16 bytes of salt and 4 of the record's size (RFC 8188 section 2.1)
_KEY_ID_BYTES = 65  # the sender's public key, an uncompressed P-256 point (RFC 8291 section 4)
_TAG_BYTES = 16  # of AES-GCM
_SHORTEST_BYTES = _KEY_ID_AT + 1 + _KEY_ID_BYTES + _TAG_BYTES + 1  # one byte marks the last record


class PushRefusedError(Exception):
    """The push is answered with ``status``; the text says why, ``retry_after_s`` when to come again."""

    def __init__(
        self, status: HTTPStatus, message: str, *, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class PushMessage:
    """One accepted push, still encrypted.

    ``topic`` None: replaces nothing. ``body`` is empty, or one aes128gcm record (RFC 8291).
    """

    topic: str | None
    ttl_s: int
    urgency: str
    body: bytes


def read_push(headers: Mapping[str, str], body: bytes) -> PushMessage:
    """Judge the headers and the body of one push.

    ``headers`` must find a name in any case, as HTTP's do.

    Raises:
        PushRefusedError: 413 for a body that is too large, 400 for everything else.

    """
    if len(body) > BODY_MAX_BYTES:
        raise PushRefusedError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body has {len(body)} bytes; {BODY_MAX_BYTES} at most",
        )
    ttl = headers.get("TTL")
    if ttl is None or not TTL.fullmatch(ttl):
        raise _bad(f"TTL is {ttl!r}; a whole number of seconds is needed")
    topic = headers.get("Topic")
    if topic is not None and not TOPIC.fullmatch(topic):
        raise _bad(f"Topic has {len(topic)} characters; 1 to 32 of base64url are allowed")
    urgency = headers.get("Urgency", "normal")
    if urgency not in URGENCIES:
        raise _bad(f"Urgency is {urgency!r}; one of {', '.join(URGENCIES)} is allowed")
    if body:
        _check_encryption(headers.get("Content-Encoding"), body)
    return PushMessage(topic=topic, ttl_s=min(int(ttl), TTL_MAX_S), urgency=urgency, body=body)


def _check_encryption(encoding: str | None, body: bytes) -> None:
    if encoding != "aes128gcm":
        raise _bad(f"Content-Encoding is {encoding!r}; aes128gcm is needed")
    if len(body) < _SHORTEST_BYTES or body[_KEY_ID_AT] != _KEY_ID_BYTES:
        raise _bad("the body is no aes128gcm record with the sender's P-256 key as its key id")


def _bad(message: str) -> PushRefusedError:
    return PushRefusedError(HTTPStatus.BAD_REQUEST, message)
