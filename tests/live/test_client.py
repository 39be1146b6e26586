from __future__ import annotations

import asyncio

from laundryd.live.client import LiveClient
from laundryd.wire.ids import Position
from tests.live.stage import EPOCH, ROOM, StartLive, make_event


def client_at(offset: int) -> LiveClient:
    client = LiveClient("ws://127.0.0.1:9/api/v1/live", "token", rooms=[ROOM])
    client.snapshot_taken(ROOM, Position(epoch=EPOCH, offset=offset))
    return client


async def test_an_event_that_a_snapshot_held_already_is_no_double() -> None:
    client = client_at(5)
    client._take_event(make_event(5), 0.0)
    assert client.duplicates == 0


async def test_an_event_that_comes_twice_over_the_socket_is_a_double() -> None:
    client = client_at(5)
    for offset in (5, 6, 6, 5):
        client._take_event(make_event(offset), 0.0)
    assert client.duplicates == 2


async def test_a_page_that_is_online_again_does_not_wait_for_its_next_try(
    start_live: StartLive,
) -> None:
    live = await start_live(backoff_first_s=60.0, backoff_cap_s=60.0)
    async with live.client() as client:
        await client.welcomed()
        client.drop()
        async with asyncio.timeout(5):
            while client.connections < 2:
                client.try_now()
                await asyncio.sleep(0.05)  # the drop takes a turn or two of the loop to be noticed
