from __future__ import annotations

from laundryd.live.client import LiveClient
from laundryd.wire.ids import Position
from tests.live.stage import EPOCH, ROOM, make_event


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
