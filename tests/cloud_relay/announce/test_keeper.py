"""An announcement goes once, to who is addressed, and is shown where and as long as it should be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from cloud_relay.announce.keeper import AnnouncementKeeper
from cloud_relay.announce.writing import Announcements
from cloud_relay.ingest.told import ToldSender
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.sqlite import transaction
from laundryd.wire.announcements import (
    AnnouncementBody,
    AnnouncementCounts,
    AnnouncementKind,
    AnnouncementState,
    AnnouncementText,
    Repeat,
    announcement_notice_id,
    occurrence_id,
)
from laundryd.wire.delivery import DeliveryState
from laundryd.wire.errors import ErrorCode
from laundryd.wire.events import AckKind
from laundryd.wire.notices import Lang
from laundryd.wire.preferences import NoticePreferences, QuietHours
from laundryd.wire.times import to_rfc3339
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import DownTold, UpPresence
from tests.cloud_relay.world import (
    ME,
    OTHER,
    ROOM,
    START,
    HandClock,
    Postman,
    Session,
    Subscribers,
    World,
    ack_entry,
    presence,
    relay,
)

ATTIC = "maple-hall.attic"
ELSEWHERE = "oak-hall.cellar"
NOBODY = "resident-of-oak"
WATER = AnnouncementText(title="Water off", body="On Tuesday from 9 to 12.")
WATER_KO = AnnouncementText(title="단수 안내", body="화요일 9시부터 12시까지.")


def body(**more: object) -> AnnouncementBody:
    return AnnouncementBody.model_validate(
        {"kind": AnnouncementKind.MAINTENANCE, "texts": {Lang.EN: WATER}, **more}
    )


@dataclass
class House:
    """A relay of three rooms at two sites, with its announcements."""

    world: World
    desk: Announcements
    keeper: AnnouncementKeeper
    changed: list[str] = field(default_factory=list)

    async def counts(self) -> AnnouncementCounts:
        return (await self.desk.listed())[0].counts

    async def state(self) -> AnnouncementState:
        return (await self.desk.listed())[0].state


@asynccontextmanager
async def house(
    path: Path | None = None, clock: HandClock | None = None, postman: Postman | None = None
) -> AsyncIterator[House]:
    subscribers = Subscribers()
    subscribers.add(ME, "sub")
    async with relay(path, clock=clock, subscribers=subscribers, sender=postman) as world:
        changed: list[str] = []
        keeper = AnnouncementKeeper(
            world.db,
            world.clock,
            rooms=world.rooms,
            planner=world.planner,
            on_shown=changed.append,
        )
        yield House(world, Announcements(world.db, world.clock, world.rooms), keeper, changed)


async def begin(one: House) -> None:
    """Let two residents live at the one site, one of them in both its rooms, and another elsewhere."""
    world = one.world
    await world.begin()
    await world.rooms.enroll(ATTIC, "Attic")
    await world.rooms.enroll(ELSEWHERE, "Cellar")
    at = to_rfc3339(START)
    lives = [(ME, ATTIC), (ME, ROOM), (OTHER, ROOM), (NOBODY, ELSEWHERE)]
    async with transaction(world.db) as db:
        for resident in dict(lives):
            await db.execute("INSERT INTO residents VALUES (?, 'en', ?)", (resident, at))
        for resident, room in lives:
            await db.execute("INSERT INTO memberships VALUES (?, ?, ?)", (resident, room, at))


async def test_now_goes_at_once_to_each_resident_of_the_site_once() -> None:
    postman = Postman()
    async with house(postman=postman) as one:
        await begin(one)
        await one.desk.write("Kim", body(target={"site": "maple-hall"}))
        await one.keeper.look()
        await one.world.push_due()
        assert [sub for _, sub in postman.sent] == ["sub"]
        assert await one.counts() == AnnouncementCounts(addressed=2, pushed=1, failed=1)
        assert one.changed == [ATTIC, ROOM]
        (shown,) = one.keeper.shown(ROOM)
        assert shown.texts == {Lang.EN: WATER, Lang.KO: WATER}, (
            "one language stands in for the other"
        )
        assert one.keeper.shown(ELSEWHERE) == []
        await one.keeper.look()
        await one.world.push_due()
        assert len(postman.sent) == 1
        assert one.changed == [ATTIC, ROOM]


async def test_a_scheduled_one_goes_once_however_often_the_relay_is_killed_at_that_minute(
    tmp_path: Path,
) -> None:
    path, clock, postman = tmp_path / "relay.db", HandClock(), Postman()
    async with house(path, clock, postman) as one:
        await begin(one)
        at = clock.now() + timedelta(hours=1)
        await one.desk.write("Kim", body(at=at, target={"room": ROOM}))
        await one.keeper.look()
        assert await one.state() is AnnouncementState.SCHEDULED
    clock.forward(3_600)
    for _ in range(3):
        async with house(path, clock, postman) as one:
            await one.keeper.look()
            await one.world.push_due()
    async with house(path, clock, postman) as one:
        clock.forward(6)  # no page came back
        await one.world.push_due()
        assert len(postman.sent) == 1
        counts = await one.counts()
        assert (counts.addressed, counts.pushed) == (2, 1)
        assert await one.state() is AnnouncementState.SHOWN
        listed = (await one.desk.listed())[0]
        notice = announcement_notice_id(occurrence_id(listed.id, at), ME)
        assert postman.sent[0][0] == notice, "its id is made from the announcement and its time"


async def test_a_kill_before_the_commit_leaves_nothing_and_it_goes_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, clock, postman = tmp_path / "relay.db", HandClock(), Postman()
    async with house(path, clock, postman) as one:
        await begin(one)
        await one.desk.write("Kim", body(target={"room": ROOM}))

        async def killed(*_args: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("cloud_relay.announce.store.insert_notices", killed)
        with pytest.raises(KeyboardInterrupt):
            await one.keeper.look()
    monkeypatch.undo()
    async with house(path, clock, postman) as one:
        assert (await one.counts()).addressed == 0
        clock.forward(60)
        await one.keeper.look()
        await one.world.push_due()
        assert len(postman.sent) == 1
        assert (await one.counts()).addressed == 2


async def test_a_relay_that_was_away_until_the_end_tells_nobody() -> None:
    async with house() as one:
        await begin(one)
        at = one.world.clock.now() + timedelta(hours=1)
        await one.desk.write("Kim", body(at=at, shown_for_min=30))
        one.world.clock.forward(3 * 3_600)
        await one.keeper.look()
        assert await one.state() is AnnouncementState.MISSED
        assert one.keeper.shown(ROOM) == []
        assert (await one.counts()).addressed == 0


async def test_a_daily_one_is_told_each_day_as_another_notice() -> None:
    postman = Postman()
    async with house(postman=postman) as one:
        await begin(one)
        await one.desk.write("Kim", body(repeat=Repeat.DAILY, zone="Asia/Seoul", shown_for_min=60))
        for _ in range(3):
            await one.keeper.look()
            await one.world.push_due()
            assert await one.state() is AnnouncementState.SCHEDULED
            assert len(one.keeper.shown(ROOM)) == 1
            one.world.clock.forward(2 * 3_600)
            await one.keeper.look()
            assert one.keeper.shown(ROOM) == []
            one.world.clock.forward(22 * 3_600)
        assert len({notice for notice, _ in postman.sent}) == 3


async def test_it_can_be_edited_and_cancelled_before_it_goes_and_not_edited_after() -> None:
    postman = Postman()
    async with house(postman=postman) as one:
        await begin(one)
        at = one.world.clock.now() + timedelta(hours=1)
        written = await one.desk.write("Kim", body(at=at))
        both = body(at=at, texts={Lang.EN: WATER, Lang.KO: WATER_KO})
        assert (await one.desk.edit(written.id, both)).body == both
        other = await one.desk.write("Kim", body(at=at))
        assert (await one.desk.cancel(other.id)).state is AnnouncementState.CANCELLED
        one.world.clock.forward(3_601)
        await one.keeper.look()
        assert [shown.texts[Lang.KO] for shown in one.keeper.shown(ROOM)] == [WATER_KO]
        with pytest.raises(ProblemError) as refused:
            await one.desk.edit(written.id, both)
        assert refused.value.code is ErrorCode.ALREADY_GONE
        with pytest.raises(ProblemError):
            await one.desk.cancel(other.id)


async def test_one_that_is_taken_back_is_shown_no_more_and_not_pushed() -> None:
    postman = Postman()
    async with house(postman=postman) as one:
        await begin(one)
        one.world.live.here[ME] = [Session()]
        written = await one.desk.write("Kim", body())
        await one.keeper.look()
        assert len(one.world.live.told) == 1, "on the page, and not acknowledged yet"
        cancelled = await one.desk.cancel(written.id)
        assert cancelled.state is AnnouncementState.CANCELLED
        await one.keeper.look()
        assert one.keeper.shown(ROOM) == []
        one.world.clock.forward(60)
        await one.world.push_due()
        assert postman.sent == []


async def test_one_that_was_pushed_and_is_taken_back_stands_on_no_page_that_comes() -> None:
    postman = Postman()
    async with house(postman=postman) as one:
        await begin(one)
        written = await one.desk.write("Kim", body())
        await one.keeper.look()
        await one.world.push_due()
        assert len(postman.sent) == 1
        (pushed,) = await one.world.planner.pending(ME)
        assert pushed.told
        await one.desk.cancel(written.id)
        await one.keeper.look()
        assert await one.world.planner.pending(ME) == []
        assert (await one.counts()).pushed == 1, "what was pushed is still said to be"


async def test_who_was_pushed_an_announcement_is_not_told_again_at_a_rooms_page() -> None:
    postman = Postman()
    async with house(postman=postman) as one:
        await begin(one)
        await one.desk.write("Kim", body(target={"room": ROOM}))
        await one.keeper.look()
        await one.world.push_due()
        assert len(postman.sent) == 1
        one.world.live.here[ME] = [Session()]
        await one.world.hear(Topic.UP_PRESENCE, presence(1))
        assert one.world.live.told == []


async def test_quiet_hours_hold_it_back_unless_it_is_urgent() -> None:
    postman = Postman()
    async with house(postman=postman) as one:
        await begin(one)
        night = QuietHours(begin="19:00", end="23:00", zone="UTC")
        one.world.wishes.kept[ME] = NoticePreferences(quiet=night)
        await one.desk.write("Kim", body())
        await one.keeper.look()
        await one.world.push_due()
        assert postman.sent == []
        assert (await one.counts()).waiting == 1
        await one.desk.write("Kim", body(urgent=True))
        await one.keeper.look()
        await one.world.push_due()
        assert len(postman.sent) == 1
        one.world.clock.forward(4 * 3_600)
        await one.world.push_due()
        assert len(postman.sent) == 2, "the other one when the quiet hours end"


async def test_who_is_told_at_the_page_of_any_of_their_rooms_is_not_pushed() -> None:
    postman = Postman()
    async with house(postman=postman) as one:
        await begin(one)
        world = one.world
        await world.hear(Topic.UP_PRESENCE, presence(1))  # the page of ROOM; the notice names ATTIC
        written = await one.desk.write("Kim", body(target={"site": "maple-hall"}))
        await one.keeper.look()
        at = (await one.desk.one(written.id)).created_at
        notice = announcement_notice_id(occurrence_id(written.id, at), ME)
        await world.events(ack_entry(1, notice))
        world.clock.forward(60)
        await world.push_due()
        assert postman.sent == []
        assert (await one.counts()).on_socket == 1


async def test_a_room_acknowledges_nothing_for_who_has_not_joined_it() -> None:
    async with house() as one:
        await begin(one)
        written = await one.desk.write("Kim", body(target={"site": "oak-hall"}))
        await one.keeper.look()
        notice = announcement_notice_id(occurrence_id(written.id, written.created_at), NOBODY)
        await one.world.events(ack_entry(1, notice, NOBODY))
        assert (await one.counts()).on_socket == 0


async def test_who_opens_a_rooms_page_later_is_told_there() -> None:
    async with house() as one:
        await begin(one)
        one.world.subscribers.of.clear()
        await one.desk.write("Kim", body(target={"room": ROOM}))
        await one.keeper.look()
        await one.world.push_due()
        assert (await one.counts()).failed == 2
        one.world.live.here[ME] = [Session()]  # where the notices down are sent, too
        await one.world.hear(Topic.UP_PRESENCE, presence(1))
        assert [who for who, _ in one.world.live.told] == [ME]
        await one.world.hear(Topic.UP_PRESENCE, UpPresence(seq=2, sessions=[]))
        await one.world.planner.shown(ME, [one.world.live.told[0][1]], AckKind.READ)
        await one.world.hear(Topic.UP_PRESENCE, presence(3))
        assert len(one.world.live.told) == 1, "once"
        assert (await one.counts()).read == 1


async def test_only_what_is_there_can_be_addressed() -> None:
    async with house() as one:
        await begin(one)
        for target in (
            {"site": "elm-hall"},
            {"room": "maple-hall.roof"},
            {"room": ROOM, "machine": "w99"},
        ):
            with pytest.raises(ProblemError) as refused:
                await one.desk.write("Kim", body(target=target))
            assert refused.value.code is ErrorCode.UNKNOWN_TARGET
        await one.desk.write("Kim", body(target={"room": ROOM, "machine": "w1"}))
        await one.keeper.look()
        assert one.keeper.shown(ROOM)[0].machine == "w1"


async def test_what_would_be_over_before_it_goes_is_refused() -> None:
    async with house() as one:
        await begin(one)
        past = one.world.clock.now() - timedelta(hours=2)
        with pytest.raises(ProblemError) as refused:
            await one.desk.write("Kim", body(at=past, shown_for_min=60))
        assert refused.value.code is ErrorCode.INVALID_BODY
        daily = body(
            at=past, repeat=Repeat.DAILY, zone="UTC", repeat_until=past + timedelta(hours=1)
        )
        with pytest.raises(ProblemError):
            await one.desk.write("Kim", daily)


async def test_a_clock_that_was_set_back_holds_up_no_announcement() -> None:
    async with house() as one:
        await begin(one)
        hour = timedelta(hours=1)
        at = one.world.clock.moment + hour
        daily = body(at=at, repeat=Repeat.DAILY, zone="UTC")
        kept = await one.desk.write("kim", daily)
        one.world.clock.moment = at
        await one.keeper.look()
        one.world.clock.moment = at - hour
        await one.desk.edit(kept.id, daily)  # due again at the moment at which it went
        other = await one.desk.write("kim", body(at=at + timedelta(minutes=1)))
        one.world.clock.moment = at + timedelta(minutes=1)
        await one.keeper.look()
        assert (await one.desk.one(other.id)).state is AnnouncementState.SHOWN
        assert (await one.desk.one(kept.id)).next_at == at + timedelta(days=1)
        assert len(await one.world.planner.history_of(ME, 10)) == 2, "each was told once"


async def test_an_edited_one_keeps_its_time_of_day() -> None:
    async with house() as one:
        await begin(one)
        daily = body(repeat=Repeat.DAILY, zone="Europe/Berlin")
        kept = await one.desk.write("kim", body(at=START + timedelta(days=9)))
        edited = await one.desk.edit(kept.id, daily)
        assert edited.body.at == one.world.clock.moment == edited.next_at


async def test_taking_back_keeps_why_somebody_was_not_told() -> None:
    async with house() as one:
        await begin(one)
        kept = await one.desk.write("kim", body())
        await one.keeper.look()
        await one.world.push_due()  # OTHER has no bell
        one.world.clock.forward(60)
        await one.desk.cancel(kept.id)
        for _ in range(2):
            await one.keeper.look()
        (fate,) = await one.world.planner.history_of(OTHER, 10)
        assert fate.state is DeliveryState.UNREACHABLE
        assert await one.world.planner.pending(OTHER) == []
        assert (await one.counts()).failed == 2, "as who lives elsewhere, and has no bell either"
        assert one.world.live.gone.count((OTHER, fate.card.id, None)) == 1


@pytest.mark.parametrize(
    "end", ["read at the relay", "shown in a room", "read in a room", "pushed", "taken back"]
)
async def test_no_page_of_any_of_their_rooms_tells_again_what_is_over(end: str) -> None:
    async with house() as one:
        await begin(one)
        world = one.world
        written = await one.desk.write("Kim", body(target={"site": "maple-hall"}))
        await one.keeper.look()
        notice = announcement_notice_id(occurrence_id(written.id, written.created_at), ME)
        if end == "read at the relay":
            await world.planner.shown(ME, [notice], AckKind.READ)
        elif end == "shown in a room":
            await world.events(ack_entry(1, notice))
        elif end == "read in a room":
            await world.events(ack_entry(1, notice, kind=AckKind.READ))
        elif end == "pushed":
            await world.push_due()
        else:
            await one.desk.cancel(written.id)
            await one.keeper.look()
        told = {
            room: notice in one.gone
            for room, one in waiting(world.told)
            if notice in one.notice_ids
        }
        assert set(told) == ({ATTIC} if end.endswith("in a room") else {ATTIC, ROOM})
        leaves_pages = end in {"read at the relay", "read in a room", "taken back"}
        assert set(told.values()) == {leaves_pages}


def waiting(sender: ToldSender) -> list[tuple[str, DownTold]]:
    """Return what is on its way down to rooms."""
    return [sender._waiting.get_nowait() for _ in range(sender._waiting.qsize())]
