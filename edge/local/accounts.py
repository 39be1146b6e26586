"""Joining at the room's own page: with a voucher of the relay, or, never enrolled, with a code."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from edge.errors import RosterAwaitedError
from edge.local.door import ROSTER_RETRY_S, LocalDoor
from edge.local.own_key import OwnKey
from edge.store.people import JoinCode, People
from laundryd.daemon import codes
from laundryd.daemon.clock import Clock
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.tokens import TokenRefusedError, sign_token
from laundryd.live.door import Admission
from laundryd.wire.bodies import JoinBody, LinkBody, LinkCode
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import DeviceId, ResidentId, RoomRef
from laundryd.wire.notices import Lang

TOKEN_LIFE: Final = timedelta(days=90)
"""A term: a resident who does not open the page in it joins again."""
RENEW_AFTER: Final = timedelta(days=1)
"""Older than this a token is replaced when the page is opened: who comes once in a term stays themselves."""
LINK_CODE_LIFE: Final = timedelta(minutes=10)
"""Long enough to find the other device, short enough to be of no use later."""
TRIES: Final = 10
TRIES_WINDOW_S: Final = 3600.0
"""Wrong codes that an address may try in an hour, 10 of 30^8; right ones do not count, for a whole house
may stand behind one address."""
JOINS: Final = 200
"""Residents that one right code lets in in an hour: a house that moves in on one day, not a script."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """Somebody came in: who, on which device, with which token for the cookie until when."""

    resident: ResidentId
    device: DeviceId
    token: str
    life_s: int


class Accounts:
    """Lets residents in. ``relay_url`` is None in a room that was never enrolled."""

    def __init__(
        self,
        ref: RoomRef,
        clock: Clock,
        *,
        door: LocalDoor,
        people: People,
        own_key: OwnKey,
        relay_url: str | None,
    ) -> None:
        self._ref, self._clock = ref, clock
        self._door, self._people, self._own_key = door, people, own_key
        self.relay_url = relay_url
        self._wrong = codes.RateLimit(TRIES, TRIES_WINDOW_S)
        self._right = codes.RateLimit(JOINS, TRIES_WINDOW_S)

    async def join(self, body: JoinBody, address: str) -> Entrance:
        """Let somebody in with a voucher or a code.

        Raises:
            ProblemError: voucher_invalid, roster_awaited, join_at_relay, join_code_*, rate_limited,
                invalid_body.

        """
        if body.voucher is not None:
            return await self._with_voucher(body.voucher, body.lang)
        if body.code is None:
            raise ProblemError(ErrorCode.INVALID_BODY, "Give code or voucher.", fields=["code"])
        self._only_unenrolled()
        now_s, digest = self._clock.monotonic_s(), codes.digest(body.code)
        _count(self._wrong, address, now_s)
        _count(self._right, digest, now_s)
        entrance = self._entrance(_new_id("r"), _new_id("d"))
        came = await self._people.join(
            digest,
            entrance.resident,
            entrance.device,
            device_name=body.device_name,
            lang=body.lang,
            now=self._clock.real_now(),
        )
        match came:
            case JoinCode.INVALID:
                raise ProblemError(ErrorCode.JOIN_CODE_INVALID)
            case JoinCode.SPENT:
                raise ProblemError(ErrorCode.JOIN_CODE_SPENT)
            case JoinCode.TAKEN:
                self._wrong.give_back(address, now_s)
                return entrance

    async def link_code(self, resident: ResidentId) -> LinkCode:
        """Make a one-time code with which ``resident`` brings in another device."""
        self._only_unenrolled()
        code = codes.new_code()
        expires_at = self._clock.real_now() + LINK_CODE_LIFE
        await self._people.add_link_code(codes.digest(code), resident, expires_at)
        return LinkCode(code=code, expires_at=expires_at)

    async def link(self, body: LinkBody, address: str) -> Entrance:
        """Let a resident's further device in.

        Raises:
            ProblemError: link_code_invalid, join_at_relay, rate_limited.

        """
        self._only_unenrolled()
        now_s = self._clock.monotonic_s()
        _count(self._wrong, address, now_s)
        device = _new_id("d")
        resident = await self._people.link(
            codes.digest(body.code),
            device,
            device_name=body.device_name,
            now=self._clock.real_now(),
        )
        if resident is None:
            raise ProblemError(ErrorCode.LINK_CODE_INVALID)
        self._wrong.give_back(address, now_s)
        return self._entrance(resident, device)

    def renewed(self, who: Admission) -> Entrance | None:
        """Return a fresh token for somebody whose own is older than ``RENEW_AFTER``.

        None: it is young enough, or the relay's to renew.
        """
        if self.relay_url is not None or who.expires_in_s is None:
            return None
        is_young = who.expires_in_s >= (TOKEN_LIFE - RENEW_AFTER).total_seconds()
        return None if is_young else self._entrance(who.resident, who.device)

    async def set_lang(self, resident: ResidentId, lang: Lang) -> None:
        """Keep the language in which ``resident`` reads the room's page."""
        await self._people.set_lang(resident, lang, self._clock.real_now())

    async def _with_voucher(self, voucher: str, lang: Lang) -> Entrance:
        try:
            claims = await self._door.claims(voucher)
        except RosterAwaitedError as error:
            raise ProblemError(
                ErrorCode.ROSTER_AWAITED, str(error), retry_after_s=ROSTER_RETRY_S
            ) from error
        except TokenRefusedError as error:
            raise ProblemError(
                ErrorCode.VOUCHER_INVALID, f"The voucher was refused: {error}."
            ) from error
        await self.set_lang(claims.resident, lang)
        left = claims.expires_at - self._door.signer_now()
        return Entrance(claims.resident, claims.device, voucher, int(left.total_seconds()))

    def _entrance(self, resident: ResidentId, device: DeviceId) -> Entrance:
        now = self._clock.real_now()
        token = sign_token(
            self._own_key.signing,
            resident=resident,
            device=device,
            audience=self._ref.audience,
            rooms=frozenset({self._ref.key}),
            issued_at=now,
            expires_at=now + TOKEN_LIFE,
        )
        return Entrance(resident, device, token, int(TOKEN_LIFE.total_seconds()))

    def _only_unenrolled(self) -> None:
        if self.relay_url is not None:
            raise ProblemError(ErrorCode.JOIN_AT_RELAY, f"The relay is {self.relay_url}.")


def _count(limit: codes.RateLimit, key: str, now_s: float) -> None:
    """Count before the code is looked at, so that tries at the same moment all count."""
    wait_s = limit.take(key, now_s)
    if wait_s is not None:
        raise ProblemError(ErrorCode.RATE_LIMITED, retry_after_s=wait_s)


def _new_id(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(10)}"
