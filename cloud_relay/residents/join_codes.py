"""Join codes: one a room, capped, rotatable, kept as a digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import aiosqlite

from laundryd.daemon.codes import RateLimit, digest, new_code
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.sqlite import transaction
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import RoomKey
from laundryd.wire.times import from_rfc3339, to_rfc3339

HOUR_S: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class JoinLimits:
    """``tries_per_address_h``: codes tried from one client address. ``joins_per_room_h``: let in."""

    tries_per_address_h: int
    joins_per_room_h: int


class JoinCodes:
    """The store of join codes and the limits on trying them. Times are real time."""

    def __init__(self, db: aiosqlite.Connection, limits: JoinLimits) -> None:
        self._db = db
        self._by_address = RateLimit(limits.tries_per_address_h, HOUR_S)
        self._by_room = RateLimit(limits.joins_per_room_h, HOUR_S)

    async def rotate(
        self, room: RoomKey, cap: int, at: datetime, expires_at: datetime | None = None
    ) -> str:
        """Make a new code for ``room`` that lets in ``cap`` residents; the one before opens no more.

        The code is returned here and nowhere else: only its digest is kept.
        """
        code = new_code()
        async with transaction(self._db) as db:
            await db.execute(
                "INSERT OR REPLACE INTO join_codes (room, digest, cap, used, made_at, expires_at) "
                "VALUES (?, ?, ?, 0, ?, ?)",
                (
                    room,
                    digest(code),
                    cap,
                    to_rfc3339(at),
                    None if expires_at is None else to_rfc3339(expires_at),
                ),
            )
        return code

    def count_try(self, address: str, now_s: float) -> None:
        """Count one try from a client's ``address`` at ``now_s`` of a clock that only grows.

        Raises:
            ProblemError: ``rate_limited``, with ``retry_after_s``.

        """
        if (retry_after_s := self._by_address.take(address, now_s)) is not None:
            raise ProblemError(
                ErrorCode.RATE_LIMITED,
                "Too many codes were tried from this address.",
                retry_after_s=retry_after_s,
            )

    async def room_of_in(self, code: str, at: datetime) -> RoomKey:
        """Return the room that ``code`` opens.

        Raises:
            ProblemError: ``join_code_invalid``, also for a replaced one or one that has expired.

        """
        found = await self._db.execute_fetchall(
            "SELECT room, expires_at FROM join_codes WHERE digest = ?", (digest(code),)
        )
        row = next(iter(found), None)
        if row is None:
            raise ProblemError(ErrorCode.JOIN_CODE_INVALID)
        if row["expires_at"] is not None and at >= from_rfc3339(row["expires_at"]):
            raise ProblemError(ErrorCode.JOIN_CODE_INVALID, "It has expired.")
        return str(row["room"])

    async def spend_in(self, room: RoomKey, now_s: float) -> None:
        """Use the room's code once, inside the caller's transaction.

        Raises:
            ProblemError: ``join_code_spent``, or ``rate_limited`` when the room fills too fast.

        """
        cursor = await self._db.execute(
            "UPDATE join_codes SET used = used + 1 WHERE room = ? AND used < cap", (room,)
        )
        if cursor.rowcount != 1:
            raise ProblemError(ErrorCode.JOIN_CODE_SPENT)
        if (retry_after_s := self._by_room.take(room, now_s)) is not None:
            raise ProblemError(
                ErrorCode.RATE_LIMITED,
                "Too many residents joined this room within an hour.",
                retry_after_s=retry_after_s,
            )
