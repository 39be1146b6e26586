from __future__ import annotations

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_relay.notify import store
from cloud_relay.notify.planner import Told
from cloud_relay.push.senders import Senders
from cloud_relay.push.subscriptions import Way
from laundryd.daemon.sqlite import transaction
from laundryd.wire.delivery import DeliveryState
from laundryd.wire.events import AckKind
from laundryd.wire.ids import Position
from laundryd.wire.notices import NOTICES, NoticeKind, derive
from laundryd.wire.phases import Cause
from laundryd.wire.preferences import Choice, NoticePreferences, QuietHours
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import DownTold
from tests.cloud_relay.world import (
    EPOCH,
    ME,
    OTHER,
    ROOM,
    START,
    HandClock,
    Postman,
    Session,
    Subscribers,
    Wishes,
    World,
    ack_entry,
    entry,
    eventually,
    notice,
    presence,
    relay,
    running,
)

DONE = notice(1)


async def cause(world: World) -> None:
    await world.events(entry(1, notices=[DONE]))


async def test_an_attentive_resident_is_told_on_the_socket_and_not_pushed() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        world.live.here[ME] = [Session()]
        await cause(world)
        assert world.live.told == [(ME, DONE.id)]
        await world.planner.shown(ME, [DONE.id], AckKind.SHOWN, "s1")
        world.clock.forward(60)
        await world.push_due()
        assert postman.sent == []
        assert world.live.gone == [(ME, DONE.id, "s1")], "from the other pages"
        assert await world.planner.pending(ME) == []


async def test_without_an_acknowledgement_in_five_seconds_it_is_pushed_once() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        world.live.here[ME] = [Session()]
        await cause(world)
        world.clock.forward(4.9)
        await world.push_due()
        assert postman.sent == []
        for _ in range(3):
            world.clock.forward(0.2)
            await world.push_due()
        assert postman.sent == [(DONE.id, "sub")]
        assert world.live.told == [(ME, DONE.id)], "the socket had it once"


async def test_an_away_resident_is_pushed_at_once_to_every_device() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await world.begin()
        world.subscribers.add(ME, "phone")
        world.subscribers.add(ME, "tablet", "updates.push.services.mozilla.com")
        await cause(world)
        await world.push_due()
        assert sorted(postman.sent) == [(DONE.id, "phone"), (DONE.id, "tablet")]
        assert await world.state_of(DONE.id) == "pushed"
        told = [one.told for one in await world.planner.pending(ME)]
        assert told == [True], "who was told by push is not told again"


async def test_a_resident_who_looks_elsewhere_gets_both() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        world.live.here[ME] = [Session(attentive=False)]
        await cause(world)
        await world.push_due()
        assert world.live.told == [(ME, DONE.id)]
        assert postman.sent == [(DONE.id, "sub")]


async def test_an_acknowledgement_from_the_rooms_own_page_cancels_the_push() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        await world.hear(Topic.UP_PRESENCE, presence(1))
        await cause(world)
        await world.events(ack_entry(2, DONE.id))
        world.clock.forward(60)
        await world.push_due()
        assert postman.sent == []
        assert world.told._waiting.empty(), "the room knows"


async def test_what_comes_with_its_acknowledgement_is_told_to_no_page() -> None:
    async with relay(None) as world:
        await world.begin()
        world.live.here[ME] = [Session()]
        await world.events(entry(1, notices=[DONE]), ack_entry(2, DONE.id))
        assert world.live.told == []
        assert await world.state_of(DONE.id) == "shown"


async def test_a_room_acknowledges_its_own_notices_only() -> None:
    async with relay(None) as world:
        await world.begin()
        await cause(world)
        ack = ack_entry(1, DONE.id).ack
        assert ack is not None
        async with transaction(world.db) as db:
            await world.planner.acknowledge(db, ack, Told(), at_room="maple-hall.attic")
        assert world.planner.counts["unknown_ack"] == 1
        assert [card.id for card in await world.planner.pending(ME)] == [DONE.id]


async def test_a_resident_lists_their_own_notices_and_takes_them_along_when_they_go() -> None:
    async with relay(None) as world:
        await world.begin()
        later = notice(2)
        await world.events(entry(1, notices=[DONE]), entry(2, notices=[later]))
        await world.planner.shown(ME, [DONE.id], AckKind.SHOWN)
        listed = {one.card.id: one.state for one in await world.planner.history_of(ME, 10)}
        assert listed == {DONE.id: DeliveryState.SHOWN, later.id: DeliveryState.DUE}
        assert await world.planner.history_of(OTHER, 10) == []
        await world.planner.forget(ME)
        assert await world.planner.history_of(ME, 10) == []
        assert await world.planner.pending(ME) == []


async def test_nobody_acknowledges_for_somebody_else() -> None:
    async with relay(None) as world:
        await world.begin()
        await cause(world)
        await world.planner.shown(OTHER, [DONE.id], AckKind.READ)
        assert world.planner.counts["unknown_ack"] == 1
        assert [card.id for card in await world.planner.pending(ME)] == [DONE.id]


async def test_reading_takes_it_off_the_other_pages_and_tells_the_room() -> None:
    async with relay(None) as world:
        await world.begin()
        world.live.here[ME] = [Session(), Session()]
        await cause(world)
        await world.planner.shown(ME, [DONE.id], AckKind.SHOWN, "s1")
        await world.planner.shown(ME, [DONE.id], AckKind.SHOWN, "s2")
        await world.planner.shown(ME, [DONE.id], AckKind.READ, "s2")
        await world.planner.shown(ME, [DONE.id], AckKind.SHOWN, "s1")
        assert world.live.gone == [(ME, DONE.id, "s1"), (ME, DONE.id, "s2")]
        assert await world.state_of(DONE.id) == "read"
        said = [world.told._waiting.get_nowait() for _ in range(world.told._waiting.qsize())]
        assert said == [
            (ROOM, DownTold(notice_ids=[DONE.id])),  # shown: a page that shows it keeps it
            (ROOM, DownTold(notice_ids=[DONE.id], gone=[DONE.id])),
        ]


async def test_nothing_is_told_after_its_use() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        world.clock.forward(13 * 3600)
        await cause(world)
        await world.push_due()
        assert postman.sent == []
        assert await world.state_of(DONE.id) == "expired"
        assert await world.planner.pending(ME) == []


async def test_who_has_no_subscription_is_told_when_a_session_comes() -> None:
    async with relay(None) as world:
        await world.begin()
        await cause(world)
        await world.push_due()
        assert await world.state_of(DONE.id) == "unreachable"
        world.live.here[ME] = [Session()]
        assert [card.id for card in await world.planner.pending(ME)] == [DONE.id]


async def test_a_deadline_survives_a_kill_and_the_push_goes_once(tmp_path: Path) -> None:
    path, clock, postman, subscribers = tmp_path / "r.db", HandClock(), Postman(), Subscribers()
    subscribers.add(ME, "sub")
    async with relay(path, clock=clock, sender=postman, subscribers=subscribers) as world:
        await world.begin()
        world.live.here[ME] = [Session()]
        await cause(world)
    clock.forward(20)
    for _ in range(2):
        async with relay(path, clock=clock, sender=postman, subscribers=subscribers) as reborn:
            await reborn.push_due()
            clock.forward(6)  # sessions had their time to come back, and none did
            await reborn.push_due()
    assert postman.sent == [(DONE.id, "sub")]


async def test_a_session_that_comes_back_after_a_kill_is_told_and_not_pushed(
    tmp_path: Path,
) -> None:
    path, clock, postman, subscribers = tmp_path / "r.db", HandClock(), Postman(), Subscribers()
    subscribers.add(ME, "sub")
    async with relay(path, clock=clock, sender=postman, subscribers=subscribers) as world:
        await world.begin()
        world.live.here[ME] = [Session()]
        await cause(world)
    clock.forward(2)
    async with relay(path, clock=clock, sender=postman, subscribers=subscribers) as reborn:
        await reborn.push_due()
        clock.forward(4.9)
        reborn.live.here[ME] = [Session()]
        assert [card.id for card in await reborn.planner.pending(ME)] == [DONE.id]
        clock.forward(1)
        await reborn.push_due()
        await reborn.planner.shown(ME, [DONE.id], AckKind.SHOWN, "s1")
        clock.forward(60)
        await reborn.push_due()
    assert postman.sent == []


async def test_a_connection_that_flaps_puts_a_push_off_but_not_away() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        world.live.here[ME] = [Session()]
        await cause(world)
        for _ in range(40):
            world.clock.forward(3)
            await world.planner.pending(ME)
            await world.push_due()
        assert postman.sent == [(DONE.id, "sub")]


async def test_run_pushes_at_the_deadline_and_ends_when_cancelled() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        async with running(world.planner.run(), world.queue.run(world.planner)):
            await cause(world)
            await eventually(lambda: world.planner.counts["pushed"] == 1, "the push")
            assert await world.state_of(DONE.id) == "pushed"
    assert postman.sent == [(DONE.id, "sub")]


async def test_notices_are_forgotten_after_thirty_days_with_their_pushes() -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        await cause(world)
        await world.push_due()
        for days, kept in ((29, 1), (2, 0)):
            world.clock.forward(days * 86_400)
            async with transaction(world.db) as db:
                await store.prune(db, world.clock.now())
            for table in ("notices", "push_deliveries"):
                rows = await world.db.execute_fetchall(f"SELECT count(*) FROM {table}")  # noqa: S608 -- two fixed names
                assert next(iter(rows))[0] == kept


EVENTS = ("comes", "hides", "leaves", "acks", "second", "minute", "kill", "repeat")


@given(st.lists(st.sampled_from(EVENTS), max_size=25), st.sampled_from(Way))
@settings(max_examples=40, deadline=None)
def test_told_by_socket_or_by_one_push_whatever_happens(story: list[str], way: Way) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live_through(story, way, Path(folder) / "relay.db"))


async def live_through(story: list[str], way: Way, path: Path) -> None:
    clock, postman, subscribers = HandClock(), Postman(), Subscribers()
    subscribers.add(ME, "sub", way=way)
    pushes_at_ack: int | None = None
    lives = " ".join(["begin", *story, "kill", "leaves", "minute"]).split("kill")
    for life in lives:
        sender = Senders(postman, postman)
        async with relay(path, clock=clock, sender=sender, subscribers=subscribers) as world:
            for step in life.split():
                if step == "acks" and pushes_at_ack is None:
                    pushes_at_ack = len(postman.sent)
                await take_step(world, step)
                await world.push_due()
    assert len(postman.sent) <= 1
    assert pushes_at_ack is not None or postman.sent, "never told"
    assert pushes_at_ack is None or len(postman.sent) == pushes_at_ack, "pushed after it was shown"


async def take_step(world: World, step: str) -> None:
    match step:
        case "begin":
            await world.begin()
            await cause(world)
        case "comes":
            world.live.here[ME] = [Session()]
            await world.planner.pending(ME)
        case "hides":
            world.live.here[ME] = [Session(attentive=False)]
        case "leaves":
            world.live.here.pop(ME, None)
        case "acks":
            await world.planner.shown(ME, [DONE.id], AckKind.SHOWN)
        case "second":
            world.clock.forward(1)
        case "minute":
            world.clock.forward(60)
        case _:
            await cause(world)


async def steps_of(world: World, notice_id: str) -> list[tuple[str, str]]:
    fates = await world.planner.history_of(ME, 10)
    [fate] = [one for one in fates if one.card.id == notice_id]
    return [(step.state, step.why) for step in fate.steps]


async def test_what_became_of_a_notice_and_why_can_be_read_step_by_step() -> None:
    async with relay(None, sender=Postman()) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        world.live.here[ME] = [Session()]
        await cause(world)
        world.clock.forward(6)
        await world.push_due()
        await world.planner.shown(ME, [DONE.id], AckKind.READ, "s1")
        assert await steps_of(world, DONE.id) == [
            ("waiting", "attentive"),
            ("due", "no_answer"),
            ("sending", ""),
            ("pushed", ""),
            ("read", "at_relay"),
        ]


async def test_who_wants_a_kind_in_the_app_only_is_not_pushed_but_told_when_they_come() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        world.wishes.kept[ME] = NoticePreferences(choices={NoticeKind.DONE: Choice.APP_ONLY})
        await cause(world)
        world.clock.forward(60)
        await world.push_due()
        assert postman.sent == []
        assert [card.id for card in await world.planner.pending(ME)] == [DONE.id]
        assert await steps_of(world, DONE.id) == [("app_only", "wished")]


async def test_a_kind_that_may_not_be_turned_off_is_told_in_the_app_at_least() -> None:
    assert not NOTICES[NoticeKind.RESUMED].may_turn_off
    wrong = derive(
        NoticeKind.RESUMED,
        room=DONE.room,
        position=Position(epoch=EPOCH, offset=1),
        machine="w1",
        resident=ME,
        params={"name": "W1"},
        at=START,
    )
    async with relay(None) as world:
        await world.begin()
        world.wishes.kept[ME] = NoticePreferences(
            choices={NoticeKind.RESUMED: Choice.NOTHING, NoticeKind.DONE: Choice.NOTHING}
        )
        await world.events(entry(1, notices=[wrong]), entry(2, notices=[notice(2)]))
        assert [card.id for card in await world.planner.pending(ME)] == [wrong.id]
        assert await steps_of(world, notice(2).id) == [("declined", "wished")]


async def test_in_quiet_hours_the_push_waits_for_the_morning_over_a_restart(
    tmp_path: Path,
) -> None:
    postman, clock, subscribers = Postman(), HandClock(), Subscribers()
    hour = clock.moment + timedelta(hours=1)
    quiet = QuietHours(begin=f"{clock.moment:%H:%M}", end=f"{hour:%H:%M}", zone="UTC")
    wishes = Wishes({ME: NoticePreferences(quiet=quiet)})
    subscribers.add(ME, "sub")
    async with relay(
        tmp_path / "r.db", clock=clock, sender=postman, subscribers=subscribers, wishes=wishes
    ) as world:
        await world.begin()
        await cause(world)
        await world.push_due()
        assert postman.sent == []
    clock.forward(3_600)
    async with relay(
        tmp_path / "r.db", clock=clock, sender=postman, subscribers=subscribers, wishes=wishes
    ) as world:
        clock.forward(10)
        await world.push_due()
        assert postman.sent == [(DONE.id, "sub")]
        assert [state for state, _ in await steps_of(world, DONE.id)][:2] == ["quiet", "due"]


async def test_what_was_collected_meanwhile_is_told_to_nobody() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        world.wishes.kept[ME] = NoticePreferences(choices={NoticeKind.DONE: Choice.APP_ONLY})
        await cause(world)
        later = entry(2)
        assert later.event is not None
        collected = later.event.model_copy(
            update={"cause": Cause.COLLECTED, "at": later.event.at + timedelta(minutes=1)}
        )
        await world.events(later.model_copy(update={"event": collected}))
        assert await world.state_of(DONE.id) == "moot"
        assert await world.planner.pending(ME) == []
        assert world.live.gone == [(ME, DONE.id, None)]
        world.clock.forward(60)
        await world.push_due()
        assert postman.sent == []


async def test_an_edge_that_comes_back_again_and_again_holds_no_notice_for_long() -> None:
    postman = Postman()
    async with relay(None, sender=postman) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        world.planner.hold(DONE.room)
        await world.events(entry(1, notices=[DONE]), caught_up=False)
        for _ in range(3):
            world.clock.forward(4)
            world.planner.hold(DONE.room)
            await world.push_due()
        assert postman.sent == [(DONE.id, "sub")]
