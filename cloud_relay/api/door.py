"""Who is asking: the token of a cookie or of ``Authorization: Bearer``, for this relay alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from cloud_relay.residents.people import People, Person
from cloud_relay.residents.tokens import Tokens
from laundryd.daemon.clock import Clock
from laundryd.daemon.cookies import token_of
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.tokens import Claims, TokenRefusedError
from laundryd.live.door import Admission, Door, Refusal
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import RoomKey

COOKIE: Final = "laundryd_relay"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who asks, and what their token said."""

    person: Person
    claims: Claims


class RelayDoor(Door):
    """Lets in who has a valid token for this relay, on a device that was not revoked."""

    def __init__(self, people: People, tokens: Tokens, clock: Clock) -> None:
        self._people = people
        self._tokens = tokens
        self._clock = clock

    async def sign_in(self, headers: Mapping[str, str]) -> SignedIn:
        """Judge a request by its ``headers`` (names in lower case).

        Raises:
            ProblemError: ``unauthenticated``, with the reason and never the token.

        """
        token = token_of(headers, COOKIE)
        if token is None:
            raise ProblemError(ErrorCode.UNAUTHENTICATED, "No token was sent.")
        try:
            claims = self._tokens.check(token, self._clock.real_now())
        except TokenRefusedError as error:
            raise ProblemError(
                ErrorCode.UNAUTHENTICATED, f"The token was refused: {error}."
            ) from error
        person = await self._people.person(claims.resident, claims.device)
        if person is None:
            raise ProblemError(ErrorCode.UNAUTHENTICATED, "This device was signed out.")
        return SignedIn(person, claims)

    @override
    async def admit(self, headers: Mapping[str, str]) -> Admission | Refusal:
        """Judge the handshake of a live connection."""
        try:
            who = await self.sign_in(headers)
        except ProblemError as error:
            return Refusal(error.code, error.detail)
        left = who.claims.expires_at - self._clock.real_now()
        return Admission(
            resident=who.person.resident,
            device=who.person.device,
            rooms=who.person.rooms,
            expires_in_s=left.total_seconds(),
        )

    @override
    async def rooms_now(self, admission: Admission) -> frozenset[RoomKey]:
        """Return the rooms that the resident has joined by now."""
        return await self._people.rooms(admission.resident)
