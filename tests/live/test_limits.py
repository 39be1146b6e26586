"""Limits of connections and of errors: who is turned away, how, until when, and who is not."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from websockets.asyncio.client import ClientConnection, connect

from laundryd.live.address import is_this_computer
from laundryd.live.crowd import Crowd
from laundryd.live.settings import LiveSettings
from laundryd.wire import frames
from laundryd.wire.commands import CommandName
from laundryd.wire.errors import ErrorCode
from tests.live.stage import ROOM, Stage, StartLive, closed, eventually, identify_text, refused

HOME = {"X-Forwarded-For": "203.0.113.7"}
"""As a proxy on this computer says it; without it nobody's address is counted."""


async def identified(stack: contextlib.AsyncExitStack, opening: connect) -> ClientConnection:
    socket = await stack.enter_async_context(opening)
    await socket.send(identify_text())
    assert '"welcome"' in str(await socket.recv())
    return socket


async def test_the_connection_over_an_addresss_limit_gets_429_and_other_addresses_do_not(
    start_live: StartLive,
) -> None:
    live = await start_live(connections_per_address_max=2)
    async with contextlib.AsyncExitStack() as stack:
        for name in ("ann", "ben"):
            await identified(stack, live.raw(f"{name}:phone", **HOME))
        status, problem, headers = await refused(live.raw("eve:phone", **HOME))
        assert (status, problem["code"]) == (429, "rate_limited")
        assert int(headers["retry-after"]) >= 1
        await identified(stack, live.raw("eve:phone", **{"X-Forwarded-For": "203.0.113.8"}))
        for name in ("ann", "ben", "eve"):  # a proxy that does not say whom it speaks for
            await identified(stack, live.raw(f"{name}:phone"))
    await eventually(lambda: live.server._crowd.open == 0)
    async with contextlib.AsyncExitStack() as stack:
        await identified(stack, live.raw("eve:phone", **HOME))


async def test_one_ipv6_household_is_one_address(start_live: StartLive) -> None:
    live = await start_live(connections_per_address_max=1)
    async with contextlib.AsyncExitStack() as stack:
        await identified(stack, live.raw(**{"X-Forwarded-For": "2001:db8:1:2::1"}))
        status, _, _ = await refused(live.raw("ben:x", **{"X-Forwarded-For": "2001:db8:1:2::9"}))
        assert status == 429
        await identified(stack, live.raw("ben:x", **{"X-Forwarded-For": "2001:db8:1:3::1"}))


async def test_the_connection_over_a_residents_limit_gets_429_and_others_do_not(
    start_live: StartLive,
) -> None:
    live = await start_live(connections_per_resident_max=2)
    async with contextlib.AsyncExitStack() as stack:
        first = await identified(stack, live.raw("ann:phone"))
        await identified(stack, live.raw("ann:tablet"))
        status, problem, headers = await refused(live.raw("ann:laptop"))
        assert (status, problem["code"]) == (429, "rate_limited")
        assert int(headers["retry-after"]) >= 1
        await identified(stack, live.raw("ben:phone"))
        await first.close()
        await eventually(lambda: live.server._crowd.open == 2)
        await identified(stack, live.raw("ann:laptop"))


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1", True),
        ("127.0.0.9", True),
        ("::1/128", True),
        ("", True),
        ("203.0.113.7", False),
        ("192.168.0.5", False),
        ("2001:db8:1:2::/64", False),
    ],
)
def test_this_computers_addresses_are_known(address: str, *, here: bool) -> None:
    assert is_this_computer(address) == here


def test_nothing_is_kept_of_who_has_left() -> None:
    crowd = Crowd(LiveSettings())
    crowd.enter("203.0.113.7")
    assert crowd.enter_as("ann") is None
    crowd.leave_as("ann")
    crowd.leave("203.0.113.7")
    assert (crowd.open, len(crowd._addresses), len(crowd._residents)) == (0, 0, 0)


# -- errors


def wrong(number: int) -> str:
    return json.dumps({"type": "command", "id": f"c{number}", "name": "x"})


async def err(live: Stage, token: str, number: int) -> ClientConnection | int:
    """Send ``number`` wrong commands; return the open connection, or the code it was closed with."""
    socket = await live.raw(token)
    await socket.send(identify_text())
    for each in range(number):
        await socket.send(wrong(each))
    await socket.send('{"type":"ping"}')
    with contextlib.suppress(Exception):
        while '"pong"' not in str(await socket.recv()):
            pass
        return socket
    return await closed(socket)


async def test_errors_are_a_residents_over_all_connections_and_shut_them_out_for_a_stated_time(
    start_live: StartLive,
) -> None:
    live = await start_live(errors_max=5, shut_out_s=1)
    async with live.client("ben:phone") as ben, live.client("ann:watch") as quiet:
        await ben.welcomed()
        await quiet.welcomed()
        phone = await err(live, "ann:phone", 3)
        assert isinstance(phone, ClientConnection)
        assert await err(live, "ann:tablet", 3) == 4504
        status, problem, headers = await refused(live.raw("ann:laptop"))
        assert (status, problem["code"]) == (429, "rate_limited")
        assert headers["retry-after"] == "1"
        await phone.send(wrong(9))
        assert await closed(phone) == 4504
        # Who did nothing wrong goes on, on whatever device, and so does everybody else.
        await live.publish(1)
        await ben.next_event()
        await quiet.next_event()
    async with asyncio.timeout(10), live.client("ann:phone") as back:  # it tries until it is let in
        await back.welcomed()


async def test_a_client_that_comes_back_with_the_same_bad_frame_is_shut_out(
    start_live: StartLive,
) -> None:
    live = await start_live(errors_max=3)
    codes = []
    for _ in range(4):
        async with live.raw() as socket:
            await socket.send("{")
            codes.append(await closed(socket))
    assert codes == [4501, 4501, 4501, 4504]
    assert (await refused(live.raw()))[0] == 429


async def test_a_room_that_cannot_be_reached_is_no_misdeed_of_who_asks(
    start_live: StartLive,
) -> None:
    live = await start_live(errors_max=2)
    live.desk.refuse_with = ErrorCode.EDGE_OFFLINE
    async with live.client() as client:
        for _ in range(6):
            result = await client.send_command(ROOM, "washer-1", CommandName.CLAIM)
            assert result.error is not None
        await client.ping()
        await client.next_frame(frames.Pong)
        assert client.connections == 1
