"""Residents' tokens: one for the relay, and vouchers that open a room's own page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cloud_relay.push.keys import old_path
from laundryd.daemon.tokens import (
    RELAY_AUDIENCE,
    Claims,
    SigningKey,
    check_times,
    read_token,
    sign_token,
)
from laundryd.wire.ids import DeviceId, ResidentId, RoomKey, RoomRef
from laundryd.wire.uplink import VerifyKey

TOKEN_LIFE: Final = timedelta(days=90)
"""A relay token: a resident who opens the app once in a semester break stays signed in."""
RENEW_AFTER: Final = timedelta(days=1)
"""A token older than this is replaced when the app asks who it is, so one in use never runs out."""
VOUCHER_LIFE: Final = timedelta(days=30)
"""A voucher: the room's page opens without the cloud for a month after the app last saw the relay."""
CHECKED_MAX: Final = 5_000
"""Tokens whose signature need not be checked again: some 3 MB, and several times the connections."""


class Tokens:
    """Makes tokens with the relay's signing key, and checks them. Times are real time.

    ``old``: the key before a rotation: what it signed is good until it runs out. None: there is none.
    """

    def __init__(self, key: SigningKey, old: SigningKey | None = None) -> None:
        self._key = key
        known = [key] if old is None else [key, old]
        self._keys: Mapping[str, VerifyKey] = {one.kid: one.verify_key for one in known}
        self._checked: dict[bytes, Claims] = {}

    @property
    def verify_keys(self) -> list[VerifyKey]:
        """The public keys that edges check residents' tokens with."""
        return list(self._keys.values())

    def issue(self, resident: ResidentId, device: DeviceId, at: datetime) -> str:
        """Make a token for the relay, good for ``TOKEN_LIFE``.

        It names no rooms: at the relay the rooms joined are looked up, so they are never stale.
        """
        return self._sign(
            resident, device, audience=RELAY_AUDIENCE, rooms=frozenset(), at=at, life=TOKEN_LIFE
        )

    def voucher(
        self, resident: ResidentId, device: DeviceId, room: RoomKey, at: datetime
    ) -> tuple[str, datetime]:
        """Make a token that opens the page of ``room`` only; return it with its expiry."""
        audience = RoomRef.from_key(room).audience
        token = self._sign(
            resident, device, audience=audience, rooms=frozenset({room}), at=at, life=VOUCHER_LIFE
        )
        return token, at + VOUCHER_LIFE

    def check(self, token: str, at: datetime) -> Claims:
        """Return what a relay token says.

        Raises:
            TokenRefusedError: not ours, for another audience, expired.

        """
        # A signature takes ten times as long to check as to remember, and a house comes back at once.
        # What is remembered cannot open anything: a digest, not the token.
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._checked.get(digest)
        if claims is None:
            claims = read_token(token, self._keys, RELAY_AUDIENCE)
        else:
            del self._checked[digest]  # to the end: the longest unused goes first
        check_times(claims, at)
        self._checked[digest] = claims
        if len(self._checked) > CHECKED_MAX:
            del self._checked[next(iter(self._checked))]
        return claims

    def _sign(
        self,
        resident: ResidentId,
        device: DeviceId,
        *,
        audience: str,
        rooms: frozenset[RoomKey],
        at: datetime,
        life: timedelta,
    ) -> str:
        return sign_token(
            self._key,
            resident=resident,
            device=device,
            audience=audience,
            rooms=rooms,
            issued_at=at,
            expires_at=at + life,
        )


def old_signing_key(path: Path, at: datetime) -> SigningKey | None:
    """Return the signing key before ``path``'s, None: there is none. One whose tokens all ran out is deleted.

    Raises:
        ValueError, OSError: it cannot be read.

    """
    before = old_path(path)
    if not before.exists():
        return None
    if at - datetime.fromtimestamp(before.stat().st_mtime, UTC) > TOKEN_LIFE:
        before.unlink()
        return None
    return SigningKey.load_or_create(before)


def wants_renewal(claims: Claims, at: datetime) -> bool:
    """Say whether a valid token is old enough to be replaced."""
    return at - claims.issued_at > RENEW_AFTER
