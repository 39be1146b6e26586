from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import generate_latest

from laundryd.wire import frames
from laundryd.wire.commands import CommandName
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import PagePosition, Position
from tests.live.stage import (
    AT,
    EPOCH,
    OTHER_ROOM,
    ROOM,
    StartLive,
    eventually,
    make_event,
    make_notice,
)


def at(offset: int, epoch: str = EPOCH) -> dict[str, Position]:
    return {ROOM: Position(epoch=epoch, offset=offset)}


async def test_what_was_missed_is_replayed_in_order_once(start_live: StartLive) -> None:
    live = await start_live(batch_max=10)
    for offset in range(1, 36):
        await live.publish(offset)
    async with live.client(rooms=at(7)) as client:
        resume = (await client.welcomed()).rooms[ROOM]
        assert (resume.was_recovering, resume.recovered, resume.offset) == (True, True, 35)
        for offset in range(8, 36):
            assert (await client.next_event()).item.offset == offset
        assert client.duplicates == 0
        assert client.needs_snapshot == set()


async def test_acknowledgement_entries_between_events_leave_no_gap(start_live: StartLive) -> None:
    live = await start_live()
    for offset in (2, 5, 9):  # 1, 3, 4, 6, 7, 8 were acknowledgements
        await live.publish(offset)
    async with live.client(rooms=at(3)) as client:
        assert (await client.welcomed()).rooms[ROOM].recovered
        assert [(await client.next_event()).item.offset for _ in range(2)] == [5, 9]
        await live.publish(14)
        assert (await client.next_event()).item.offset == 14
        assert client.needs_snapshot == set()


async def test_a_position_at_the_head_is_recovered_without_reading_history(
    start_live: StartLive,
) -> None:
    live = await start_live()
    await live.publish(4)
    async with live.client(rooms=at(4)) as client:
        assert (await client.welcomed()).rooms[ROOM].recovered
        assert live.desk.history_reads == 0


async def test_a_position_older_than_the_journal_is_not_recovered_and_gets_nothing(
    start_live: StartLive,
) -> None:
    live = await start_live()
    for offset in range(1, 6):
        await live.publish(offset)
    live.desk.forgotten = 3
    async with live.client(rooms=at(1)) as client:
        resume = (await client.welcomed()).rooms[ROOM]
        assert (resume.was_recovering, resume.recovered, resume.offset) == (True, False, 5)
        await client.next_frame(frames.Mine)
        assert client.unread_events() == []


async def test_more_than_the_replay_limit_is_not_recovered(start_live: StartLive) -> None:
    live = await start_live(replay_max=3)
    for offset in range(1, 6):
        await live.publish(offset)
    async with live.client(rooms=at(1)) as four, live.client(rooms=at(2)) as three:
        assert not (await four.welcomed()).rooms[ROOM].recovered
        assert (await three.welcomed()).rooms[ROOM].recovered


async def test_missed_events_older_than_a_day_are_not_replayed(start_live: StartLive) -> None:
    live = await start_live(replay_age_s=86_400)
    for offset, hours in ((1, 25), (2, 23), (3, 1)):
        live.desk.journal[ROOM].append(make_event(offset, at=AT - timedelta(hours=hours)))
    async with live.client(rooms=at(0)) as long_gone, live.client(rooms=at(1)) as since_yesterday:
        resume = (await long_gone.welcomed()).rooms[ROOM]
        assert (resume.was_recovering, resume.recovered, resume.offset) == (True, False, 3)
        await long_gone.next_frame(frames.Mine)
        assert long_gone.unread_events() == []
        assert (await since_yesterday.welcomed()).rooms[ROOM].recovered
        seen = [(await since_yesterday.next_event()).item.offset for _ in range(2)]
        assert seen == [2, 3]


async def test_a_position_from_the_future_or_another_epoch_is_not_recovered(
    start_live: StartLive,
) -> None:
    live = await start_live()
    await live.publish(1)
    async with live.client(rooms=at(9)) as future, live.client(rooms=at(1, "e0")) as other:
        assert not (await future.welcomed()).rooms[ROOM].recovered
        assert not (await other.welcomed()).rooms[ROOM].recovered


async def test_a_position_of_another_past_is_not_recovered_though_its_numbers_are_there(
    start_live: StartLive,
) -> None:
    live = await start_live()
    for offset in range(1, 6):
        await live.publish(offset)
    live.desk.opens("r1", 2)
    live.desk.opens("r2", 4)
    for run, offset, recovered in (
        ("r1", 4, True),
        ("r1", 5, False),  # r2 began at 4: this 5 was another one
        ("r2", 5, True),
        ("lost", 1, False),
        (None, 1, True),
    ):
        named = PagePosition(epoch=EPOCH, offset=offset, run=run)
        async with live.client(rooms={ROOM: named}) as client:
            resume = (await client.welcomed()).rooms[ROOM]
            assert (resume.recovered, resume.run) == (recovered, "r2"), named
            stands = client.positions[ROOM]
            assert stands is not None
            assert stands.run == "r2"
    text = generate_latest().decode()
    assert 'outcome="other_past"' in text


async def test_events_published_while_history_is_read_come_once_and_in_order(
    start_live: StartLive,
) -> None:
    live = await start_live()
    for offset in range(1, 4):
        await live.publish(offset)
    live.desk.gate.clear()
    async with live.client(rooms=at(1)) as client:
        await live.desk.at_gate.wait()
        for offset in range(4, 7):  # kept and published: both in the history and live
            await live.publish(offset)
        live.desk.gate.set()
        assert (await client.welcomed()).rooms[ROOM].recovered
        await live.publish(7)
        got = [(await client.next_event()).item.offset for _ in range(6)]
        assert got == [2, 3, 4, 5, 6, 7]
        assert client.duplicates == 0


async def test_an_event_kept_before_and_published_after_the_replay_comes_once(
    start_live: StartLive,
) -> None:
    live = await start_live()
    await live.publish(1)
    kept = live.desk.append(2)
    async with live.client(rooms=at(1)) as client:
        await client.welcomed()
        live.server.publish(kept)
        await live.publish(3)
        assert [(await client.next_event()).item.offset for _ in range(2)] == [2, 3]
        assert client.duplicates == 0


async def test_the_head_is_taken_before_history_so_that_a_late_event_is_not_lost(
    start_live: StartLive,
) -> None:
    live = await start_live()
    for offset in range(1, 3):
        await live.publish(offset)
    live.desk.gate.clear()
    async with live.client(rooms=at(0)) as client:
        await live.desk.at_gate.wait()
        live.server.publish(make_event(3))  # published, not in what the journal will say
        live.desk.gate.set()
        assert (await client.welcomed()).rooms[ROOM].offset == 2
        assert [(await client.next_event()).item.offset for _ in range(3)] == [1, 2, 3]


async def test_a_client_that_cannot_be_caught_up_in_time_is_closed_with_4003(
    start_live: StartLive,
) -> None:
    live = await start_live(replay_max=5, batch_ms=0)
    await live.publish(1)
    live.desk.gate.clear()
    async with live.client(rooms=at(0)) as client:
        await live.desk.at_gate.wait()
        for offset in range(2, 10):
            await live.publish(offset)
        live.desk.gate.set()
        # 4003 says come back: it does, and is told to take a snapshot.
        assert not (await client.welcomed()).rooms[ROOM].recovered


async def test_a_lost_connection_resumes_by_itself_with_nothing_lost_or_doubled(
    start_live: StartLive,
) -> None:
    live = await start_live()
    async with live.client() as client:
        first = await client.welcomed()
        await live.publish(1)
        assert (await client.next_event()).item.offset == 1
        client.drop()
        for offset in range(2, 5):
            await live.publish(offset)
        again = await client.welcomed()
        assert again.session_id == first.session_id
        assert again.rooms[ROOM].recovered
        assert [(await client.next_event()).item.offset for _ in range(3)] == [2, 3, 4]
        assert client.duplicates == 0
        assert client.connections == 2


async def test_a_notice_told_or_taken_back_while_pending_ones_are_read_is_not_told_again(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await start_live()
    told, gone, left = (make_notice(name) for name in ("told", "gone", "left"))
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_resident: str) -> list[frames.NoticeFrame]:
        reading.set()
        await go_on.wait()
        return [frames.NoticeFrame.of(one) for one in (told, gone, left)]

    monkeypatch.setattr(live.desk, "pending_notices", slow)
    async with live.client() as client:
        await reading.wait()
        assert live.server.notify(told, "ann") == 1
        live.server.notice_gone("ann", [gone.id])
        go_on.set()
        await client.next_frame(frames.NoticeFrame, where=lambda frame: frame.id == left.id)
        rest = [f.id for f in client.unread_frames() if isinstance(f, frames.NoticeFrame)]
        assert rest == [told.id]


async def test_an_older_reading_of_mine_never_follows_a_newer_one(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await start_live()
    async with live.client() as client:
        await client.next_frame(frames.Mine)
        first_reading, go_on = asyncio.Event(), asyncio.Event()
        old = frames.Mine(machines=[], claims=[])
        new = frames.Mine(machines=[frames.MyMachine(room=ROOM, machine="washer-1")], claims=[])

        async def mine(_resident: str) -> frames.Mine:
            if first_reading.is_set():
                return new
            first_reading.set()
            await go_on.wait()
            return old

        monkeypatch.setattr(live.desk, "mine", mine)
        slow = asyncio.create_task(live.server.send_mine("ann"))
        await first_reading.wait()
        await live.server.send_mine("ann")
        go_on.set()
        await slow
        await live.publish(1)
        await client.next_event()
        seen = [f for f in client.unread_frames() if isinstance(f, frames.Mine)]
        assert seen == [new]


async def test_a_client_gone_while_history_is_read_leaves_nothing_behind(
    start_live: StartLive,
) -> None:
    live = await start_live()
    await live.publish(1)
    live.desk.gate.clear()
    async with live.client(rooms=at(0)) as client:
        await live.desk.at_gate.wait()
        await client.close()
    live.desk.gate.set()
    await eventually(lambda: live.server._crowd.open == 0)
    assert live.server._hub._channels == {}
    assert live.server.all_sessions() == []


async def test_a_replaced_journal_makes_everybody_come_back_for_a_snapshot(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await start_live()
    await live.publish(3)
    async with live.client(rooms=at(3)) as client:
        assert (await client.welcomed()).rooms[ROOM].recovered
        monkeypatch.setattr(live.desk, "position", lambda _room: Position(epoch="e2", offset=1))
        assert live.server.room_replaced(ROOM) == 1
        again = (await client.welcomed()).rooms[ROOM]
        assert (again.recovered, again.epoch) == (False, "e2")
        assert client.needs_snapshot == {ROOM}
        assert live.server.room_replaced("maple-hall.empty") == 0


async def test_who_comes_back_to_a_replaced_journal_gets_nothing_of_the_old_one(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await start_live(batch_ms=300)
    async with live.client(rooms=at(0)) as client:
        assert (await client.welcomed()).rooms[ROOM].recovered
        await live.publish(1)
        await live.publish(2)  # waits for its batch
        monkeypatch.setattr(live.desk, "position", lambda _room: Position(epoch="e2", offset=1))
        live.server.room_replaced(ROOM)
        assert [(await client.next_event()).item.offset for _ in range(2)] == [1, 2]
        await client.welcomed()
        client.snapshot_taken(ROOM, Position(epoch="e2", offset=1))
        live.server.publish(make_event(2, epoch="e2"))
        assert (await client.next_event()).item.epoch == "e2"
        assert client.needs_snapshot == set()


async def test_who_was_removed_from_a_room_meanwhile_gets_neither_its_history_nor_its_events(
    start_live: StartLive,
) -> None:
    live = await start_live()
    for room in (ROOM, OTHER_ROOM):
        await live.publish(1, room=room)
    live.desk.gate.clear()
    rooms = {room: Position(epoch=EPOCH, offset=0) for room in (ROOM, OTHER_ROOM)}
    async with live.client(rooms=rooms) as client:
        await live.desk.at_gate.wait()
        live.door.left = {ROOM}  # let in, and removed while the history is read
        await live.publish(2)
        live.desk.gate.set()
        assert set((await client.welcomed()).rooms) == {OTHER_ROOM}
        await live.publish(3)
        last = await live.publish(2, room=OTHER_ROOM)
        await client.next_event(lambda event: event == last)
        assert {event.room for event in client.unread_events()} == {OTHER_ROOM}
        result = await client.send_command(ROOM, "washer-1", CommandName.CLAIM)
        assert result.error is not None
        assert result.error.code is ErrorCode.FOREIGN_ROOM
    await eventually(lambda: live.server._hub._channels == {})
