from __future__ import annotations

import asyncio

from laundryd.wire.commands import (
    CommandAnswer,
    CommandError,
    CommandName,
    DownCommand,
    ResidentCommand,
    UpAnswer,
)
from laundryd.wire.errors import ERRORS, ErrorCode
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


async def test_a_command_that_no_broker_confirmed_may_have_reached_the_room() -> None:
    async with relay(None) as world:
        await world.begin()
        world.link.confirms = False
        sending = asyncio.create_task(world.commands.send(ROOM, CLAIM))
        request = await asked(world)
        await world.hear(Topic.UP_ANSWER, UpAnswer(request_id=request.request_id, answer=ACCEPTED))
        assert await sending == ACCEPTED, "the broker passed it on, and died"
    async with relay(None, command_timeout_s=0.05) as world:
        await world.begin()
        world.link.confirms = False
        answer = await world.commands.send(ROOM, CLAIM)
        assert answer.error is not None
        assert answer.error.code is ErrorCode.EDGE_TIMEOUT, "nobody knows, and it says so"


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


async def test_a_room_that_was_reached_too_late_says_that_nothing_was_done() -> None:
    async with relay(None, command_timeout_s=0.05, late_grace_s=20) as world:
        await world.begin()
        sending = asyncio.create_task(world.commands.send(ROOM, CLAIM))
        request = await asked(world)
        await asyncio.sleep((request.expires_at - request.sent_at).total_seconds())
        row = ERRORS[ErrorCode.EXPIRED]
        error = CommandError(code=ErrorCode.EXPIRED, message=f"{row.title}. {row.remedy}")
        too_late = CommandAnswer(id="c1", ok=False, error=error)
        await world.hear(Topic.UP_ANSWER, UpAnswer(request_id=request.request_id, answer=too_late))
        assert await sending == too_late
        assert world.commands.counts["expired"] == 1


def test_away_slow_and_late_say_three_things() -> None:
    codes = (ErrorCode.EDGE_OFFLINE, ErrorCode.EDGE_TIMEOUT, ErrorCode.EXPIRED)
    rows = [ERRORS[code] for code in codes]
    assert len({row.status for row in rows}) == 3
    assert len({row.title for row in rows}) == 3
    assert len({row.remedy for row in rows}) == 3
