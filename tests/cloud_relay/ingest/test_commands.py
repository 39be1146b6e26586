from __future__ import annotations

import asyncio

from laundryd.wire.commands import (
    CommandAnswer,
    CommandName,
    DownCommand,
    ResidentCommand,
    UpAnswer,
)
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import Position, RoomRef
from laundryd.wire.topics import Topic
from tests.cloud_relay.world import EPOCH, ME, RELAY_ID, ROOM, World, eventually, relay

CLAIM = ResidentCommand(id="c1", resident=ME, machine="w1", name=CommandName.CLAIM)
ACCEPTED = CommandAnswer(id="c1", ok=True, position=Position(epoch=EPOCH, offset=1))


async def asked(world: World) -> DownCommand:
    await eventually(lambda: bool(world.link.of(Topic.DOWN_COMMAND)), "the command")
    return DownCommand.model_validate_json(world.link.of(Topic.DOWN_COMMAND)[-1])


async def test_a_command_goes_down_and_its_answer_comes_back() -> None:
    async with relay(None) as world:
        await world.begin()
        sending = asyncio.create_task(world.commands.send(ROOM, CLAIM))
        request = await asked(world)
        assert (request.command, request.relay_id) == (CLAIM, RELAY_ID)
        assert (request.expires_at - request.sent_at).total_seconds() == 8
        answer = UpAnswer(request_id=request.request_id, answer=ACCEPTED)
        await world.hear(Topic.UP_ANSWER, answer)
        assert await sending == ACCEPTED


async def test_an_edge_that_is_away_refuses_at_once_and_says_since_when() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.hear(Topic.AVAILABILITY, b"offline")
        answer = await world.commands.send(ROOM, CLAIM)
        assert answer.error is not None
        assert answer.error.code is ErrorCode.EDGE_OFFLINE
        assert "2026-11-23T20:01:00.000Z" in answer.error.message
        assert world.link.of(Topic.DOWN_COMMAND) == [], "nothing is queued behind their back"


async def test_a_relay_without_a_broker_refuses_at_once() -> None:
    async with relay(None) as world:
        await world.begin()
        world.link.up = False
        answer = await world.commands.send(ROOM, CLAIM)
        assert answer.error is not None
        assert answer.error.code is ErrorCode.EDGE_OFFLINE


async def test_an_edge_that_is_slow_is_another_answer_and_its_own_comes_late() -> None:
    async with relay(None, command_timeout_s=0.05) as world:
        await world.begin()
        answer = await world.commands.send(ROOM, CLAIM)
        assert answer.error is not None
        assert answer.error.code is ErrorCode.EDGE_TIMEOUT
        request = await asked(world)
        await world.hear(Topic.UP_ANSWER, UpAnswer(request_id=request.request_id, answer=ACCEPTED))
        assert world.commands.counts["late"] == 1


async def test_no_room_answers_for_another() -> None:
    async with relay(None, command_timeout_s=0.5) as world:
        await world.begin()
        attic = RoomRef(site="maple-hall", room="attic")
        await world.rooms.enroll(attic.key, "Attic")
        sending = asyncio.create_task(world.commands.send(ROOM, CLAIM))
        request = await asked(world)
        stolen = UpAnswer(request_id=request.request_id, answer=ACCEPTED)
        await world.hear(Topic.UP_ANSWER, stolen, attic)
        assert world.commands.counts["foreign"] == 1
        await world.hear(Topic.UP_ANSWER, stolen)
        assert (await sending).ok


async def test_an_unknown_room_is_refused() -> None:
    async with relay(None) as world:
        answer = await world.commands.send(ROOM, CLAIM)
        assert answer.error is not None
        assert answer.error.code is ErrorCode.UNKNOWN_ROOM
