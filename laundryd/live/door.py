"""What the session server asks of the program about a handshake: who is this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import DeviceId, ResidentId, RoomKey


@dataclass(frozen=True, slots=True)
class Admission:
    """Let in: who, on which device, and the rooms they may see.

    ``expires_in_s``: real seconds until the token ends and the connection with it, None for never.
    """

    resident: ResidentId
    device: DeviceId
    rooms: frozenset[RoomKey]
    expires_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not let in: a code of the error table, and what was found, never the token itself.

    ``retry_after_s``: seconds until another try may do better, None when that is not known.
    """

    code: ErrorCode
    detail: str = ""
    retry_after_s: float | None = None


class Door(Protocol):
    """Judges the credentials of a handshake, and again whoever is told of the past."""

    async def admit(self, headers: Mapping[str, str]) -> Admission | Refusal:
        """Judge by the request's ``headers`` (names in lower case): cookie or ``Authorization``."""
        ...

    async def rooms_now(self, admission: Admission) -> frozenset[RoomKey]:
        """Return the rooms that somebody who was let in may see by now, empty for none.

        Asked before a history is handed over: since the handshake they may have been removed from a room.
        """
        ...
