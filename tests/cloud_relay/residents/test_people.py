from __future__ import annotations

from datetime import UTC, datetime, timedelta

import aiosqlite
import pytest

from cloud_relay.residents.join_codes import JoinCodes, JoinLimits
from cloud_relay.residents.joining import Joining
from cloud_relay.residents.link_codes import LINK_CODE_LIFE, LinkCodes
from cloud_relay.residents.people import People, Person
from cloud_relay.residents.tokens import RENEW_AFTER, TOKEN_LIFE, Tokens, wants_renewal
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.tokens import SigningKey, TokenRefusedError
from laundryd.wire.bodies import LinkBody
from laundryd.wire.errors import ErrorCode
from laundryd.wire.notices import Lang

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROOM, OTHER = "maple-hall.north", "maple-hall.south"


class Town:
    """The store of residents with its codes, at a time that the test says."""

    def __init__(self, db: aiosqlite.Connection, limits: JoinLimits) -> None:
        self.people = People(db)
        self.codes = JoinCodes(db, limits)
        self.link_codes = LinkCodes(db)
        self.joining = Joining(db, self.people, self.codes, self.link_codes)

    async def join(
        self,
        code: str,
        *,
        known: Person | None = None,
        address: str = "192.0.2.1",
        at: datetime = NOW,
    ) -> Person:
        return await self.joining.join(
            code,
            known=known,
            device_name="Phone",
            lang=Lang.KO,
            address=address,
            at=at,
            now_s=(at - NOW).total_seconds(),
        )

    async def link(self, code: str, *, at: datetime = NOW) -> Person:
        return await self.joining.link(LinkBody(code=code), address="192.0.2.1", at=at, now_s=0.0)


@pytest.fixture
def town(relay_db: aiosqlite.Connection) -> Town:
    return Town(relay_db, JoinLimits(tries_per_address_h=5, joins_per_room_h=3))


async def refused(code: ErrorCode, attempt: object) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        await attempt  # type: ignore[misc]  # any coroutine
    assert caught.value.code is code
    return caught.value


async def test_only_a_digest_of_a_code_is_kept(town: Town, relay_db: aiosqlite.Connection) -> None:
    code = await town.codes.rotate(ROOM, 10, NOW)
    kept = [list(row) for row in await relay_db.execute_fetchall("SELECT * FROM join_codes")]
    assert code not in str(kept)
    assert code.replace("-", "") not in str(kept)


async def test_a_new_code_takes_the_place_of_the_old_one(town: Town) -> None:
    old = await town.codes.rotate(ROOM, 10, NOW)
    new = await town.codes.rotate(ROOM, 10, NOW)
    await refused(ErrorCode.JOIN_CODE_INVALID, town.join(old))
    assert (await town.join(new)).rooms == {ROOM}


async def test_a_code_may_expire(town: Town) -> None:
    code = await town.codes.rotate(ROOM, 10, NOW, NOW + timedelta(days=1))
    assert (await town.join(code, at=NOW + timedelta(hours=23))).rooms == {ROOM}
    error = await refused(ErrorCode.JOIN_CODE_INVALID, town.join(code, at=NOW + timedelta(days=1)))
    assert "expired" in error.detail


async def test_a_refused_join_leaves_nobody_behind(
    town: Town, relay_db: aiosqlite.Connection
) -> None:
    code = await town.codes.rotate(ROOM, 1, NOW)
    await town.join(code)
    await refused(ErrorCode.JOIN_CODE_SPENT, town.join(code))
    rows = list(await relay_db.execute_fetchall("SELECT count(*) FROM residents"))
    assert rows[0][0] == 1


async def test_an_address_that_tries_too_often_is_told_how_long_to_wait(town: Town) -> None:
    for _ in range(5):
        await refused(ErrorCode.JOIN_CODE_INVALID, town.join("AAAA-AAAA"))
    error = await refused(ErrorCode.RATE_LIMITED, town.join("AAAA-AAAA"))
    assert error.retry_after_s == 3_600
    await refused(ErrorCode.JOIN_CODE_INVALID, town.join("AAAA-AAAA", address="192.0.2.2"))
    await refused(ErrorCode.JOIN_CODE_INVALID, town.join("AAAA-AAAA", at=NOW + timedelta(hours=1)))


async def test_a_room_that_fills_too_fast_makes_the_next_one_wait(town: Town) -> None:
    code = await town.codes.rotate(ROOM, 100, NOW)
    for number in range(3):
        await town.join(code, address=f"192.0.2.{number}")
    await refused(ErrorCode.RATE_LIMITED, town.join(code, address="192.0.2.9"))
    late = await town.join(code, address="192.0.2.9", at=NOW + timedelta(hours=1))
    assert late.rooms == {ROOM}


async def test_a_link_code_ends_after_its_minutes(town: Town) -> None:
    person = await town.join(await town.codes.rotate(ROOM, 10, NOW))
    code, expires_at = await town.link_codes.make(person.resident, person.device, NOW)
    assert expires_at == NOW + LINK_CODE_LIFE
    await refused(ErrorCode.LINK_CODE_INVALID, town.link(code, at=expires_at))


async def test_a_new_link_code_of_a_device_ends_the_one_before(town: Town) -> None:
    person = await town.join(await town.codes.rotate(ROOM, 10, NOW))
    old, _ = await town.link_codes.make(person.resident, person.device, NOW)
    new, _ = await town.link_codes.make(person.resident, person.device, NOW)
    await refused(ErrorCode.LINK_CODE_INVALID, town.link(old))
    linked = await town.link(new)
    assert (linked.resident, linked.rooms) == (person.resident, person.rooms)


async def test_a_link_code_of_a_device_that_was_signed_out_is_worth_nothing(town: Town) -> None:
    person = await town.join(await town.codes.rotate(ROOM, 10, NOW))
    code, _ = await town.link_codes.make(person.resident, person.device, NOW)
    await town.people.revoke(person.resident, person.device, NOW)
    await refused(ErrorCode.LINK_CODE_INVALID, town.link(code))


async def test_a_revoked_device_is_refused_here_and_named_to_its_rooms(town: Town) -> None:
    person = await town.join(await town.codes.rotate(ROOM, 10, NOW))
    person = await town.join(await town.codes.rotate(OTHER, 10, NOW), known=person)
    second = await town.link((await town.link_codes.make(person.resident, person.device, NOW))[0])
    await town.people.revoke(person.resident, person.device, NOW)
    assert await town.people.person(person.resident, person.device) is None
    assert await town.people.person(second.resident, second.device) is not None
    for room in (ROOM, OTHER):
        assert await town.people.revoked(room, NOW) == [person.device]
        assert await town.people.revoked(room, NOW + TOKEN_LIFE) == []


async def test_nobody_can_revoke_another_residents_device(town: Town) -> None:
    code = await town.codes.rotate(ROOM, 10, NOW)
    victim, other = await town.join(code), await town.join(code)
    await town.people.revoke(other.resident, victim.device, NOW)
    assert await town.people.person(victim.resident, victim.device) is not None


async def test_a_device_is_only_its_own_residents(town: Town) -> None:
    code = await town.codes.rotate(ROOM, 10, NOW)
    one, two = await town.join(code), await town.join(code)
    assert await town.people.person(one.resident, two.device) is None


async def test_a_token_opens_the_relay_for_90_days_and_is_renewed_after_one(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tokens = Tokens(SigningKey.load_or_create(tmp_path_factory.mktemp("keys") / "key.pem"))
    token = tokens.issue("someone", "phone", NOW)
    last = NOW + TOKEN_LIFE - timedelta(seconds=1)
    assert tokens.check(token, last).resident == "someone"
    with pytest.raises(TokenRefusedError):
        tokens.check(token, NOW + TOKEN_LIFE)
    claims = tokens.check(token, NOW)
    assert not wants_renewal(claims, NOW + RENEW_AFTER)
    assert wants_renewal(claims, NOW + RENEW_AFTER + timedelta(seconds=1))
    voucher, _ = tokens.voucher("someone", "phone", ROOM, NOW)
    with pytest.raises(TokenRefusedError):
        tokens.check(voucher, NOW)
