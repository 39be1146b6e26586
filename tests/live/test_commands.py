from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from websockets.exceptions import ConnectionClosed

from laundryd.wire import frames
from laundryd.wire.commands import CommandName
from laundryd.wire.errors import ErrorCode
from laundryd.wire.events import AckKind
from tests.live.stage import (
    FOREIGN_ROOM,
    ROOM,
    Stage,
    StartLive,
    closed,
    identify_text,
    make_notice,
)


async def test_a_command_gets_its_result(start_live: StartLive) -> None:
    live = await start_live()
    async with live.client() as client:
        result = await client.send_command(ROOM, "washer-1", CommandName.START, minutes=40)
        assert result.ok
        ((resident, frame),) = live.desk.commands
        assert (resident, frame.machine, frame.params.minutes) == ("ann", "washer-1", 40)


async def test_a_refused_command_gets_its_code_and_the_connection_stays(
    start_live: StartLive,
) -> None:
    live = await start_live()
    live.desk.refuse_with = ErrorCode.ILLEGAL_MOVE
    async with live.client() as client:
        for _ in range(2):
            result = await client.send_command(ROOM, "washer-1", CommandName.COLLECT)
            assert result.error is not None
            assert result.error.code is ErrorCode.ILLEGAL_MOVE
        assert client.connections == 1


async def test_a_command_for_a_foreign_room_is_refused_without_asking_the_desk(
    start_live: StartLive,
) -> None:
    live = await start_live()
    async with live.client() as client:
        result = await client.send_command(FOREIGN_ROOM, "washer-1", CommandName.CLAIM)
        assert result.error is not None
        assert result.error.code is ErrorCode.FOREIGN_ROOM
        assert live.desk.commands == []


async def test_a_slow_command_does_not_delay_pings_or_events(start_live: StartLive) -> None:
    live = await start_live()
    live.desk.command_gate.clear()
    async with live.client() as client:
        await client.welcomed()
        command = asyncio.create_task(client.send_command(ROOM, "washer-1", CommandName.CLAIM))
        await client.ping()
        await client.next_frame(frames.Pong)
        await live.publish(1)
        await client.next_event()
        live.desk.command_gate.set()
        assert (await command).ok


async def test_a_fifth_command_at_once_is_refused_as_busy(start_live: StartLive) -> None:
    live = await start_live(commands_max=4)
    live.desk.command_gate.clear()
    async with live.client() as client:
        waiting = [
            asyncio.create_task(client.send_command(ROOM, "washer-1", CommandName.CLAIM))
            for _ in range(4)
        ]
        async with asyncio.timeout(5):
            while len(live.desk.commands) < 4:  # noqa: ASYNC110 -- until the desk has all four
                await asyncio.sleep(0.005)
        fifth = await client.send_command(ROOM, "washer-1", CommandName.CLAIM)
        assert fifth.error is not None
        assert fifth.error.code is ErrorCode.BUSY
        live.desk.command_gate.set()
        assert all(result.ok for result in await asyncio.gather(*waiting))


async def test_a_result_finds_the_session_on_its_new_connection(start_live: StartLive) -> None:
    live = await start_live()
    live.desk.command_gate.clear()
    async with live.client() as client:
        await client.welcomed()
        command = asyncio.create_task(client.send_command(ROOM, "washer-1", CommandName.CLAIM))
        async with asyncio.timeout(5):
            while not live.desk.commands:  # noqa: ASYNC110 -- until the desk has it
                await asyncio.sleep(0.005)
        client.drop()
        await client.welcomed()
        live.desk.command_gate.set()
        assert (await command).ok


async def test_a_desk_that_fails_gives_internal_and_the_server_lives(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await start_live()

    async def broken(_resident: str, _frame: frames.Command) -> frames.Result:
        raise OSError("the disk is gone")

    monkeypatch.setattr(live.desk, "command", broken)
    async with live.client() as client:
        result = await client.send_command(ROOM, "washer-1", CommandName.CLAIM)
        assert result.error is not None
        assert result.error.code is ErrorCode.INTERNAL
        await live.publish(1)
        await client.next_event()


async def answer(live: Stage, **command: object) -> frames.Result | int:
    """Send a raw command frame; return its result, or the code it was closed with."""
    body = {
        "type": "command",
        "id": "c1",
        "room": ROOM,
        "machine": "washer-1",
        "name": "claim",
        **command,
    }
    async with live.raw() as socket:
        await socket.send(identify_text())
        await socket.send(json.dumps(body))
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                frame = frames.SERVER_FRAME.validate_json(message)
                if isinstance(frame, frames.Result):
                    return frame
        return await closed(socket)


def code_of(result: frames.Result | int) -> ErrorCode | int | None:
    if isinstance(result, int):
        return result
    return result.error.code if result.error else None


async def test_an_unknown_command_is_refused_by_name(start_live: StartLive) -> None:
    result = await answer(await start_live(), name="explode")
    assert code_of(result) is ErrorCode.UNKNOWN_COMMAND


async def test_a_command_with_a_wrong_field_is_told_which(start_live: StartLive) -> None:
    result = await answer(await start_live(), params={"minutes": 0})
    assert isinstance(result, frames.Result)
    assert code_of(result) is ErrorCode.INVALID_BODY
    assert result.error is not None
    assert "params.minutes" in result.error.message


async def test_a_command_without_a_usable_id_closes_with_4501(start_live: StartLive) -> None:
    assert code_of(await answer(await start_live(), id="not an id")) == 4501


async def test_too_many_refused_frames_close_with_4504(start_live: StartLive) -> None:
    live = await start_live(errors_max=3)
    async with live.raw() as socket:
        await socket.send(identify_text())
        for number in range(4):
            await socket.send(json.dumps({"type": "command", "id": f"c{number}", "name": "x"}))
        assert await closed(socket) == 4504


async def test_acknowledgements_reach_the_desk(start_live: StartLive) -> None:
    live = await start_live()
    one, two = make_notice("one").id, make_notice("two").id
    async with live.client() as client:
        session_id = (await client.welcomed()).session_id
        await client.ack([one, two])
        await client.read([one])
        await client.ping()
        await client.next_frame(frames.Pong)
        assert live.desk.acks == [
            ("ann", session_id, (one, two), AckKind.SHOWN),
            ("ann", session_id, (one,), AckKind.READ),
        ]


async def test_an_acknowledgement_of_nothing_closes_with_4501(start_live: StartLive) -> None:
    live = await start_live()
    async with live.raw() as socket:
        await socket.send(identify_text())
        await socket.send('{"type":"ack","notice_ids":[]}')
        assert await closed(socket) == 4501
