from __future__ import annotations

from datetime import UTC, datetime, timedelta

import aiosqlite
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.push.outcomes import Outcome
from cloud_relay.push.subscriptions import Attempted
from cloud_relay.residents.bells import Bells
from cloud_relay.residents.subscriptions import KEY_DROPPED, LOST_KEPT_FOR
from laundryd.daemon.problems import ProblemError
from laundryd.wire.bodies import SubscriptionBody
from laundryd.wire.errors import ErrorCode
from laundryd.wire.subscriptions import NAME_MAX, PushFault, plain_words
from tests.cloud_relay.residents.test_subscriptions import NOW, House, body

LATER = NOW + timedelta(hours=3)
OLD_KEY, NEW_KEY = "B" * 87, "C" * 87


@pytest.fixture
def house(relay_db: aiosqlite.Connection) -> House:
    return House(relay_db)


@pytest.fixture
def bells(relay_db: aiosqlite.Connection) -> Bells:
    return Bells(relay_db)


def named(name: str | None, endpoint: str = "one", **more: object) -> SubscriptionBody:
    return body(endpoint).model_copy(update={"name": name, **more})


async def test_a_start_of_the_app_renews_when_it_was_seen_and_nothing_else(
    house: House, bells: Bells
) -> None:
    resident, (phone,) = await house.resident()
    expires_ms = (NOW + timedelta(days=60)).timestamp() * 1_000
    await house.store.put(phone, named("Chrome on Android"), NOW)
    await house.store.put(phone, named("Chrome on Android", expirationTime=expires_ms), LATER)
    (bell,) = await bells.of(resident, phone)
    assert (bell.name, bell.here, bell.lost) == ("Chrome on Android", True, False)
    assert (bell.created_at, bell.seen_at) == (NOW, LATER)
    assert bell.expires_at == NOW + timedelta(days=60)
    assert bell.fault is None


async def test_without_a_name_it_is_called_as_its_device(house: House, bells: Bells) -> None:
    resident, (phone, laptop) = await house.resident(devices=2)
    await house.store.put(phone, named(None), NOW)
    (bell,) = await bells.of(resident, laptop)
    assert (bell.name, bell.here) == ("x", False)


async def test_the_last_error_has_its_time_and_kind_until_something_is_taken(
    house: House, bells: Bells
) -> None:
    resident, (phone,) = await house.resident()
    await house.store.put(phone, named("a"), NOW)
    (bell,) = await bells.of(resident, phone)
    await house.store.note([Attempted(bell.id, Outcome.REFUSED, "http_403", LATER)])
    (bell,) = await bells.of(resident, phone)
    assert bell.fault == PushFault(at=LATER, kind="http_403")
    await house.store.note([Attempted(bell.id, Outcome.SENT, "", LATER)])
    (bell,) = await bells.of(resident, phone)
    assert (bell.fault, bell.sent_at) == (None, LATER)


async def test_what_its_push_service_forgot_is_told_and_not_taken_again(
    house: House, bells: Bells
) -> None:
    resident, (phone,) = await house.resident()
    await house.store.put(phone, named("a"), NOW)
    (bell,) = await bells.of(resident, phone)
    assert await bells.lost_at(phone) is None
    await house.store.note([Attempted(bell.id, Outcome.GONE, "http_410", LATER)])
    (bell,) = await bells.of(resident, phone)
    assert (bell.lost, bell.fault) == (True, PushFault(at=LATER, kind="http_410"))
    assert await bells.lost_at(phone) == LATER
    assert await house.store.for_resident(resident) == []
    with pytest.raises(ProblemError) as refused:
        await house.store.put(phone, named("a"), LATER)
    assert refused.value.code is ErrorCode.SUBSCRIPTION_DEAD
    await house.store.put(phone, named("a", "another"), LATER)
    (bell,) = await bells.of(resident, phone)
    assert not bell.lost
    assert await bells.lost_at(phone) is None


async def test_an_old_one_that_dies_beside_its_successor_is_no_loss(
    house: House, bells: Bells
) -> None:
    resident, (phone,) = await house.resident()
    await house.store.put(phone, named("a", "old"), NOW)
    (old,) = await bells.of(resident, phone)
    await house.store.put(phone, named("a", "new"), LATER)
    await house.store.note([Attempted(old.id, Outcome.GONE, "http_410", LATER)])
    (bell,) = await bells.of(resident, phone)
    assert not bell.lost
    assert await bells.lost_at(phone) is None


async def test_who_never_came_while_the_old_key_was_good_is_told_that_the_bell_is_lost(
    house: House, bells: Bells
) -> None:
    resident, (phone, laptop) = await house.resident(devices=2)
    await house.store.put(phone, named("a", application_server_key=OLD_KEY), NOW)
    moved = body("two", secret=b"t" * 16)
    await house.store.put(
        laptop, moved.model_copy(update={"application_server_key": NEW_KEY}), LATER
    )
    await house.store.forget_key(OLD_KEY, LATER)
    lost, kept = await bells.of(resident, phone)
    assert (lost.lost, lost.fault) == (True, PushFault(at=LATER, kind=KEY_DROPPED))
    assert not kept.lost
    assert (await bells.lost_at(phone), await bells.lost_at(laptop)) == (LATER, None)
    assert [one.endpoint for one in await house.store.for_resident(resident)] == [moved.endpoint]
    # Switched on again it rings, and nothing is said of the loss any more.
    await house.store.put(phone, named("a", "new", application_server_key=NEW_KEY), LATER)
    assert await bells.lost_at(phone) is None


async def test_a_renewed_one_takes_the_place_of_the_one_it_names(
    house: House, bells: Bells
) -> None:
    resident, (phone,) = await house.resident()
    other, (foreign,) = await house.resident()
    old, new = body("old"), body("new")
    await house.store.put(phone, old, NOW)
    await house.store.put(foreign, body("foreign", secret=b"t" * 16), NOW)
    await house.store.put(phone, new.model_copy(update={"replaces": old.endpoint}), LATER)
    assert [one.endpoint for one in await house.store.for_resident(resident)] == [new.endpoint]
    # Of another's device it takes nothing, whatever it names.
    claim = body("new").model_copy(update={"replaces": body("foreign").endpoint})
    await house.store.put(phone, claim, LATER)
    assert len(await bells.of(other, foreign)) == 1


async def test_switched_off_on_purpose_is_no_loss(house: House, bells: Bells) -> None:
    resident, (phone,) = await house.resident()
    await house.store.put(phone, named("a"), NOW)
    (bell,) = await bells.of(resident, phone)
    await house.store.note([Attempted(bell.id, Outcome.GONE, "http_404", NOW)])
    await house.store.remove(phone)
    assert await bells.of(resident, phone) == []


async def test_a_loss_is_told_for_a_month(house: House, bells: Bells) -> None:
    resident, (phone, laptop) = await house.resident(devices=2)
    await house.store.put(phone, named("a"), NOW)
    await house.store.put(laptop, body("two", secret=b"t" * 16), NOW)
    first, second = await bells.of(resident, phone)
    await house.store.note([Attempted(first.id, Outcome.GONE, "http_410", NOW)])
    await house.store.note(
        [Attempted(second.id, Outcome.GONE, "http_410", NOW + LOST_KEPT_FOR + timedelta(seconds=1))]
    )
    assert [bell.id for bell in await bells.of(resident, phone)] == [second.id]


async def test_a_resident_reads_and_removes_only_their_own(house: House, bells: Bells) -> None:
    mine, (phone, laptop) = await house.resident(devices=2)
    other, (foreign,) = await house.resident()
    await house.store.put(phone, named("mine"), NOW)
    await house.store.put(foreign, body("foreign", secret=b"t" * 16), NOW)
    (bell,) = await bells.of(mine, laptop)
    (theirs,) = await bells.of(other, foreign)
    assert bell.name == "mine"
    assert not await bells.remove(other, bell.id, NOW)
    assert not await bells.remove(mine, theirs.id, NOW)
    assert await bells.remove(mine, bell.id, NOW)
    assert await bells.of(mine, phone) == []
    assert len(await bells.of(other, foreign)) == 1


async def test_what_was_removed_does_not_come_back_by_itself(house: House, bells: Bells) -> None:
    resident, (phone, laptop) = await house.resident(devices=2)
    await house.store.put(phone, named("a"), NOW)
    (bell,) = await bells.of(resident, laptop)
    assert await bells.remove(resident, bell.id, NOW)
    assert not await bells.remove(resident, bell.id, NOW)
    with pytest.raises(ProblemError) as refused:
        await house.store.put(phone, named("a"), LATER)
    assert refused.value.code is ErrorCode.SUBSCRIPTION_REMOVED
    assert await bells.lost_at(phone) is None, "it is off because they wished it"
    await house.store.put(phone, named("a", "switched-on-again"), LATER)
    assert len(await bells.of(resident, phone)) == 1


async def test_a_lost_one_that_was_removed_is_told_no_more(house: House, bells: Bells) -> None:
    resident, (phone,) = await house.resident()
    await house.store.put(phone, named("a"), NOW)
    (bell,) = await bells.of(resident, phone)
    await house.store.note([Attempted(bell.id, Outcome.GONE, "http_410", NOW)])
    assert await bells.remove(resident, bell.id, LATER)
    assert await bells.of(resident, phone) == []
    assert await bells.lost_at(phone) is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("  Chrome\n on\tAndroid ", "Chrome on Android"),
        ("a\u202egnp.exe", "a gnp.exe"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("x" * 500, "x" * NAME_MAX),
        ("\x00\x1b[31m", "[31m"),
    ],
)
def test_a_name_is_what_can_be_seen_of_it(said: str, shown: str) -> None:
    assert named_by_wire(said) == shown


@given(st.text())
def test_any_name_is_taken_and_is_bounded(said: str) -> None:
    name = named_by_wire(said)
    assert name is not None
    assert 0 < len(name) <= NAME_MAX
    assert name == plain_words(name)


def named_by_wire(said: str) -> str | None:
    whole = {**body("one").model_dump(), "name": said}
    return SubscriptionBody.model_validate(whole).name


def test_an_end_past_every_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="expirationTime"):
        SubscriptionBody.model_validate({**body("one").model_dump(), "expirationTime": 1e300})
    assert datetime.fromtimestamp(253_402_300_799, UTC).year == 9999
