"""Each mechanism that lets a notice be told, and told once; beside it what happens without it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import aiosqlite
import pytest

from cloud_relay.notify import store
from cloud_relay.notify.plan import PLANNED, Plan, Seen
from cloud_relay.notify.planner import Planner
from cloud_relay.push.outcomes import Outcome, Result
from cloud_relay.push.queue import PushQueue
from laundryd.wire.events import AckKind
from laundryd.wire.frames import NoticeFrame
from laundryd.wire.ids import NoticeId
from laundryd.wire.notices import Notice
from laundryd.wire.topics import Topic
from tests.cloud_relay.world import (
    ME,
    HandClock,
    Postman,
    Session,
    Subscribers,
    World,
    ack_entry,
    entry,
    notice,
    presence,
    relay,
)

DONE = notice(1)
PUSHED = [(DONE.id, "sub")]


@pytest.fixture(params=[True, False], ids=["as it is", "without it"])
def is_on(request: pytest.FixtureRequest) -> bool:
    """Whether the mechanism works; without it the test shows what goes wrong."""
    return bool(request.param)


async def begin(world: World) -> None:
    await world.begin()
    world.subscribers.add(ME, "sub")


async def cause(world: World) -> None:
    await world.events(entry(1, notices=[DONE]))


# -- the deadline is stored


class DeadlinesInMemory:
    """What the store would be like if deadlines were timers: they die with the process."""

    def __init__(self) -> None:
        self.due_at: dict[NoticeId, datetime] = {}

    def take(self, notice_id: NoticeId, plan: Plan) -> Plan:
        if plan.due_at is not None:
            self.due_at[notice_id] = plan.due_at
        return replace(plan, due_at=None)

    def switch(self, patch: pytest.MonkeyPatch) -> None:
        insert, replan = store.insert, store.replan

        async def keep(
            db: aiosqlite.Connection, one: Notice, plan: Plan, *, kept_at: datetime
        ) -> bool:
            return await insert(db, one, self.take(one.id, plan), kept_at=kept_at)

        async def keep_anew(
            db: aiosqlite.Connection, notice_id: NoticeId, plan: Plan, now: datetime
        ) -> None:
            await replan(db, notice_id, self.take(notice_id, plan), now)

        async def due(db: aiosqlite.Connection, now: datetime) -> list[store.Kept]:
            found = [one for one, due_at in self.due_at.items() if due_at <= now]
            kept = [await self.kept(db, one) for one in found]
            for one in found:
                del self.due_at[one]
            return [one for one in kept if one.state in PLANNED]

        patch.setattr(store, "insert", keep)
        patch.setattr(store, "replan", keep_anew)
        patch.setattr(store, "due", due)

    @staticmethod
    async def kept(db: aiosqlite.Connection, notice_id: NoticeId) -> store.Kept:
        rows = await db.execute_fetchall("SELECT * FROM notices WHERE id = ?", (notice_id,))
        return store._kept(next(iter(rows)))


async def not_answered(path: Path, patch: pytest.MonkeyPatch, *, stored: bool, kill: bool) -> int:
    """A page that was looked at does not answer; return the pushes, with a kill of the relay between."""
    clock, postman, subscribers = HandClock(), Postman(), Subscribers()
    async with relay(path, clock=clock, sender=postman, subscribers=subscribers) as world:
        if not stored:
            DeadlinesInMemory().switch(patch)
        await begin(world)
        world.live.here[ME] = [Session()]
        await cause(world)
        assert world.live.told == [(ME, DONE.id)]
        if not kill:
            clock.forward(20)
            await world.push_due()
            return len(postman.sent)
    if not stored:
        DeadlinesInMemory().switch(patch)
    async with relay(path, clock=clock, sender=postman, subscribers=subscribers) as reborn:
        for _ in range(20):
            clock.forward(60)
            await reborn.push_due()
    return len(postman.sent)


async def test_a_deadline_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    pushes = await not_answered(tmp_path / "a.db", monkeypatch, stored=is_on, kill=False)
    assert pushes == 1, "while nobody kills the relay a timer does as well"
    monkeypatch.undo()
    pushes = await not_answered(tmp_path / "b.db", monkeypatch, stored=is_on, kill=True)
    assert pushes == (1 if is_on else 0), "the socket had it, nobody saw it, and nobody is told"


# -- looked at again just before sending


async def test_presence_is_looked_at_again_just_before_sending(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        monkeypatch.setattr(
            Planner, "_seen", lambda _self, _resident: Seen(attentive=False, open=False)
        )
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await begin(world)
        world.planner._returning_until = world.clock.now() + timedelta(seconds=5)
        await cause(world)  # nobody is there, as far as a relay knows that has just started
        world.clock.forward(3)
        await world.hear(Topic.UP_PRESENCE, presence(1))
        world.clock.forward(2)
        await world.push_due()
        await world.events(ack_entry(2, DONE.id))
        world.clock.forward(60)
        await world.push_due()
    assert postman.sent == ([] if is_on else PUSHED), "told on the room's page and by push"


# -- who comes back


async def test_a_page_that_comes_back_has_its_time_to_answer(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    async def nothing(*_: object) -> None:
        pass

    if not is_on:
        monkeypatch.setattr(store, "given_to_session", nothing)
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await begin(world)
        world.live.here[ME] = [Session()]
        await cause(world)  # to a connection that is dead already
        world.clock.forward(4)
        assert [one.id for one in await world.planner.pending(ME)] == [DONE.id]
        world.clock.forward(2)
        await world.push_due()
        await world.planner.shown(ME, [DONE.id], AckKind.SHOWN, "s1")
        world.clock.forward(60)
        await world.push_due()
    assert postman.sent == ([] if is_on else PUSHED)


async def test_a_connection_that_flaps_puts_a_push_off_for_a_minute_at_most(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        monkeypatch.setattr(store, "PUT_OFF_MAX", timedelta(days=1))
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await begin(world)
        world.live.here[ME] = [Session()]
        await cause(world)
        for _ in range(400):
            world.clock.forward(3)
            await world.planner.pending(ME)
            await world.push_due()
    assert postman.sent == (PUSHED if is_on else []), "put off for as long as it comes and goes"


async def test_a_notice_is_pending_until_an_app_has_it(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        monkeypatch.setattr(store, "_PENDING", "'waiting'")  # what is on a socket now, and no more
    async with relay(None) as world:
        await world.begin()
        await cause(world)
        await world.push_due()
        assert await world.state_of(DONE.id) == "unreachable", "there is no bell"
        world.live.here[ME] = [Session()]
        found = [one.id for one in await world.planner.pending(ME)]
    assert found == ([DONE.id] if is_on else []), "told by nothing, ever"


async def test_what_a_push_told_comes_back_marked(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        # Given like any other, it is announced a second time.
        monkeypatch.setattr(NoticeFrame, "model_copy", lambda self, **_: self)
    async with relay(None) as world:
        await begin(world)
        await cause(world)
        await world.push_due()
        [one] = await world.planner.pending(ME)
    assert one.told is is_on


# -- an acknowledgement ends it


async def test_an_acknowledgement_stops_a_push_that_is_queued(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    async def nothing(*_: object) -> None:
        pass

    if not is_on:
        monkeypatch.setattr(PushQueue, "cancel", nothing)
    postman = Postman({"sub": [Result(Outcome.LATER, "http_500")]})
    async with relay(None, sender=postman) as world:
        await begin(world)
        await cause(world)
        await world.push_due()  # the push service is out of order
        await world.planner.shown(ME, [DONE.id], AckKind.SHOWN, "s1")
        world.clock.forward(600)
        await world.push_due()
    assert len(postman.sent) == (1 if is_on else 2), "and rings for what was seen long ago"


async def test_an_acknowledgement_that_comes_with_its_notice_is_heard_first(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    acknowledge = Planner.acknowledge

    async def and_forgets_what_is_on_its_way(
        self: Planner, db: aiosqlite.Connection, ack: object, told: object, **more: object
    ) -> None:
        cards = list(told.cards)  # type: ignore[attr-defined]  # the real method's own, passed through
        await acknowledge(self, db, ack, told, **more)  # type: ignore[arg-type]  # as above
        told.cards = cards  # type: ignore[attr-defined]  # as above

    if not is_on:
        monkeypatch.setattr(Planner, "acknowledge", and_forgets_what_is_on_its_way)
    async with relay(None) as world:
        await begin(world)
        world.live.here[ME] = [Session()]
        await world.events(entry(1, notices=[DONE]), ack_entry(2, DONE.id))
        assert world.live.told == ([] if is_on else [(ME, DONE.id)])


async def test_the_room_is_said_what_was_told_elsewhere(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        monkeypatch.setattr("cloud_relay.ingest.told.ToldSender.told", lambda *_: None)
    async with relay(None) as world:
        await begin(world)
        await cause(world)
        await world.push_due()
        said = world.told._waiting.qsize()
    assert said == (1 if is_on else 0), "its own page tells it to who comes there"
