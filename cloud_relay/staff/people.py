"""Who is staff, their one-time sign-in links, and where they are signed in.

A session is a random secret in a cookie, of which only the digest is kept: it opens nothing that a
resident's token opens, a resident's token opens nothing of staff's, and it ends when its row goes.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import aiosqlite

from laundryd.daemon.problems import ProblemError
from laundryd.daemon.sqlite import transaction
from laundryd.wire.errors import ErrorCode
from laundryd.wire.times import from_rfc3339, to_rfc3339

SECRET_BYTES: Final = 24
"""192 random bits, 32 characters: nobody types or guesses it."""
LINK_LIFE: Final = timedelta(hours=24)
"""Long enough to send it on and to be opened at the next shift."""
SESSION_LIFE: Final = timedelta(days=30)
"""Since it was last used: who announces nothing for a month signs in anew."""
RENEW_AFTER: Final = timedelta(days=1)
"""A session in use is made longer once a day."""


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One of the staff. ``signed_in``: on how many devices. ``link_until``: of an unused link, or None."""

    name: str
    added_at: datetime
    signed_in: int
    link_until: datetime | None


class Staff:
    """The store of staff. Times are real time. May be used beside a running relay."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db

    async def invite(self, name: str, at: datetime) -> tuple[str, datetime]:
        """Add ``name``, or make a new link for who is there; an unused one before opens no more.

        Returns the secret, which only its digest is kept of, and until when it may be used once.
        """
        secret, expires_at = secrets.token_urlsafe(SECRET_BYTES), at + LINK_LIFE
        async with transaction(self._db) as db:
            await db.execute(
                "INSERT INTO staff (name, added_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (name, to_rfc3339(at)),
            )
            await db.execute(
                "INSERT OR REPLACE INTO staff_links (name, digest, expires_at) VALUES (?, ?, ?)",
                (name, _digest(secret), to_rfc3339(expires_at)),
            )
        return secret, expires_at

    async def everybody(self, at: datetime) -> list[StaffRow]:
        """List the staff by name."""
        rows = await self._db.execute_fetchall(
            "SELECT s.name, s.added_at, l.expires_at, (SELECT count(*) FROM staff_sessions"
            " WHERE name = s.name AND expires_at > ?1) AS signed_in FROM staff s"
            " LEFT JOIN staff_links l ON l.name = s.name AND l.expires_at > ?1 ORDER BY s.name",
            (to_rfc3339(at),),
        )
        return [
            StaffRow(
                name=row["name"],
                added_at=from_rfc3339(row["added_at"]),
                signed_in=row["signed_in"],
                link_until=from_rfc3339(row["expires_at"]) if row["expires_at"] else None,
            )
            for row in rows
        ]

    async def revoke(self, name: str) -> bool:
        """Sign ``name`` out everywhere, at once, and forget them; False when there is no such staff."""
        async with transaction(self._db) as db:
            cursor = await db.execute("DELETE FROM staff WHERE name = ?", (name,))
        return cursor.rowcount == 1

    async def sign_in(self, secret: str, at: datetime) -> tuple[str, str]:
        """Use up a link; return the name, and the session's secret for the cookie.

        Raises:
            ProblemError: ``staff_link_invalid``: wrong, used before, or too old.

        """
        session = secrets.token_urlsafe(SECRET_BYTES)
        async with transaction(self._db) as db:
            found = await db.execute_fetchall(
                "DELETE FROM staff_links WHERE digest = ? RETURNING name, expires_at",
                (_digest(secret),),
            )
            row = next(iter(found), None)
            is_good = row is not None and at < from_rfc3339(row["expires_at"])
            if row is not None and is_good:
                await db.execute(
                    "DELETE FROM staff_sessions WHERE expires_at <= ?", (to_rfc3339(at),)
                )
                await db.execute(
                    "INSERT INTO staff_sessions (digest, name, signed_in_at, expires_at)"
                    " VALUES (?, ?, ?, ?)",
                    (_digest(session), row["name"], to_rfc3339(at), to_rfc3339(at + SESSION_LIFE)),
                )
        if row is None or not is_good:
            raise ProblemError(ErrorCode.STAFF_LINK_INVALID)
        return str(row["name"]), session

    async def of_session(self, session: str, at: datetime) -> str | None:
        """Return whose session it is, None when it is nobody's (any more); one in use is made longer."""
        digest = _digest(session)
        found = await self._db.execute_fetchall(
            "SELECT name, expires_at FROM staff_sessions WHERE digest = ?", (digest,)
        )
        row = next(iter(found), None)
        if row is None:
            return None
        left = from_rfc3339(row["expires_at"]) - at
        if left <= timedelta():
            return None
        if left < SESSION_LIFE - RENEW_AFTER:
            async with transaction(self._db) as db:
                await db.execute(
                    "UPDATE staff_sessions SET expires_at = ? WHERE digest = ?",
                    (to_rfc3339(at + SESSION_LIFE), digest),
                )
        return str(row["name"])

    async def sign_out(self, session: str) -> None:
        """End one session."""
        async with transaction(self._db) as db:
            await db.execute("DELETE FROM staff_sessions WHERE digest = ?", (_digest(session),))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
