"""Slow readers, on asyncio's loop and on production's: their transports buffer and abort differently."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket as sockets
import time
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest
import uvloop
from prometheus_client import REGISTRY
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from laundryd.live.connection import Connection, Encoded
from laundryd.wire import frames
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position
from tests.live.stage import (
    EPOCH,
    ROOM,
    Stage,
    closed,
    eventually,
    identify_text,
    make_notice,
    running,
)


def value(name: str) -> float:
    return REGISTRY.get_sample_value(name, {"server": "test"}) or 0.0


async def stalled(live_port: int, name: str) -> ClientConnection:
    """Open an identified connection whose kernel takes little and whose reader takes nothing."""
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", live_port))
    connection = await connect(
        f"ws://127.0.0.1:{live_port}/api/v1/live",
        sock=raw,
        additional_headers={"Authorization": f"Bearer {name}:phone"},
        compression=None,
        ping_interval=None,
        proxy=None,
    )
    await connection.send(identify_text())
    await connection.recv()
    connection.transport.pause_reading()
    return connection


async def a_slow_reader_is_closed_with_4001_and_never_delays_the_others() -> None:
    async with running(queue_max=4, batch_ms=0, close_grace_s=30) as live:
        slow = await stalled(live.port, "slow")
        async with live.client() as quick:
            await quick.next_frame(frames.Mine)
            offset, slowest_s = 0, 0.0
            async with asyncio.timeout(60):
                while _open(live, "slow"):
                    offset += 1
                    before_s = time.monotonic()
                    await live.publish(offset)
                    await quick.next_event()
                    slowest_s = max(slowest_s, time.monotonic() - before_s)
            assert slowest_s < 2
            slow.transport.resume_reading()
            assert await closed(slow) == 4001
            await eventually(lambda: not any(s.connected for s in live.server.sessions("slow")))


def of_room(room: str) -> Callable[[PublicEvent], bool]:
    return lambda event: event.room == room


async def who_missed_much_in_many_rooms_gets_it_all_over_one_connection() -> None:
    rooms = [f"maple-hall.floor-{number}" for number in range(8)]
    missed = 300
    async with running(send_buffer_bytes=16_384) as live:
        live.door.rooms = frozenset(rooms)
        for room in rooms:
            live.desk.journal[room] = []
            for offset in range(1, missed + 1):
                live.desk.append(offset, room=room)
        began = Position(epoch=EPOCH, offset=0)
        async with live.client(rooms=dict.fromkeys(rooms, began)) as client:
            for room in rooms:
                for offset in range(1, missed + 1):
                    event = (await client.next_event(of_room(room))).item
                    assert event.offset == offset
            assert client.connections == 1, "all that was missed is no more than a reader may take"
            assert client.duplicates == 0
            for room in rooms:
                await live.publish(missed + 1, room)
                event = (await client.next_event(of_room(room))).item
                assert event.offset == missed + 1


async def a_slow_reader_that_was_closed_resumes_with_everything_once_and_in_order() -> None:
    async with running(queue_max=4, batch_ms=0, close_grace_s=30, replay_max=10_000) as live:
        slow = await stalled(live.port, "slow")
        offset = 0
        while _open(live, "slow"):
            offset += 1
            await live.publish(offset)
            await asyncio.sleep(0)
        for _ in range(5):
            offset += 1
            await live.publish(offset)
        slow.transport.resume_reading()
        seen = [e["offset"] async for frame in read(slow) for e in frame.get("events", ())]
        assert slow.close_code == 4001
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) < offset
        stood = Position(epoch=EPOCH, offset=len(seen))
        async with live.client("slow:phone", rooms={ROOM: stood}) as again:
            assert (await again.welcomed()).rooms[ROOM].recovered
            while seen[-1] < offset:
                seen.append((await again.next_event()).item.offset)
            assert again.duplicates == 0
        assert seen == list(range(1, offset + 1))


async def without_the_close_a_slow_reader_misses_events_and_never_hears_of_it() -> None:
    """The twin: what does not fit is dropped, and the connection goes on."""
    fill = Connection._queue

    def drop(self: Connection, encoded: Encoded) -> bool:
        waits = self.waits
        return waits is not None and waits[0] < self._settings.queue_max and fill(self, encoded)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "_queue", drop)
        async with running(queue_max=4, batch_ms=0, replay_max=10_000) as live:
            slow = await stalled(live.port, "slow")
            (link,) = live.server._hub.sessions.links("slow")
            offset = 0
            while waiting(link) < 4:
                offset += 1
                await live.publish(offset)
                await asyncio.sleep(0)
            for _ in range(5):  # these find the queue full
                offset += 1
                await live.publish(offset)
            slow.transport.resume_reading()
            seen: list[int] = []
            await read_up_to(slow, offset - 5, seen)
            offset += 1
            await live.publish(offset)
            await read_up_to(slow, offset, seen)
            assert not link.closing
            assert seen == [*range(1, offset - 5), offset], "five events are lost in silence"
            await slow.close()


async def read_up_to(socket: ClientConnection, offset: int, seen: list[int]) -> None:
    async with asyncio.timeout(30):
        while not seen or seen[-1] < offset:
            frame = json.loads(await socket.recv())
            seen += [event["offset"] for event in frame.get("events", ())]


async def read(socket: ClientConnection) -> AsyncIterator[dict[str, list[dict[str, int]]]]:
    with contextlib.suppress(ConnectionClosed):
        async for message in socket:
            yield json.loads(message)


async def a_queue_is_bounded_in_bytes_too_and_its_depth_is_measured() -> None:
    async with running(
        queue_max=100_000, queue_max_bytes=65_536, batch_ms=0, close_grace_s=30, identify_s=0.2
    ) as live:
        slow = await stalled(live.port, "slow")
        (link,) = live.server._hub.sessions.links("slow")
        offset, deepest_bytes, frame_bytes = 0, 0, 1_000
        while not link.closing:
            offset += 1
            await live.publish(offset)
            await asyncio.sleep(0)
            frames_now, bytes_now = link.waits or (0, 0)
            deepest_bytes = max(deepest_bytes, bytes_now)
            if frames_now == 20:
                await eventually(lambda: value("laundryd_live_longest_queue_frames") == 20)
                assert value("laundryd_live_slow_readers") == 1
                assert value("laundryd_live_queued_frames") == 20
                assert value("laundryd_live_queued_bytes") == bytes_now
        assert 65_536 - frame_bytes < deepest_bytes <= 65_536
        slow.transport.resume_reading()
        assert await closed(slow) == 4001
        await eventually(lambda: value("laundryd_live_slow_readers") == 0)


def _open(live: Stage, resident: str) -> bool:
    return any(not link.closing for link in live.server._hub.sessions.links(resident))


def waiting(link: Connection) -> int:
    return len(link._waiting or ())


async def a_reader_that_takes_not_even_the_close_is_cut_off() -> None:
    async with running(queue_max=4, batch_ms=0, close_grace_s=0.2) as live:
        slow = await stalled(live.port, "slow")
        offset = 0
        while _open(live, "slow"):
            offset += 1
            await live.publish(offset)
            await asyncio.sleep(0)
        await eventually(lambda: live.server._crowd.open == 0)
        slow.transport.abort()


async def a_slow_reader_that_wakes_in_time_gets_everything_in_order() -> None:
    async with running(queue_max=100_000, batch_ms=0) as live:
        slow = await stalled(live.port, "slow")
        (link,) = live.server._hub.sessions.links("slow")
        offset = 0
        while waiting(link) < 50:
            offset += 1
            await live.publish(offset)
            await asyncio.sleep(0)
        slow.transport.resume_reading()
        seen: list[int] = []
        while not seen or seen[-1] < offset:
            frame = json.loads(await slow.recv())
            if frame["type"] == "batch":
                seen += [event["offset"] for event in frame["events"]]
        assert seen == list(range(1, offset + 1))
        await eventually(lambda: waiting(link) == 0)
        await slow.close()


async def a_slow_reader_with_many_pending_notices_gets_them_all() -> None:
    async with running(send_buffer_bytes=16_384, queue_max=4, batch_ms=0) as live:
        notices = [make_notice(f"notice {number}") for number in range(1_500)]
        live.desk.pending["slow"] = notices
        slow = await stalled(live.port, "slow")
        (link,) = live.server._hub.sessions.links("slow")
        await eventually(lambda: link.waits is not None)
        slow.transport.resume_reading()
        told: list[str] = []
        while len(told) < len(notices):
            frame = json.loads(await slow.recv())
            if frame["type"] == "notice":
                told.append(frame["id"])
        assert told == [notice.id for notice in notices]
        await slow.close()


async def who_leaves_before_all_pending_notices_were_sent_leaves_nothing_behind() -> None:
    async with running(send_buffer_bytes=16_384, queue_max=4, batch_ms=0) as live:
        live.desk.pending["slow"] = [make_notice(f"notice {number}") for number in range(1_500)]
        slow = await stalled(live.port, "slow")
        (link,) = live.server._hub.sessions.links("slow")
        await eventually(lambda: link.waits is not None)
        slow.transport.abort()
        await eventually(lambda: live.server._crowd.open == 0)


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize(
    "scenario",
    [
        a_slow_reader_is_closed_with_4001_and_never_delays_the_others,
        a_reader_that_takes_not_even_the_close_is_cut_off,
        a_slow_reader_that_wakes_in_time_gets_everything_in_order,
        a_slow_reader_that_was_closed_resumes_with_everything_once_and_in_order,
        without_the_close_a_slow_reader_misses_events_and_never_hears_of_it,
        a_queue_is_bounded_in_bytes_too_and_its_depth_is_measured,
        who_missed_much_in_many_rooms_gets_it_all_over_one_connection,
        a_slow_reader_with_many_pending_notices_gets_them_all,
        who_leaves_before_all_pending_notices_were_sent_leaves_nothing_behind,
    ],
)
def test_of(
    scenario: Callable[[], Coroutine[object, object, None]],
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(scenario())
