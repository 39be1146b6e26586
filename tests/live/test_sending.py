from __future__ import annotations

import pytest

from laundryd.wire import frames
from laundryd.wire.machines import EdgeStatus
from laundryd.wire.phases import Cause
from tests.live.stage import (
    AT,
    OTHER_ROOM,
    ROOM,
    StartLive,
    make_announcement,
    make_event,
    make_notice,
)


async def test_a_lone_event_goes_at_once(start_live: StartLive) -> None:
    live = await start_live(batch_ms=60_000)
    async with live.client() as client:
        await client.welcomed()
        await live.publish(1)
        assert (await client.next_event(timeout_s=2)).item.offset == 1


@pytest.mark.parametrize("cause", [Cause.FINISHED, Cause.FAULT_REPORTED, Cause.OUT_OF_ORDER])
async def test_what_somebody_waits_for_waits_for_no_batch(
    start_live: StartLive, cause: Cause
) -> None:
    live = await start_live(batch_ms=60_000)
    async with live.client() as client:
        await client.next_frame(frames.Mine)
        await live.publish(1)
        await live.publish(2)  # of another machine, within the minute: it waits
        live.server.publish(make_event(3, cause=cause))
        seen = [(await client.next_event(timeout_s=2)).item.offset for _ in range(3)]
        assert seen == [1, 2, 3], "in order, so what waited goes along"
        await live.publish(4)
        await client.ping()
        await client.next_frame(frames.Pong)
        assert client.unread_events() == []


async def test_after_a_power_cut_all_machines_end_at_once_and_make_a_burst(
    start_live: StartLive,
) -> None:
    live = await start_live(batch_ms=300, urgent_max=4)
    async with live.client() as client:
        await client.next_frame(frames.Mine)
        for offset in range(1, 51):
            live.server.publish(make_event(offset, cause=Cause.FINISHED))
        sizes: list[int] = []
        while sum(sizes) < 50:
            sizes.append(len((await client.next_frame(frames.Batch)).item.events))
        assert sizes == [1, 1, 1, 1, 1, 45]


async def test_a_burst_is_gathered_into_one_frame(start_live: StartLive) -> None:
    live = await start_live(batch_ms=200)
    async with live.client() as client:
        await client.next_frame(frames.Mine)
        for offset in range(1, 51):
            await live.publish(offset)
        first = await client.next_frame(frames.Batch)
        second = await client.next_frame(frames.Batch)
        assert [event.offset for event in first.item.events] == [1]
        assert [event.offset for event in second.item.events] == list(range(2, 51))
        assert 0.1 < second.received_s - first.received_s < 1


async def test_a_burst_beyond_the_largest_batch_does_not_wait(start_live: StartLive) -> None:
    live = await start_live(batch_ms=60_000, batch_max=10)
    async with live.client() as client:
        await client.next_frame(frames.Mine)
        for offset in range(1, 22):
            await live.publish(offset)
        sizes = [len((await client.next_frame(frames.Batch)).item.events) for _ in range(3)]
        assert sizes == [1, 10, 10]


async def test_a_notice_goes_to_all_devices_of_its_resident_and_to_nobody_else(
    start_live: StartLive,
) -> None:
    live = await start_live()
    async with (
        live.client("ann:phone") as phone,
        live.client("ann:tablet") as tablet,
        live.client("ben:phone") as other,
    ):
        for client in (phone, tablet, other):
            await client.next_frame(frames.Mine)
        notice = make_notice("done")
        assert live.server.notify(notice, "ann") == 2
        assert live.server.notify(notice, "nobody") == 0
        for client in (phone, tablet):
            frame = (await client.next_frame(frames.NoticeFrame)).item
            assert (frame.id, frame.params) == (notice.id, notice.params)
        assert live.server.notice_gone("ann", [notice.id]) == 2
        assert live.server.notice_gone("ann", []) == 0
        assert (await tablet.next_frame(frames.NoticeGone)).item.ids == [notice.id]
        assert live.server.notice_gone("ann", [notice.id], but=phone.session_id) == 1
        await live.publish(1)
        await other.next_event()
        assert [f.type for f in other.unread_frames()] == ["welcome", "batch"]


async def test_mine_goes_to_its_resident_alone(start_live: StartLive) -> None:
    live = await start_live()
    async with live.client("ann:phone") as ann, live.client("ben:phone") as ben:
        await ann.next_frame(frames.Mine)
        await ben.next_frame(frames.Mine)
        live.desk.mine_now = frames.Mine(
            machines=[frames.MyMachine(room=ROOM, machine="washer-1")], claims=[]
        )
        await live.server.send_mine("ann")
        await live.server.send_mine("nobody")
        assert (await ann.next_frame(frames.Mine)).item == live.desk.mine_now
        await live.publish(1)
        await ben.next_event()
        assert not any(isinstance(f, frames.Mine) for f in ben.unread_frames())


async def test_what_is_announced_reaches_everybody_in_the_room_and_who_comes(
    start_live: StartLive,
) -> None:
    live = await start_live()
    said = make_announcement()
    async with live.client("ann:phone") as ann:
        await ann.next_frame(frames.Mine)
        assert not any(isinstance(f, frames.ShownInRoom) for f in ann.unread_frames())
        live.desk.announced[ROOM] = [said]
        assert live.server.shows(ROOM) == 1
        assert live.server.shows(OTHER_ROOM) == 0
        assert (await ann.next_frame(frames.ShownInRoom)).item.shown == [said]
        async with live.client("ben:phone") as ben:
            assert (await ben.next_frame(frames.ShownInRoom)).item.room == ROOM
        live.desk.announced.clear()
        live.server.shows(ROOM)
        assert (await ann.next_frame(frames.ShownInRoom)).item.shown == []


async def test_a_room_status_reaches_everybody_in_the_room(start_live: StartLive) -> None:
    live = await start_live()
    async with live.client("ann:phone") as ann, live.client("ben:phone") as ben:
        await ann.next_frame(frames.Mine)
        await ben.next_frame(frames.Mine)
        status = frames.RoomStatus(room=ROOM, edge=EdgeStatus(online=False, since=AT))
        assert live.server.room_status(status) == 2
        assert (await ben.next_frame(frames.RoomStatus)).item == status
