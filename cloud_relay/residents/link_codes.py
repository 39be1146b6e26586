"""Link codes: a resident's next device is let in by one that is already theirs, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import aiosqlite

from laundryd.daemon.codes import digest, new_code
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.sqlite import transaction
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import DeviceId, ResidentId
from laundryd.wire.times import to_rfc3339

LINK_CODE_LIFE: Final = timedelta(minutes=10)
"""Long enough to pick up the other device, short enough that a photo of the screen is worthless."""


class LinkCodes:
    """The store of link codes. Times are real time."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db

    async def make(
        self, resident: ResidentId, device: DeviceId, at: datetime
    ) -> tuple[str, datetime]:
        """Make a code that links one device to ``resident``; the device's code before opens no more.

        Returns the code, which only its digest is kept of, and until when it may be used.
        """
        code, expires_at = new_code(), at + LINK_CODE_LIFE
        async with transaction(self._db) as db:
            await db.execute(
                "DELETE FROM link_codes WHERE device = ? OR expires_at <= ?",
                (device, to_rfc3339(at)),
            )
            await db.execute(
                "INSERT INTO link_codes (digest, resident, device, expires_at) VALUES (?, ?, ?, ?)",
                (digest(code), resident, device, to_rfc3339(expires_at)),
            )
        return code, expires_at

    async def redeem_in(self, code: str, at: datetime) -> ResidentId:
        """Use ``code`` up inside the caller's transaction; return whose device is to be added.

        Raises:
            ProblemError: ``link_code_invalid``: wrong, used before, or too old.

        """
        found = await self._db.execute_fetchall(
            "DELETE FROM link_codes WHERE digest = ? AND expires_at > ? RETURNING resident",
            (digest(code), to_rfc3339(at)),
        )
        row = next(iter(found), None)
        if row is None:
            raise ProblemError(ErrorCode.LINK_CODE_INVALID)
        return str(row["resident"])
