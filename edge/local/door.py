"""Who may come in: tokens of the relay for this room, verified offline, or the room's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from edge.errors import RosterAwaitedError
from edge.link.roster import RosterKeeper
from edge.local.own_key import OwnKey
from edge.store.people import People
from laundryd.daemon.clock import Clock
from laundryd.daemon.cookies import token_of
from laundryd.daemon.tokens import Claims, TokenRefusedError, verify_token
from laundryd.live.door import Admission, Refusal
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import DeviceId, RoomKey, RoomRef

COOKIE: Final = "laundryd_edge"
ROSTER_RETRY_S: Final = 10.0
"""Seconds after which a page asks again while the room awaits its roster. That is retained at the cloud's
broker and comes within a second of the connection; with the cloud away it may take as long as that."""


class LocalDoor:
    """Judges tokens for the room's own page.

    ``roster`` is None in a room that was never enrolled: then only ``own_key`` signs, and ``people``
    know the devices. In an enrolled room identity is the relay's, and our own key counts no more.
    ``relay_ahead`` says how far the relay's clock is ahead of ours, as last measured: tokens are judged
    in the time of who signed them.
    """

    def __init__(
        self,
        ref: RoomRef,
        clock: Clock,
        *,
        own_key: OwnKey,
        people: People,
        roster: RosterKeeper | None,
        relay_ahead: Callable[[], timedelta] = timedelta,
    ) -> None:
        self._ref, self._clock = ref, clock
        self._own_key, self._people, self._roster = own_key, people, roster
        self._relay_ahead = relay_ahead

    @property
    def awaits_roster(self) -> bool:
        """Whether the room is a relay's and has not heard yet who its residents are."""
        return self._roster is not None and self._roster.current is None

    def signer_now(self) -> datetime:
        """Real time by the clock of whoever signs tokens for this room."""
        now = self._clock.real_now()
        return now if self._roster is None else now + self._relay_ahead()

    async def claims(self, token: str) -> Claims:
        """Check a token and return what it says.

        Raises:
            RosterAwaitedError: which keys sign is not known yet, in an enrolled room that lost its store.
            TokenRefusedError: not valid for this room now; the message says why, without the token.

        """
        if self.awaits_roster:
            raise RosterAwaitedError("The relay's roster has not come yet.")
        keys = self._own_key.keys if self._roster is None else self._roster.keys
        claims = verify_token(token, keys, self._ref.audience, self.signer_now())
        if await self._is_revoked(claims.device):
            raise TokenRefusedError("its device was signed out")
        return claims

    async def _is_revoked(self, name: DeviceId) -> bool:
        if self._roster is not None:
            return name in self._roster.revoked_devices
        device = await self._people.device(name)
        return device is None or device.revoked

    async def admit(self, headers: Mapping[str, str]) -> Admission | Refusal:
        """Let a request in, or say why not."""
        token = token_of(headers, COOKIE)
        if token is None:
            return Refusal(ErrorCode.UNAUTHENTICATED, "There is no token.")
        try:
            claims = await self.claims(token)
        except RosterAwaitedError as error:
            # Not 401: an app would sign out a resident who is known again in a moment.
            return Refusal(ErrorCode.ROSTER_AWAITED, str(error), ROSTER_RETRY_S)
        except TokenRefusedError as error:
            return Refusal(ErrorCode.UNAUTHENTICATED, f"The token was refused: {error}.")
        left_s = (claims.expires_at - self.signer_now()).total_seconds()
        return Admission(
            claims.resident, claims.device, frozenset({self._ref.key}), expires_in_s=left_s
        )

    async def rooms_now(self, admission: Admission) -> frozenset[RoomKey]:
        """Return this room, unless the device was signed out since it was let in."""
        return frozenset() if await self._is_revoked(admission.device) else admission.rooms
