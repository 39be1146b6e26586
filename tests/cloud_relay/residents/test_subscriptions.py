from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import aiosqlite
import pytest

from cloud_relay.push.endpoints import PushHosts
from cloud_relay.push.outcomes import Outcome
from cloud_relay.push.queue import PushQueue
from cloud_relay.push.subscriptions import Attempted, Way
from cloud_relay.residents.people import People
from cloud_relay.residents.subscriptions import PER_DEVICE_MAX, SubscriptionStore
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.wire.bodies import FcmBody, PushKeys, SubscriptionBody
from laundryd.wire.notices import Lang
from tests.cloud_relay.world import Postman, Wishes, notice

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def body(name: str, *, secret: bytes = b"s" * 16, point: bytes = b"\x04" * 65) -> SubscriptionBody:
    keys = PushKeys(p256dh=b64(point), auth=b64(secret))
    return SubscriptionBody(endpoint=f"https://fcm.googleapis.com/send/{name}", keys=keys)


class House:
    def __init__(self, db: aiosqlite.Connection) -> None:
        self.people = People(db)
        self.store = SubscriptionStore(db, PushHosts())
        self._db = db

    async def resident(self, lang: Lang = Lang.KO, devices: int = 1) -> tuple[str, list[str]]:
        async with transaction(self._db):
            resident = await self.people.add_resident_in(lang, NOW)
            made = [await self.people.add_device_in(resident, "x", NOW) for _ in range(devices)]
        return resident, made


@pytest.fixture
def house(relay_db: aiosqlite.Connection) -> House:
    return House(relay_db)


async def test_the_sender_gets_every_device_of_a_resident_in_their_language(house: House) -> None:
    resident, (phone, laptop) = await house.resident(devices=2)
    other, (foreign,) = await house.resident()
    await house.store.put(phone, body("phone"), NOW)
    await house.store.put(laptop, body("laptop", secret=b"t" * 16), NOW + timedelta(seconds=1))
    await house.store.put(foreign, body("foreign", secret=b"u" * 16), NOW)
    found = await house.store.for_resident(resident)
    assert [one.endpoint.rpartition("/")[2] for one in found] == ["phone", "laptop"]
    assert {one.lang for one in found} == {Lang.KO}
    assert len(await house.store.for_resident(other)) == 1


async def test_the_same_endpoint_again_renews_its_keys_and_keeps_its_name(house: House) -> None:
    resident, (phone,) = await house.resident()
    await house.store.put(phone, body("one"), NOW)
    (before,) = await house.store.for_resident(resident)
    await house.store.put(phone, body("one", point=b"\x05" * 65), NOW)
    (after,) = await house.store.for_resident(resident)
    assert after.id == before.id
    assert after.p256dh != before.p256dh


async def test_a_browser_that_joined_anew_is_not_told_what_is_for_who_it_was(house: House) -> None:
    old, (before,) = await house.resident()
    new, (after,) = await house.resident()
    await house.store.put(before, body("browser"), NOW)
    await house.store.put(after, body("browser"), NOW)
    assert await house.store.for_resident(old) == []
    assert len(await house.store.for_resident(new)) == 1


async def test_who_knows_only_an_endpoint_takes_nothing_from_its_owner(house: House) -> None:
    owner, (phone,) = await house.resident()
    _, (thief,) = await house.resident()
    await house.store.put(phone, body("browser"), NOW)
    await house.store.put(thief, body("browser", secret=b"?" * 16), NOW)
    assert len(await house.store.for_resident(owner)) == 1


async def test_a_device_keeps_its_newest_subscriptions_only(house: House) -> None:
    resident, (phone,) = await house.resident()
    for number in range(PER_DEVICE_MAX + 2):
        await house.store.put(phone, body(str(number)), NOW + timedelta(seconds=number))
    found = [one.endpoint for one in await house.store.for_resident(resident)]
    assert len(found) == PER_DEVICE_MAX
    assert found[-1].endswith(str(PER_DEVICE_MAX + 1))


async def test_signing_a_device_out_takes_its_subscriptions_with_it(house: House) -> None:
    resident, (phone, laptop) = await house.resident(devices=2)
    await house.store.put(phone, body("phone"), NOW)
    await house.store.put(laptop, body("laptop", secret=b"t" * 16), NOW)
    await house.people.revoke(resident, phone, NOW)
    (left,) = await house.store.for_resident(resident)
    assert left.endpoint.endswith("laptop")
    await house.people.forget(resident, NOW)
    assert await house.store.for_resident(resident) == []


async def test_the_last_error_is_kept_until_something_is_sent(
    house: House, relay_db: aiosqlite.Connection
) -> None:
    resident, (phone,) = await house.resident()
    await house.store.put(phone, body("phone"), NOW)
    (one,) = await house.store.for_resident(resident)

    async def error() -> object:
        rows = await relay_db.execute_fetchall("SELECT error_kind FROM subscriptions")
        return next(iter(rows))[0]

    async def attempted(outcome: Outcome, detail: str = "") -> None:
        async with transaction(relay_db) as db:
            await house.store.attempted(db, [Attempted(one.id, outcome, detail, NOW)])

    assert await house.store.by_id([one.id, "unknown"]) == {one.id: one}
    await attempted(Outcome.LATER, "http_429")
    assert await error() == "http_429"
    await attempted(Outcome.SENT)
    assert await error() is None
    await attempted(Outcome.GONE, "http_410")
    assert not await house.store.has(phone)


def token(name: str) -> FcmBody:
    return FcmBody(token=f"{name}-{'x' * 20}:APA91b", name="Chrome on Android")


async def test_a_device_has_one_way_after_any_course(house: House) -> None:
    for course in product(("fcm-1", "fcm-2", "push-1", "push-2"), repeat=3):
        resident, (phone,) = await house.resident()
        for minute, step in enumerate(course):
            at, way = NOW + timedelta(minutes=minute), Way.WEB_PUSH
            if step.startswith("fcm"):
                way = Way.FCM
                await house.store.put_fcm(phone, token(step), at)
            else:
                await house.store.put(phone, body(step), at)
            found = await house.store.for_resident(resident)
            assert {one.way for one in found} == {way}, course
            if way is Way.FCM:
                assert [one.endpoint for one in found] == [token(step).token], course
        await house.people.forget(resident, NOW)


async def test_without_that_a_device_is_told_the_same_notice_twice(
    house: House, relay_db: aiosqlite.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident, (phone,) = await house.resident()

    async def told_at() -> list[Way]:
        """Return the ways by which the resident's one device is told of a notice."""
        queue = PushQueue(
            relay_db, Clock(), sender=Postman(), subscriptions=house.store, wishes=Wishes()
        )
        card = notice(1).card()
        async with transaction(relay_db) as db:
            await db.execute("PRAGMA defer_foreign_keys = ON")
            await queue.enqueue(db, card, resident)
            rows = await db.execute_fetchall("SELECT subscription FROM push_deliveries")
            found = await house.store.by_id([row["subscription"] for row in rows])
            await db.execute("DELETE FROM push_deliveries")
        return sorted(one.way for one in found.values())

    await house.store.put(phone, body("browser"), NOW)
    await house.store.put_fcm(phone, token("browser"), NOW)
    assert await told_at() == [Way.FCM]
    execute = relay_db.execute

    def keeps_all(sql: str, *values: Any) -> Any:
        if sql.startswith("DELETE FROM subscriptions WHERE device"):
            sql, values = "SELECT 1", ()
        return execute(sql, *values)

    monkeypatch.setattr(relay_db, "execute", keeps_all)
    await house.store.put(phone, body("browser"), NOW)
    assert await told_at() == [Way.FCM, Way.WEB_PUSH]


async def test_the_same_token_keeps_its_name_and_says_when_it_was_seen(
    house: House, relay_db: aiosqlite.Connection
) -> None:
    resident, (phone,) = await house.resident()
    await house.store.put_fcm(phone, token("one"), NOW)
    (before,) = await house.store.for_resident(resident)
    await house.store.put_fcm(phone, token("one"), NOW + timedelta(days=1))
    (after,) = await house.store.for_resident(resident)
    assert after == before
    assert token("one").token not in repr(after)
    rows = await relay_db.execute_fetchall("SELECT seen_at FROM subscriptions")
    assert next(iter(rows))[0] == "2026-11-24T12:00:00.000Z"


async def test_a_token_of_somebody_who_joined_anew_is_theirs_alone(house: House) -> None:
    old, (before, _) = await house.resident(devices=2)
    new, (after,) = await house.resident()
    await house.store.put_fcm(before, token("browser"), NOW)
    await house.store.put_fcm(after, token("browser"), NOW)
    assert await house.store.for_resident(old) == []
    assert len(await house.store.for_resident(new)) == 1


async def test_a_key_of_ours_that_goes_takes_no_token_with_it(house: House) -> None:
    resident, (phone, laptop) = await house.resident(devices=2)
    await house.store.put_fcm(phone, token("phone"), NOW)
    await house.store.put(laptop, body("laptop"), NOW)
    await house.store.adopt("a key")
    assert await house.store.uses("a key") == 1
    await house.store.forget_key("a key", NOW)
    assert [one.way for one in await house.store.for_resident(resident)] == [Way.FCM]
