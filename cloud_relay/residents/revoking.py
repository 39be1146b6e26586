"""Signing residents out from outside: their open connections end at once, whoever revoked them.

`DELETE /me` closes them itself. What another process revoked, the command line say, is found here; the
rosters, which shut the rooms' own pages, are looked at as often.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NoReturn

import aiosqlite

from cloud_relay.residents.tokens import TOKEN_LIFE
from laundryd.daemon.clock import Clock
from laundryd.wire.ids import DeviceId
from laundryd.wire.times import to_rfc3339

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 2.0
"""Real seconds between two looks; one row is read where nobody was revoked."""
LOOKS_BACK: Final = timedelta(minutes=2)
"""How long a revocation is acted on again: closing what is closed does nothing."""


async def revoked_since(db: aiosqlite.Connection, at: datetime) -> list[DeviceId]:
    """Return the devices that were revoked after ``at``, real time."""
    found = await db.execute_fetchall(
        "SELECT DISTINCT device FROM revoked_devices WHERE until > ? ORDER BY device",
        (to_rfc3339(at + TOKEN_LIFE),),
    )
    return [str(row["device"]) for row in found]


class RevokedWatch:
    """Hands on each device that was revoked; ``run`` it as a task.

    ``signed_out`` closes what the device has open, and lets the rosters be looked at.
    """

    def __init__(
        self, db: aiosqlite.Connection, clock: Clock, signed_out: Callable[[DeviceId], None]
    ) -> None:
        self._db, self._clock, self._signed_out = db, clock, signed_out
        self._known: frozenset[DeviceId] = frozenset()

    async def look(self) -> None:
        """Hand on who was revoked since the last look."""
        found = frozenset(await revoked_since(self._db, self._clock.real_now() - LOOKS_BACK))
        for device in sorted(found - self._known):
            self._signed_out(device)
        self._known = found

    async def run(self) -> NoReturn:
        """Look for ever."""
        while True:
            try:
                await self.look()
            except sqlite3.Error as error:
                log.error("who was revoked cannot be read: %s; trying again", error)  # noqa: TRY400 -- no traceback for a full disk
            await asyncio.sleep(LOOK_EVERY_S)
