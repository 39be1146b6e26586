from __future__ import annotations

import pytest

from laundryd.wire import frames
from laundryd.wire.ids import PagePosition, Position
from laundryd.wire.machines import EdgeStatus
from tests.live.stage import (
    AT,
    EPOCH,
    FOREIGN_ROOM,
    OTHER_ROOM,
    ROOM,
    StartLive,
    closed,
    identify_text,
    make_notice,
)

BAD_FRAMES = {
    "not JSON": ("{", 4501),
    "empty": ("", 4501),
    "no object": ("[]", 4501),
    "a number": ("1", 4501),
    "deep nesting": ("[" * 5_000, 4501),
    "unknown type": ('{"type":"subscribe"}', 4500),
    "first frame is not identify": ('{"type":"ping"}', 4500),
    "identify without rooms": ('{"type":"identify","visible":true,"lang":"en"}', 4500),
    "identify with a typing error": (identify_text(roms={}), 4500),
    "room that is no key": (identify_text(rooms={"basement": None}), 4500),
    "position with a negative offset": (
        identify_text(rooms={ROOM: {"epoch": "e1", "offset": -1}}),
        4500,
    ),
    "too many rooms": (identify_text(rooms={f"hall.r{n}": None for n in range(21)}), 4500),
    "oversized frame": (identify_text(session_id="x" * 20_000), 4502),
    "oversized in bytes only": (identify_text().replace("en", "한" * 6_000), 4502),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_a_bad_first_frame_closes_with_its_code(start_live: StartLive, name: str) -> None:
    text, code = BAD_FRAMES[name]
    live = await start_live()
    async with live.raw() as socket:
        await socket.send(text)
        assert await closed(socket) == code


async def test_a_binary_frame_closes_with_4501(start_live: StartLive) -> None:
    live = await start_live()
    async with live.raw() as socket:
        await socket.send(identify_text().encode())
        assert await closed(socket) == 4501


async def test_a_frame_beyond_the_web_servers_own_limit_disturbs_nobody(
    start_live: StartLive,
) -> None:
    live = await start_live()
    async with live.client() as other, live.raw("ben:phone") as socket:
        await other.welcomed()
        await socket.send("x" * 200_000)
        assert await closed(socket) == 1009
        event = await live.publish(1)
        assert (await other.next_event()).item == event


async def test_a_client_that_does_not_identify_is_closed_with_4004(start_live: StartLive) -> None:
    live = await start_live(identify_s=0.1)
    async with live.raw() as socket:
        assert await closed(socket) == 4004


async def test_a_second_identify_closes_with_4501(start_live: StartLive) -> None:
    live = await start_live()
    async with live.raw() as socket:
        await socket.send(identify_text())
        await socket.send(identify_text())
        assert await closed(socket) == 4501


async def test_welcome_gives_a_position_even_when_nothing_was_ever_received(
    start_live: StartLive,
) -> None:
    live = await start_live()
    async with live.client() as client:
        welcome = await client.welcomed()
        assert welcome.rooms == {
            ROOM: frames.RoomResume(epoch=EPOCH, offset=0, was_recovering=False, recovered=False)
        }
        assert welcome.clock == frames.RoomClock(at=AT, speed=60)
        assert client.positions[ROOM] == PagePosition(epoch=EPOCH, offset=0)
        assert client.needs_snapshot == {ROOM}


async def test_a_foreign_room_is_left_out_and_its_events_never_come(start_live: StartLive) -> None:
    live = await start_live()
    live.desk.journal[FOREIGN_ROOM] = []
    async with live.client(rooms=[ROOM, FOREIGN_ROOM]) as client:
        assert set((await client.welcomed()).rooms) == {ROOM}
        await live.publish(1, room=FOREIGN_ROOM)
        mine = await live.publish(1)
        assert (await client.next_event()).item == mine
        assert client.unread_events() == []


async def test_a_room_that_was_not_named_is_not_sent(start_live: StartLive) -> None:
    live = await start_live()
    async with live.client(rooms=[OTHER_ROOM]) as client:
        await client.welcomed()
        await live.publish(1)
        other = await live.publish(1, room=OTHER_ROOM)
        assert (await client.next_event()).item == other
        assert client.unread_events() == []


async def test_a_room_without_a_journal_yet_is_left_out_but_heard_once_it_speaks(
    start_live: StartLive,
) -> None:
    live = await start_live()
    del live.desk.journal[ROOM]
    async with live.client() as client:
        assert (await client.welcomed()).rooms == {}
        live.desk.journal[ROOM] = []
        event = await live.publish(1)
        assert (await client.next_event()).item == event
        assert client.needs_snapshot == {ROOM}


async def test_after_welcome_come_status_mine_and_pending_notices_in_this_order(
    start_live: StartLive,
) -> None:
    live = await start_live()
    notice = make_notice("done")
    live.desk.pending["ann"] = [notice]
    live.edges[ROOM] = EdgeStatus(online=False, since=AT)
    async with live.client() as client:
        await client.next_frame(frames.NoticeFrame, where=lambda frame: frame.id == notice.id)
        kinds = [frame.type for frame in client.unread_frames()]
        assert kinds == ["welcome", "room_status", "mine"]


async def test_a_desk_that_fails_closes_with_1011_and_the_client_comes_back(
    start_live: StartLive,
) -> None:
    live = await start_live()
    await live.publish(1)
    live.desk.broken = True
    async with live.raw() as socket:
        await socket.send(identify_text(rooms={ROOM: {"epoch": EPOCH, "offset": 0}}))
        assert await closed(socket) == 1011
    live.desk.broken = False
    async with live.client(rooms={ROOM: Position(epoch=EPOCH, offset=0)}) as client:
        assert (await client.welcomed()).rooms[ROOM].recovered
