"""Session ids that a restarted server recognises without having written them down. Pure.

An id is a random part and a code that binds it to one resident on one device (HMAC, RFC 2104, with a key
of the server's). Whoever shows an id that was made for somebody else, or that nobody made, gets a new
one: it opens nothing anyway, but a stranger who takes it first would keep its owner from their session.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Final

from laundryd.wire.ids import DeviceId, ResidentId, SessionId

KEY_BYTES: Final = 32
"""Of a key that is made here, and what a given one should have."""
_RANDOM_BYTES: Final = 18
"""144 bits: never the same twice. 24 characters of base64url."""
_CODE_BYTES: Final = 12
"""96 bits: not to be guessed over a network. 16 characters."""
_RANDOM_CHARACTERS: Final = _RANDOM_BYTES * 4 // 3


class SessionIds:
    """Makes ids and recognises them. ``key``: the same after a restart; None: one for this life only."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(KEY_BYTES)

    def new(self, resident: ResidentId, device: DeviceId) -> SessionId:
        """Make an id for ``resident`` on ``device``, 40 characters."""
        random = secrets.token_urlsafe(_RANDOM_BYTES)
        return random + self._code(random, resident, device)

    def is_theirs(self, session_id: SessionId, resident: ResidentId, device: DeviceId) -> bool:
        """Say whether ``session_id`` was made with this key for ``resident`` on ``device``."""
        random, code = session_id[:_RANDOM_CHARACTERS], session_id[_RANDOM_CHARACTERS:]
        return hmac.compare_digest(code, self._code(random, resident, device))

    def _code(self, random: str, resident: ResidentId, device: DeviceId) -> str:
        # A dot stands in no id, so that no two different triples read the same.
        bound = f"{random}.{resident}.{device}".encode()
        code = hmac.digest(self._key, bound, "sha256")[:_CODE_BYTES]
        return base64.urlsafe_b64encode(code).decode()
