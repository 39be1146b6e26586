"""The relay's computer has its clock set: no push comes late, or early, or never for it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from cloud_relay.clock_watch import ClockWatch
from cloud_relay.notify.edge_gone import EdgeWatch
from cloud_relay.notify.plan import ACK_DEADLINE, RETURN_GRACE
from cloud_relay.push.lanes import PLACES
from cloud_relay.push.outcomes import Outcome, Result
from cloud_relay.push.subscriptions import Subscription
from laundryd.daemon.clock import Jump, SteadyClock
from laundryd.daemon.steady import Anchor, Sight
from laundryd.wire.notices import NoticeCard
from laundryd.wire.phases import Phase
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import UpEvents
from tests.cloud_relay.world import (
    ME,
    ROOM,
    START,
    HandClock,
    Postman,
    Session,
    Subscribers,
    World,
    entry,
    eventually,
    hello,
    machine,
    notice,
    relay,
    running,
)

HOURS = [timedelta(hours=-1), timedelta(hours=1)]


class WallClock(HandClock):
    """The relay's own clock over a computer whose clocks a test moves."""

    def __init__(self, boot: str = "boot-1") -> None:
        super().__init__()
        self.wall, self.boot_s, self.boot = START, 1_000.0, boot
        self.restart()

    def restart(self) -> None:
        """Begin the program anew: it knows what its computer shows, and nothing of before."""
        self._steady = SteadyClock(sight=self._sight)

    def _sight(self) -> Sight:
        return Sight(self.wall.timestamp(), self.boot_s, self.boot)

    @override
    def begin(self, kept: Anchor | None) -> timedelta:
        return self._steady.begin(kept)

    @override
    def anchor(self) -> Anchor | None:
        return self._steady.anchor()

    @override
    def now(self) -> datetime:
        return self._steady.now()

    @override
    def real_now(self) -> datetime:
        return self._steady.real_now()

    @override
    def monotonic_s(self) -> float:
        return self.boot_s

    @override
    def look(self) -> Jump | None:
        return self._steady.look()

    @override
    def follow(self, jump: Jump) -> None:
        self._steady.follow(jump)

    @override
    def forward(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.boot_s += seconds


class BelievingClock(WallClock):
    """Without the mechanism: it shows what the computer shows."""

    @override
    def now(self) -> datetime:
        return self.wall

    @override
    def real_now(self) -> datetime:
        return self.wall

    @override
    def begin(self, kept: Anchor | None) -> timedelta:
        return timedelta()

    @override
    def anchor(self) -> Anchor | None:
        return None

    @override
    def look(self) -> Jump | None:
        return None


async def set_clock(world: World, clock: WallClock, by: timedelta, watch: EdgeWatch) -> None:
    clock.wall += by
    await ClockWatch(
        world.db,
        clock,
        rooms=world.rooms,
        planner=world.planner,
        queue=world.queue,
        edge_watch=watch,
        on_set=world.ingest.clock_set,
    ).look()


def edge_watch(world: World) -> EdgeWatch:
    return EdgeWatch(world.db, world.clock, rooms=world.rooms, planner=world.planner)


async def told_to_who_looks(clock: WallClock, by: timedelta) -> tuple[int, int]:
    """A notice waits for a page's answer, and the clock is set; how many pushes, before and at 5 s."""
    postman = Postman()
    async with relay(None, clock=clock, sender=postman) as world:
        watch = edge_watch(world)
        await world.begin()
        world.clock.forward(RETURN_GRACE.total_seconds())
        world.subscribers.add(ME, "mine")
        world.live.here[ME] = [Session(attentive=True)]
        await world.events(entry(1, notices=[notice(1)]))
        await set_clock(world, clock, by, watch)
        world.clock.forward(ACK_DEADLINE.total_seconds() - 0.5)
        await world.push_due()
        early = len(postman.sent)
        world.clock.forward(0.5)
        await world.push_due()
        return early, len(postman.sent)


@pytest.mark.parametrize("by", HOURS)
async def test_a_push_comes_after_five_seconds_though_the_clock_was_set(by: timedelta) -> None:
    assert await told_to_who_looks(WallClock(), by) == (0, 1)


async def test_without_the_watch_a_clock_set_back_holds_a_push_back_for_an_hour() -> None:
    assert await told_to_who_looks(BelievingClock(), timedelta(hours=-1)) == (0, 0)
    assert await told_to_who_looks(BelievingClock(), timedelta(hours=1)) == (1, 1)


@pytest.mark.parametrize("by", HOURS)
async def test_a_push_that_waits_for_its_service_waits_no_longer_and_expires_no_sooner(
    by: timedelta,
) -> None:
    clock = WallClock()
    postman = Postman(answers={"mine": [Result(Outcome.LATER, "http_503", retry_after_s=60)]})
    async with relay(None, clock=clock, sender=postman) as world:
        watch = edge_watch(world)
        await world.begin()
        world.subscribers.add(ME, "mine")
        useful_s = (notice(1).useful_until - world.clock.now()).total_seconds()
        await world.events(entry(1, notices=[notice(1)]))
        await world.push_due()
        await set_clock(world, clock, by, watch)
        [fate] = await world.planner.history_of(ME, 1)
        assert (fate.card.useful_until - world.clock.now()).total_seconds() == useful_s
        world.clock.forward(59)
        await world.push_due()
        assert len(postman.sent) == 1
        world.clock.forward(2)
        await world.push_due()
        assert len(postman.sent) == 2
        assert await world.state_of(notice(1).id) == "pushed"


@pytest.mark.parametrize("by", HOURS)
async def test_a_room_that_is_gone_is_said_to_be_after_ten_minutes(by: timedelta) -> None:
    clock, postman = WallClock(), Postman()
    async with relay(None, clock=clock, sender=postman) as world:
        watch = edge_watch(world)
        await world.begin()
        world.subscribers.add(ME, "mine")
        await world.events(entry(1, view=machine("w1", Phase.IN_USE, has_owner=True), owner=ME))
        await world.hear(Topic.AVAILABILITY, b"offline")
        world.clock.forward(300)
        await watch.look()
        await set_clock(world, clock, by, watch)
        for sent in (0, 1, 1):
            world.clock.forward(290)
            await watch.look()
            await world.push_due()
            assert len(postman.sent) == sent
            world.clock.forward(15)


async def pushed_after_a_restart(
    path: Path, clock: WallClock, by: timedelta, boot: str = "boot-1"
) -> tuple[int, int]:
    """A notice waits for a page's answer, and the clock is set while the relay is off; as above."""
    subscribers = Subscribers()
    subscribers.add(ME, "mine")
    async with relay(path, clock=clock, subscribers=subscribers) as world:
        await world.begin()
        clock.forward(RETURN_GRACE.total_seconds())
        world.live.here[ME] = [Session(attentive=True)]
        await world.events(entry(1, notices=[notice(1)]))
    clock.wall += by
    clock.boot = boot
    clock.forward(1)
    clock.restart()
    postman = Postman()
    async with relay(path, clock=clock, subscribers=subscribers, sender=postman) as world:
        clock.forward(ACK_DEADLINE.total_seconds() - 1.5)
        await world.push_due()
        early = len(postman.sent)
        clock.forward(1.5)  # past the time in which pages come back, too
        await world.push_due()
        return early, len(postman.sent)


@pytest.mark.parametrize("by", HOURS)
async def test_a_clock_that_is_set_while_the_relay_is_off_moves_every_deadline(
    tmp_path: Path, by: timedelta
) -> None:
    assert await pushed_after_a_restart(tmp_path / "relay.db", WallClock(), by) == (0, 1)


async def test_without_the_kept_clock_one_that_is_set_while_the_relay_is_off_holds_a_push_back(
    tmp_path: Path,
) -> None:
    hour = timedelta(hours=-1)
    assert await pushed_after_a_restart(tmp_path / "relay.db", BelievingClock(), hour) == (0, 0)


async def test_over_a_reboot_the_computers_clock_is_believed(tmp_path: Path) -> None:
    hour = timedelta(hours=-1)
    found = await pushed_after_a_restart(tmp_path / "relay.db", WallClock(), hour, "boot-2")
    assert found == (0, 0)


async def test_a_kept_clock_that_cannot_be_read_is_logged_and_the_computers_is_believed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = WallClock()
    async with relay(tmp_path / "relay.db", clock=clock) as world:
        await world.db.execute("UPDATE clock SET anchor = '{}'")
    async with relay(tmp_path / "relay.db", clock=clock):
        assert clock.now() == START
    assert "the kept clock cannot be read" in caplog.text


async def state_of_what_was_measured_before(by: timedelta, *, says_by_what: bool = True) -> str:
    """A room tells by what it measured before our clock was set; return what becomes of its notice."""
    clock = WallClock()
    async with relay(None, clock=clock) as world:
        await world.begin()
        world.subscribers.add(ME, "mine")
        await world.hear(Topic.UP_HELLO, hello(0))
        measured = world.link.hellos[-1].clock if says_by_what else None
        told = notice(1)
        minutes_left = timedelta(minutes=10)
        told = told.model_copy(update={"useful_until": clock.now() + minutes_left})
        await set_clock(world, clock, by, edge_watch(world))
        batch = UpEvents(entries=[entry(1, notices=[told])], caught_up=True, clock=measured)
        await world.hear(Topic.UP_EVENTS, batch)
        await world.push_due()
        [fate] = await world.planner.history_of(ME, 1)
        if says_by_what:
            assert fate.card.useful_until - clock.now() == minutes_left
        return await world.state_of(told.id)


@pytest.mark.parametrize("by", HOURS)
async def test_what_an_edge_measured_before_the_clock_was_set_is_judged_by_the_clock_of_now(
    by: timedelta,
) -> None:
    assert await state_of_what_was_measured_before(by) == "pushed"


async def test_without_its_mark_what_was_measured_before_has_expired() -> None:
    hour = timedelta(hours=1)
    assert await state_of_what_was_measured_before(hour, says_by_what=False) == "expired"


async def test_a_clock_that_was_set_makes_each_edge_measure_again() -> None:
    clock = WallClock()
    async with relay(None, clock=clock) as world:
        await world.begin()
        async with running(world.ingest.run()):
            await set_clock(world, clock, timedelta(hours=1), edge_watch(world))
            await eventually(lambda: bool(world.link.acks), "the question to the room")
            assert world.link.acks[-1].word is None
        assert world.rooms.edge(ROOM).since == START + timedelta(hours=1, seconds=60)


class Held(Postman):
    """Answers when it is let, and then that the service cannot just now."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.let = asyncio.Event()

    @override
    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        self.asked += 1
        await self.let.wait()
        await super().send(card, subscription)
        return Result(Outcome.LATER, "http_503", retry_after_s=60)


@pytest.mark.parametrize("by", HOURS)
@pytest.mark.parametrize("more", [0, 3])
async def test_what_is_under_way_or_waits_for_a_place_expires_no_sooner_either(
    by: timedelta, more: int
) -> None:
    clock, postman = WallClock(), Held()
    async with relay(None, clock=clock, sender=postman) as world:
        watch = edge_watch(world)
        for n in range(PLACES + more):
            world.subscribers.add(ME, f"sub-{n}")
        await world.begin()
        clock.forward((notice(1).useful_until - clock.now()).total_seconds() - 1_800)
        await world.events(entry(1, notices=[notice(1)]))
        await world.planner.take_due()
        async with running(world.queue.run(world.planner)):
            await eventually(lambda: postman.asked == PLACES, "every place taken")
            await set_clock(world, clock, by, watch)
            postman.let.set()
            await eventually(lambda: not world.queue.is_busy, "every answer kept")
            assert await world.state_of(notice(1).id) == "sending"
            assert len(postman.sent) == PLACES + more
            clock.forward(58)
            world.queue.wake()
            await eventually(lambda: not world.queue.is_busy, "nothing under way")
            assert len(postman.sent) == PLACES + more, "the service asked for a minute"
            clock.forward(4)
            world.queue.wake()
            await eventually(lambda: len(postman.sent) == 2 * (PLACES + more), "the next attempt")
