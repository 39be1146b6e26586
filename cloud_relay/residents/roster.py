"""The roster of a room: what its edge must know to let residents in, and in peace, without the cloud."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import aiosqlite

from cloud_relay.residents.people import People
from cloud_relay.residents.preferences import PreferenceStore
from cloud_relay.residents.tokens import Tokens
from laundryd.daemon.sqlite import transaction
from laundryd.daemon.tokens import SigningKey
from laundryd.wire.ids import DeviceId, ResidentId, RoomKey, RoomRef
from laundryd.wire.notices import NoticeKind
from laundryd.wire.uplink import DownRoster, Roster, VerifyKey


def build(
    room: RoomKey,
    version: int,
    *,
    keys: Sequence[VerifyKey],
    revoked: Sequence[DeviceId],
    declined: Mapping[ResidentId, Sequence[NoticeKind]],
    relay_url: str,
) -> Roster:
    """Write the roster of ``room``."""
    return Roster(
        version=version,
        audience=RoomRef.from_key(room).audience,
        keys=list(keys),
        revoked_devices=sorted(revoked),
        declined={resident: sorted(declined[resident]) for resident in sorted(declined)},
        relay_url=relay_url,
    )


class Rosters:
    """Each room's newest roster, signed with the enrolment key, its version counted up at a change."""

    def __init__(
        self,
        db: aiosqlite.Connection,
        *,
        people: People,
        preferences: PreferenceStore,
        tokens: Tokens,
        enrolment_key: SigningKey,
        relay_url: str,
    ) -> None:
        self._db = db
        self._people = people
        self._preferences = preferences
        self._tokens = tokens
        self._key = enrolment_key
        self._relay_url = relay_url

    async def rooms(self) -> list[RoomKey]:
        """Name every enrolled room, those included that another process enrolled just now."""
        found = await self._db.execute_fetchall("SELECT room FROM rooms ORDER BY room")
        return [str(row["room"]) for row in found]

    async def version(self, room: RoomKey) -> int | None:
        """Return the version of the newest roster of ``room``; None when there was none yet."""
        found = await self._db.execute_fetchall(
            "SELECT version FROM rosters WHERE room = ?", (room,)
        )
        return next((int(row["version"]) for row in found), None)

    async def current(self, room: RoomKey, at: datetime, *, known: int = 0) -> DownRoster:
        """Return the roster of ``room`` at real time ``at``; the same content is the same version.

        The version is stored before it is shown to anybody, so that it never goes back. ``known``: the room
        has this version already, maybe of a relay that was restored to less since: ours is not lower.
        """
        revoked = await self._people.revoked(room, at)
        declined = await self._preferences.declined_in(room)
        async with transaction(self._db) as db:
            found = await db.execute_fetchall(
                "SELECT version, digest, jws FROM rosters WHERE room = ?", (room,)
            )
            row = next(iter(found), None)
            content = self._build(room, 0, revoked, declined)
            digest = hashlib.sha256(
                f"{self._key.kid} {content.model_dump_json()}".encode()
            ).hexdigest()
            kept = 0 if row is None else int(row["version"])
            if row is not None and row["digest"] == digest and kept >= known:
                return DownRoster(jws=row["jws"])
            version = max(kept, known) + 1
            roster = self._build(room, version, revoked, declined)
            jws = self._key.sign(roster.model_dump(mode="json"))
            await db.execute(
                "INSERT OR REPLACE INTO rosters (room, version, digest, jws) VALUES (?, ?, ?, ?)",
                (room, version, digest, jws),
            )
        return DownRoster(jws=jws)

    def _build(
        self,
        room: RoomKey,
        version: int,
        revoked: Sequence[DeviceId],
        declined: Mapping[ResidentId, Sequence[NoticeKind]],
    ) -> Roster:
        return build(
            room,
            version,
            keys=self._tokens.verify_keys,
            revoked=revoked,
            declined=declined,
            relay_url=self._relay_url,
        )
