"""The part of ASGI that is used here, as types: the specification's messages are dictionaries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Protocol, TypeAlias

# Any: what a key holds depends on the message's type; the same alias stands in every ASGI library.
Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

FRAMES_EXTENSION: Final = "laundryd.frames"
"""Key in the scope's ``extensions`` under which a server offers a ``FrameWriter``; ours does."""


class FrameWriter(Protocol):
    """Takes frames that were made beforehand, for many connections at once (RFC 6455 section 5.2)."""

    def write_frame(self, frame: bytes) -> bool:
        """Write a whole frame without waiting; False: the reader is slow, wait for it with ``send``.

        Raises:
            OSError: the connection is over.

        """
        ...
