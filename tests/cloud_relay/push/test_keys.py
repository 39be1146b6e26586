from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import aiosqlite
import pytest

from cloud_relay.errors import SetupError
from cloud_relay.push.endpoints import PushHosts
from cloud_relay.push.keys import OLD_KEY_LIFE, KeyKeeper, VapidKeys, old_path, rotate
from cloud_relay.push.outcomes import Outcome, Result
from cloud_relay.push.subscriptions import Subscription
from cloud_relay.push.webpush import WebPushSender
from cloud_relay.residents.people import People
from cloud_relay.residents.subscriptions import SubscriptionStore
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.demo.push_service import PushService
from laundryd.wire.bodies import PushKeys, SubscriptionBody
from laundryd.wire.notices import Lang
from tests.cloud_relay.push.test_webpush import fresh_card

SUBJECT = "mailto:staff@example.org"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    VapidKeys.load_or_create(tmp_path / "vapid.pem", SUBJECT)
    return tmp_path / "vapid.pem"


def has_old(keys: VapidKeys) -> bool:
    return keys.old is not None


def loaded(path: Path) -> VapidKeys:
    return VapidKeys.load_or_create(path, SUBJECT)


@dataclass
class Use:
    used: dict[str, int] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)

    async def adopt(self, public_key: str) -> None:
        self.used[public_key] = self.used.pop("", 0)

    async def uses(self, public_key: str) -> int:
        return self.used.get(public_key, 0)

    async def forget_key(self, public_key: str, _at: datetime) -> None:
        self.forgotten.append(public_key)


def test_a_rotation_keeps_the_key_before_beside_the_new_one(path: Path) -> None:
    before = loaded(path).present.public_key
    rotate(path, SUBJECT)
    after = loaded(path)
    assert after.old is not None
    assert after.old.public_key == before != after.present.public_key
    assert after.of(before).public_key == before
    assert after.of("").public_key == after.of(after.present.public_key).public_key
    assert after.knows(before)
    assert not after.knows("B" * 87)
    assert {one.stat().st_mode & 0o777 for one in path.parent.glob("*.pem")} == {0o600}


def test_a_second_rotation_waits_for_the_first(path: Path) -> None:
    rotate(path, SUBJECT)
    before = path.read_bytes(), old_path(path).read_bytes()
    with pytest.raises(SetupError, match="is not over"):
        rotate(path, SUBJECT)
    assert (path.read_bytes(), old_path(path).read_bytes()) == before


def test_a_rotation_that_was_killed_half_way_changes_nothing_and_can_be_done_again(
    path: Path,
) -> None:
    before = loaded(path).present.public_key
    old_path(path).hardlink_to(path)
    keys = loaded(path)
    assert (keys.present.public_key, keys.old) == (before, None)
    old_path(path).hardlink_to(path)
    rotate(path, SUBJECT)
    after = loaded(path).old
    assert after is not None
    assert after.public_key == before


def test_without_a_key_nothing_is_rotated(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="relay init"):
        rotate(tmp_path / "vapid.pem", SUBJECT)


async def test_the_old_key_stays_while_a_subscription_needs_it(path: Path) -> None:
    rotate(path, SUBJECT)
    keys = loaded(path)
    assert keys.old is not None
    old = keys.old.public_key
    use = Use({old: 1})
    keeper = KeyKeeper(keys, path, use, Clock())
    await keeper.look()
    assert has_old(keys)
    use.used[old] = 0
    await keeper.look()
    assert not has_old(keys)
    assert not old_path(path).exists()
    assert loaded(path).old is None


async def test_the_old_key_goes_after_its_time_with_those_that_still_have_it(path: Path) -> None:
    rotate(path, SUBJECT)
    keys = loaded(path)
    assert keys.old is not None
    old = keys.old.public_key
    long_ago_s = (Clock().real_now() - OLD_KEY_LIFE - timedelta(hours=1)).timestamp()
    os.utime(old_path(path), (long_ago_s, long_ago_s))
    use = Use({old: 2})
    await KeyKeeper(keys, path, use, Clock()).look()
    assert use.forgotten == [old]
    assert not has_old(keys)


@pytest.mark.parametrize("rotated", [False, True])
async def test_subscriptions_that_name_no_key_have_the_oldest(path: Path, *, rotated: bool) -> None:
    before = loaded(path).present.public_key
    if rotated:
        rotate(path, SUBJECT)
    use = Use({"": 3})
    await KeyKeeper(loaded(path), path, use, Clock()).start()
    assert use.used == {before: 3}


def body(
    subscription: Mapping[str, object], public_key: str, p256dh: str, auth: str
) -> SubscriptionBody:
    return SubscriptionBody(
        endpoint=str(subscription["endpoint"]),
        keys=PushKeys(p256dh=p256dh, auth=auth),
        application_server_key=public_key,
    )


async def test_nobody_misses_a_push_while_the_keys_change(
    path: Path, relay_db: aiosqlite.Connection
) -> None:
    # The push service refuses whoever signs with another key than the subscription was made with.
    clock = Clock()
    people = People(relay_db)
    async with PushService() as service:
        hosts = PushHosts(testing_origins=frozenset({service.origin}))
        store = SubscriptionStore(relay_db, hosts)
        async with transaction(relay_db):
            resident = await people.add_resident_in(Lang.EN, clock.real_now())
            device = await people.add_device_in(resident, "phone", clock.real_now())

        async def pushed(keys: VapidKeys) -> list[Result]:
            async with WebPushSender(
                keys, clock, public_url="https://laundry.example.org", hosts=hosts
            ) as sender:
                found = await store.for_resident(resident)
                return [await sender.send(fresh_card(), one) for one in found]

        async def subscribe(keys: VapidKeys) -> None:
            key = keys.present.public_key
            phone = service.new_phone(key)
            one = body(phone.subscription(), key, phone.p256dh, phone.auth)
            await store.put(device, one, clock.real_now())

        first = loaded(path)
        await subscribe(first)
        assert await pushed(first) == [Result(Outcome.SENT)]
        rotate(path, SUBJECT)
        both = loaded(path)
        assert await pushed(both) == [Result(Outcome.SENT)], "before the app knows"
        keeper = KeyKeeper(both, path, store, clock)
        await keeper.start()
        await keeper.look()
        assert has_old(both)
        await subscribe(both)
        assert await pushed(both) == [Result(Outcome.SENT)], "one subscription, with the new key"
        await keeper.look()
        assert not has_old(both)
        assert await pushed(loaded(path)) == [Result(Outcome.SENT)]
        assert [post.vapid_fault for post in service.posts] == [None] * 4


async def test_the_wrong_key_is_refused_by_the_push_service(path: Path) -> None:
    async with PushService() as service:
        phone = service.new_phone(loaded(path).present.public_key)
        rotate(path, SUBJECT)
        alone = VapidKeys(loaded(path).present)
        hosts = PushHosts(testing_origins=frozenset({service.origin}))
        one = Subscription("s", phone.endpoint, phone.p256dh, phone.auth, Lang.EN)
        async with WebPushSender(
            alone, Clock(), public_url="https://laundry.example.org", hosts=hosts
        ) as sender:
            result = await sender.send(fresh_card(), one)
    assert result == Result(Outcome.REFUSED, "http_401"), "the twin of the test above"
