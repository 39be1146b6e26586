from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiosqlite
import pytest
from typing_extensions import override

from cloud_relay.push import store
from cloud_relay.push.lanes import PLACES
from cloud_relay.push.outcomes import Outcome, Result
from cloud_relay.push.senders import Senders
from cloud_relay.push.store import Taken, Wanted
from cloud_relay.push.subscriptions import Subscription, Way
from laundryd.wire.events import AckKind
from laundryd.wire.notices import NoticeCard
from tests.cloud_relay.world import (
    ME,
    HandClock,
    Postman,
    Subscribers,
    World,
    entry,
    eventually,
    notice,
    relay,
    running,
)

DONE = notice(1)
MOZILLA = "updates.push.services.mozilla.com"


async def cause(world: World) -> None:
    await world.begin()
    await world.events(entry(1, notices=[DONE]))


async def test_a_subscription_that_is_gone_is_deleted_and_the_others_are_sent() -> None:
    postman = Postman({"old": [Result(Outcome.GONE, "http_410")]})
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "old")
        world.subscribers.add(ME, "new")
        await cause(world)
        await world.push_due()
        assert world.subscribers.deleted == ["old"]
        assert world.subscribers.sent == ["new"]
        assert await world.state_of(DONE.id) == "pushed"


async def test_what_is_ours_to_mend_keeps_the_subscription_and_is_counted() -> None:
    postman = Postman({"sub": [Result(Outcome.REFUSED, "http_403")]})
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "sub")
        await cause(world)
        await world.push_due()
        assert world.subscribers.deleted == []
        assert world.subscribers.errors == [("sub", "http_403")]
        assert world.queue.counts["refused_http_403"] == 1
        assert await world.state_of(DONE.id) == "unreachable"


@pytest.mark.parametrize("way", list(Way))
async def test_an_outage_delays_and_never_loses_while_the_notice_is_useful(
    tmp_path: Path, way: Way
) -> None:
    path, clock, subscribers = tmp_path / "r.db", HandClock(), Subscribers()
    later = Result(Outcome.LATER, "http_503")
    postman = Postman({"sub": [later, later, Result(Outcome.LATER, "http_429", 600.0)]})
    subscribers.add(ME, "sub", way=way)
    async with relay(
        path, clock=clock, sender=Senders(postman, postman), subscribers=subscribers
    ) as world:
        await cause(world)
        for _ in range(3):
            await world.push_due()
            clock.forward(5)
        assert len(postman.sent) == 3
        clock.forward(590)
        await world.push_due()
        assert len(postman.sent) == 3, "Retry-After is kept"
    async with relay(
        path, clock=clock, sender=Senders(postman, postman), subscribers=subscribers
    ) as reborn:
        clock.forward(10)
        await reborn.push_due()
        assert len(postman.sent) == 4
        assert await reborn.state_of(DONE.id) == "pushed"
        clock.forward(1_000)
        await reborn.push_due()
    assert len(postman.sent) == 4


async def test_an_outage_longer_than_the_notices_use_ends_it() -> None:
    postman = Postman({"sub": [Result(Outcome.LATER, "timeout"), Result(Outcome.EXPIRED)]})
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "sub")
        await cause(world)
        await world.push_due()
        world.clock.forward(13 * 3600)
        await world.push_due()
        assert await world.state_of(DONE.id) == "expired"


async def test_an_acknowledgement_stops_the_retries() -> None:
    postman = Postman({"sub": [Result(Outcome.LATER, "http_500")]})
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "sub")
        await cause(world)
        await world.push_due()
        await world.planner.shown(ME, [DONE.id], AckKind.SHOWN)
        world.clock.forward(600)
        await world.push_due()
        assert len(postman.sent) == 1
        assert await world.state_of(DONE.id) == "shown"


@dataclass
class KilledAfterSending(Postman):
    """The service takes it, and we are killed before we can write that down."""

    kills: int = 1
    killed: list[str] = field(default_factory=list)

    @override
    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        result = await super().send(card, subscription)
        if len(self.killed) < self.kills:
            self.killed.append(card.id)
            raise KilledError
        return result


class KilledError(BaseException):
    pass


@pytest.mark.parametrize("way", list(Way))
async def test_a_kill_between_answer_and_commit_sends_again_under_the_same_notice(
    tmp_path: Path, way: Way
) -> None:
    path, clock, subscribers = tmp_path / "r.db", HandClock(), Subscribers()
    subscribers.add(ME, "sub", way=way)
    postman = KilledAfterSending()
    async with relay(
        path, clock=clock, sender=Senders(postman, postman), subscribers=subscribers
    ) as world:
        await cause(world)
        with pytest.raises(BaseExceptionGroup):
            await world.push_due()
    async with relay(
        path, clock=clock, sender=Senders(postman, postman), subscribers=subscribers
    ) as reborn:
        await reborn.push_due()
        await reborn.push_due()
    assert postman.sent == [(DONE.id, "sub")] * 2, "in flight at the kill: once more, one Topic"


@dataclass
class KilledBeforeSending(Postman):
    """We are killed with a push in hand that no service has got yet."""

    is_killed: bool = False

    @override
    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        if not self.is_killed:
            self.is_killed = True
            raise KilledError
        return await super().send(card, subscription)


@pytest.mark.parametrize("is_on", [True, False], ids=["as it is", "without it"])
async def test_a_push_stays_queued_until_its_outcome_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    take = store.take

    async def takes_off(
        db: aiosqlite.Connection, now: datetime, wanted: Mapping[str, Wanted], of_others: Wanted
    ) -> Taken:
        found = await take(db, now, wanted, of_others)
        await store.cancel(db, [one.notice_id for one in found.deliveries])
        return found

    if not is_on:
        monkeypatch.setattr(store, "take", takes_off)
    path, clock, subscribers = tmp_path / "r.db", HandClock(), Subscribers()
    subscribers.add(ME, "sub")
    postman = KilledBeforeSending()
    async with relay(path, clock=clock, sender=postman, subscribers=subscribers) as world:
        await cause(world)
        with pytest.raises(BaseExceptionGroup):
            await world.push_due()
    async with relay(path, clock=clock, sender=postman, subscribers=subscribers) as reborn:
        await reborn.push_due()
        await reborn.push_due()
    assert postman.sent == ([(DONE.id, "sub")] if is_on else []), "told to nobody without it"


@dataclass
class OneHangs(Postman):
    """Every push to a service in trouble hangs until the trouble ends."""

    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        self.ended.set()

    @override
    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        if MOZILLA in subscription.endpoint:
            await self.ended.wait()
        return await super().send(card, subscription)


async def test_a_service_that_hangs_holds_back_nobody_elses() -> None:
    postman = OneHangs()
    async with relay(None, sender=postman) as world:
        for n in range(3 * PLACES):
            world.subscribers.add(ME, f"hanging-{n}", MOZILLA)
        for n in range(3 * PLACES):
            world.subscribers.add(ME, f"well-{n}")
        await cause(world)
        await world.planner.take_due()
        async with running(world.queue.run(world.planner)):
            await eventually(
                lambda: (
                    len(world.subscribers.sent) == 3 * PLACES and world.queue._in_flight == PLACES
                ),
                "every push to the service that is well",
            )


@dataclass
class ShownMeanwhile(Postman):
    """The resident opens the app while the push is under way."""

    world: World | None = None

    @override
    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        assert self.world is not None
        await self.world.planner.shown(ME, [card.id], AckKind.SHOWN)
        return await super().send(card, subscription)


async def test_what_was_shown_while_its_push_was_under_way_stays_shown() -> None:
    postman = ShownMeanwhile()
    async with relay(None, sender=postman) as world:
        postman.world = world
        world.subscribers.add(ME, "sub")
        await cause(world)
        await world.push_due()
        assert await world.state_of(DONE.id) == "shown"
        assert world.planner.counts["pushed"] == 0


async def test_staff_are_told_once_a_minute_what_is_theirs_to_mend(
    caplog: pytest.LogCaptureFixture,
) -> None:
    postman = Postman({f"s{n}": [Result(Outcome.REFUSED, "http_403")] for n in range(9)})
    async with relay(None, sender=postman) as world:
        for n in range(9):
            world.subscribers.add(ME, f"s{n}")
        await cause(world)
        await world.push_due()
        assert world.queue.counts["refused_http_403"] == 9
    (line,) = (one for one in caplog.messages if "http_403" in one)
    assert line.startswith("fcm.googleapis.com refuses our pushes")
    assert "/send/" not in line


async def test_a_retry_that_would_come_too_late_is_not_waited_for() -> None:
    postman = Postman({"sub": [Result(Outcome.LATER, "http_429", 3_600.0)]})
    late = notice(1)
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "sub")
        await world.begin()
        world.clock.forward((late.useful_until - world.clock.now()).total_seconds() - 1_800)
        await world.events(entry(1, notices=[late]))
        await world.push_due()
        world.clock.forward(1_700)
        await world.push_due()
        assert [one.id for one in await world.planner.pending(ME)] == [late.id], "a page is told"
        world.clock.forward(101)
        await world.push_due()
        assert await world.state_of(late.id) == "expired"
        assert len(postman.sent) == 1


async def test_a_database_that_fails_while_pushes_are_answered_repeats_none(
    tmp_path: Path,
) -> None:
    postman = Postman()
    async with relay(tmp_path / "r.db", sender=postman) as world:
        for n in range(3):
            world.subscribers.add(ME, f"s{n}")
        await cause(world)
        await world.planner.take_due()
        await world.db.execute(
            "CREATE TEMP TRIGGER full BEFORE UPDATE ON main.push_deliveries"
            " BEGIN SELECT raise(ABORT, 'the disk is full'); END"
        )
        with pytest.raises(sqlite3.IntegrityError):
            await world.queue.send_due(world.planner)
        await world.db.execute("DROP TRIGGER full")
        await world.push_due()
        assert sorted(postman.sent) == [(DONE.id, f"s{n}") for n in range(3)]
        assert await world.state_of(DONE.id) == "pushed"


@dataclass
class Counting(Postman):
    """One service never answers; how many pushes go there at once."""

    hanging: int = 0
    most: int = 0

    @override
    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        if MOZILLA not in subscription.endpoint:
            return await super().send(card, subscription)
        self.hanging += 1
        self.most = max(self.most, self.hanging)
        await asyncio.sleep(0)
        self.hanging -= 1
        return Result(Outcome.LATER, "timeout")


async def test_a_service_in_trouble_gets_one_push_at_a_time() -> None:
    postman = Counting()
    async with relay(None, sender=postman) as world:
        for n in range(3 * PLACES):
            world.subscribers.add(ME, f"down-{n}", MOZILLA)
        await cause(world)
        await world.push_due()
        assert postman.most == PLACES, "it was well before"
        postman.most = 0
        world.clock.forward(600)
        await world.queue.send_due(world.planner)
        assert postman.most == 1


async def test_what_is_cancelled_while_it_waits_for_a_place_is_not_sent() -> None:
    postman = OneHangs()
    async with relay(None, sender=postman) as world:
        for n in range(PLACES + 5):
            world.subscribers.add(ME, f"sub-{n}", MOZILLA)
        await cause(world)
        await world.planner.take_due()
        async with running(world.queue.run(world.planner)):
            await eventually(lambda: world.queue._in_flight == PLACES, "every place taken")
            await world.planner.shown(ME, [DONE.id], AckKind.SHOWN)
            postman.end()
            await eventually(lambda: world.queue._held_count() == 0, "the queue empty")
        assert len(postman.sent) == PLACES


class Broken(Postman):
    """A fault of our own."""

    @override
    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        raise RuntimeError(subscription.endpoint)


async def test_a_fault_of_our_own_ends_one_push_and_names_no_endpoint(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with relay(None, sender=Broken()) as world:
        world.subscribers.add(ME, "sub")
        await cause(world)
        await world.push_due()
        assert await world.state_of(DONE.id) == "unreachable"
        assert "RuntimeError" in caplog.text
        assert "/send/sub" not in caplog.text


async def test_endpoints_and_keys_stand_in_no_row_and_no_repr() -> None:
    async with relay(None) as world:
        world.subscribers.add(ME, "sub")
        await cause(world)
        await world.push_due()
        rows = await world.db.execute_fetchall("SELECT * FROM push_deliveries")
        assert "/send/sub" not in str([tuple(row) for row in rows])
        assert "/send/sub" not in repr(world.subscribers.of[ME])
