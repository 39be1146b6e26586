from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.notify.bell_ends import BellEnd
from cloud_relay.notify.bell_watch import WARNED_BEFORE, BellWatch, ending_notices, warned_at
from cloud_relay.push.endpoints import PushHosts
from cloud_relay.push.outcomes import Outcome
from cloud_relay.push.subscriptions import Attempted
from cloud_relay.residents.people import People
from cloud_relay.residents.subscriptions import SubscriptionStore
from laundryd.daemon.sqlite import transaction
from laundryd.wire.notices import Lang, NoticeCard, NoticeKind
from tests.cloud_relay.residents.test_subscriptions import body
from tests.cloud_relay.world import ROOM, START, Postman, Session, World, relay

DAY_S = 86_400.0
ROUNDED = timedelta(microseconds=1)


@dataclass
class Phone:
    """A resident's only device in a relay's database, and in the sender's list of subscriptions."""

    world: World
    store: SubscriptionStore
    watch: BellWatch
    resident: str
    device: str

    @classmethod
    async def make(cls, world: World, *, joined: bool = True) -> Phone:
        await world.begin()
        people = People(world.db)
        async with transaction(world.db):
            resident = await people.add_resident_in(Lang.EN, START)
            device = await people.add_device_in(resident, "Ann's phone", START)
            if joined:
                await people.add_room_in(resident, ROOM, START)
        world.subscribers.add(resident, "phone")
        watch = BellWatch(world.db, world.clock, planner=world.planner)
        return cls(world, SubscriptionStore(world.db, PushHosts()), watch, resident, device)

    async def subscribe(self, ends_at: datetime | None, endpoint: str = "one") -> None:
        ends_ms = None if ends_at is None else ends_at.timestamp() * 1_000
        said = body(endpoint).model_copy(update={"expirationTime": ends_ms, "name": "Ann's phone"})
        await self.store.put(self.device, said, self.world.clock.real_now())

    async def live_for(self, days: float, *, looks: int = 4) -> None:
        for _ in range(looks):
            self.world.clock.forward(days * DAY_S / looks)
            await self.watch.look()
            await self.world.push_due()

    async def in_app(self) -> list[NoticeCard]:
        return list(await self.world.planner.pending(self.resident))


async def test_a_week_before_a_bell_ends_its_owner_is_told_once() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        phone = await Phone.make(world)
        await phone.subscribe(world.clock.real_now() + timedelta(days=60))
        await phone.live_for(52.9)
        assert postman.sent == []
        await phone.live_for(0.2)
        assert [where for _, where in postman.sent] == ["phone"]
        (card,) = await phone.in_app()
        assert (card.kind, card.room) == (NoticeKind.BELL_ENDING, ROOM)
        assert card.params == {"name": "Ann's phone", "days": 7}
        await phone.live_for(6.8, looks=20)
        assert len(postman.sent) == 1
        await phone.live_for(1)
        assert await phone.in_app() == [], "it has ended: there is nothing to warn of"


async def test_who_looks_at_the_app_is_told_there() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        phone = await Phone.make(world)
        await phone.subscribe(world.clock.real_now() + timedelta(days=20))
        world.live.here[phone.resident] = [Session()]
        world.clock.forward(14 * DAY_S)
        await phone.watch.look()
        assert [who for who, _ in world.live.told] == [phone.resident]
        assert postman.sent == []


async def test_a_bell_without_a_known_end_or_of_nobodys_room_is_not_told() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        phone = await Phone.make(world, joined=False)
        await phone.subscribe(world.clock.real_now() + timedelta(days=8))
        await phone.live_for(5)
        await phone.subscribe(None)
        await phone.live_for(5)
        assert postman.sent == []


@pytest.mark.parametrize("how", ["renewed", "prolonged", "switched off", "died"])
async def test_what_was_told_of_a_bell_that_goes_on_or_is_gone_stands_on_no_page_any_more(
    how: str,
) -> None:
    async with relay(None) as world:
        phone = await Phone.make(world)
        await phone.subscribe(world.clock.real_now() + timedelta(days=20))
        await phone.live_for(14)
        (card,) = await phone.in_app()
        later = world.clock.real_now() + timedelta(days=60)
        if how == "renewed":
            replaced = body("two").model_copy(
                update={"replaces": body("one").endpoint, "expirationTime": later.timestamp() * 1e3}
            )
            await phone.store.put(phone.device, replaced, world.clock.real_now())
        elif how == "prolonged":
            await phone.subscribe(later)
        elif how == "switched off":
            await phone.store.remove(phone.device)
        else:
            rows = await world.db.execute_fetchall("SELECT id FROM subscriptions")
            gone = Attempted(next(iter(rows))["id"], Outcome.GONE, "http_410", START)
            await phone.store.note([gone])
        await phone.watch.look()
        assert await phone.in_app() == []
        assert (phone.resident, card.id, None) in world.live.gone


async def test_the_next_end_of_a_bell_is_told_again_and_each_device_by_itself() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        phone = await Phone.make(world)
        async with transaction(world.db):
            laptop = await People(world.db).add_device_in(phone.resident, "laptop", START)
        ends_at = world.clock.real_now() + timedelta(days=20)
        await phone.subscribe(ends_at)
        other = body("two", secret=b"t" * 16).model_copy(
            update={"expirationTime": ends_at.timestamp() * 1e3}
        )
        await phone.store.put(laptop, other, world.clock.real_now())
        await phone.live_for(14)
        assert len({notice_id for notice_id, _ in postman.sent}) == len(postman.sent) == 2
        await phone.subscribe(ends_at + timedelta(days=20))
        await phone.live_for(20)
        assert len({notice_id for notice_id, _ in postman.sent}) == len(postman.sent) == 3


@given(
    lives=st.timedeltas(timedelta(seconds=1), timedelta(days=400)),
    passed=st.floats(0, 0.999),
)
def test_a_warning_comes_in_the_second_half_of_a_bells_life_and_a_week_before_its_end_at_most(
    lives: timedelta, passed: float
) -> None:
    end = BellEnd("s", "r", ROOM, "phone", START, START + lives)
    now = START + lives * passed
    assert START + lives / 2 - ROUNDED <= warned_at(end) <= end.expires_at
    assert end.expires_at - warned_at(end) <= WARNED_BEFORE
    found = ending_notices([end], now, now)
    assert bool(found) == (now >= warned_at(end))
    for _, notice in found:
        assert abs(notice.useful_until - end.expires_at) < timedelta(milliseconds=1)
        assert 1 <= int(notice.params["days"]) <= 7
