"""Bad input at the room's own socket, each by its name, against the running edge."""

from __future__ import annotations

import contextlib

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from laundryd.daemon.tokens import RELAY_AUDIENCE
from laundryd.live.client import LiveClient
from laundryd.wire import frames
from laundryd.wire.bodies import Problem
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.commands import CommandName
from laundryd.wire.errors import ERRORS, ErrorCode
from laundryd.wire.ids import Position
from tests.edge.local.conftest import EnrolledRoom
from tests.edge.running import ROOM, token_for


async def refusal(room: EnrolledRoom, host: str = "127.0.0.1", **headers: str) -> Problem:
    url = f"ws://{host}:{room.edge.port}/api/v1/live"
    with pytest.raises(InvalidStatus) as caught:
        async with connect(url, host="127.0.0.1", port=room.edge.port, additional_headers=headers):
            pass
    problem = Problem.model_validate_json(bytes(caught.value.response.body or b""))
    assert caught.value.response.status_code == problem.status
    return problem


@pytest.mark.parametrize(
    "audience",
    [RELAY_AUDIENCE, "edge:oak-hall/basement", "edge:maple-hall/attic"],
    ids=["the_relay", "another_site", "another_room"],
)
async def test_a_token_for_another_audience_or_site(
    enrolled_room: EnrolledRoom, audience: str
) -> None:
    token = token_for(enrolled_room.key, audience=audience)
    problem = await refusal(enrolled_room, Authorization=f"Bearer {token}")
    assert problem.code == ErrorCode.UNAUTHENTICATED
    assert token not in problem.detail + enrolled_room.edge.log


async def test_a_foreign_origin(enrolled_room: EnrolledRoom) -> None:
    cookie = f"laundryd_edge={token_for(enrolled_room.key)}"
    problem = await refusal(enrolled_room, Cookie=cookie, Origin="http://evil.example")
    assert problem.code == ErrorCode.FOREIGN_ORIGIN


async def test_a_foreign_host(enrolled_room: EnrolledRoom) -> None:
    bearer = f"Bearer {token_for(enrolled_room.key)}"
    problem = await refusal(enrolled_room, "evil.example", Authorization=bearer)
    assert problem.code == ErrorCode.FOREIGN_HOST


async def test_a_command_in_the_wrong_phase_to_an_unknown_machine_and_on_somebody_elses(
    enrolled_room: EnrolledRoom,
) -> None:
    url, key = enrolled_room.edge.live_url, enrolled_room.key
    async with (
        LiveClient(url, token_for(key, resident="anna"), rooms=[ROOM.key]) as anna,
        LiveClient(url, token_for(key, resident="ben", device="d-2"), rooms=[ROOM.key]) as ben,
    ):
        assert (await ben.send_command(ROOM.key, "d1", CommandName.CLAIM)).ok
        for machine, word, code in (
            ("w2", CommandName.COLLECT, ErrorCode.ILLEGAL_MOVE),
            ("w9", CommandName.CLAIM, ErrorCode.UNKNOWN_MACHINE),
            ("d1", CommandName.CLAIM, ErrorCode.NOT_YOURS),
        ):
            result = await anna.send_command(ROOM.key, machine, word)
            assert not result.ok
            assert result.error is not None
            assert result.error.code == code
            assert ERRORS[code].remedy in result.error.message
            assert "ben" not in result.error.message
        assert (await ben.send_command(ROOM.key, "d1", CommandName.RELEASE)).ok


async def test_positions_that_cannot_be_and_rooms_of_others_get_a_snapshot_and_nothing(
    enrolled_room: EnrolledRoom,
) -> None:
    url, token = enrolled_room.edge.live_url, token_for(enrolled_room.key)
    async with LiveClient(url, token, rooms=[ROOM.key]) as here:
        head = (await here.welcomed()).rooms[ROOM.key]
    for position in (
        Position(epoch=head.epoch, offset=2**53 - 1),
        Position(epoch="nobodysepoch", offset=0),
    ):
        rooms = {ROOM.key: position, "oak-hall.basement": Position(epoch=head.epoch, offset=0)}
        async with LiveClient(url, token, rooms=rooms) as client:
            welcome = await client.welcomed()
            assert set(welcome.rooms) == {ROOM.key}
            resume = welcome.rooms[ROOM.key]
            assert (resume.was_recovering, resume.recovered) == (True, False)
            assert (resume.epoch, resume.offset) == (head.epoch, head.offset)
            await client.ping()
            await client.next_frame(frames.Pong)
            assert client.unread_events() == []


async def test_who_sends_rubbish_over_and_over_is_shut_out_and_the_room_goes_on(
    enrolled_room: EnrolledRoom,
) -> None:
    url, key = enrolled_room.edge.live_url, enrolled_room.key
    mallory = {"Authorization": f"Bearer {token_for(key, resident='mallory', device='d-6')}"}
    async with LiveClient(url, token_for(key), rooms=[ROOM.key]) as anna:
        await anna.welcomed()
        codes = set()
        with pytest.raises(InvalidStatus) as shut_out:  # noqa: PT012 -- one of them is refused
            for _ in range(22):
                async with connect(url, additional_headers=mallory) as socket:
                    await socket.send("{")
                    with contextlib.suppress(ConnectionClosed):
                        await socket.recv()
                    codes.add(socket.close_code)
        assert codes == {CloseCode.BAD_FRAME, CloseCode.TOO_MANY_ERRORS}
        assert shut_out.value.response.status_code == 429
        assert 0 < int(shut_out.value.response.headers["Retry-After"]) <= 60
        assert (await anna.send_command(ROOM.key, "w2", CommandName.CLAIM)).ok
        assert (await anna.send_command(ROOM.key, "w2", CommandName.RELEASE)).ok
