"""The live protocol at the edge, from joining to an acknowledged notice."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from laundryd.wire import frames
from laundryd.wire.notices import Lang, NoticeKind
from laundryd.wire.phases import Cause
from tests.edge.local.conftest import OpenRoom
from tests.edge.running import ROOM

MACHINES = f"/api/v1/rooms/{ROOM.key}/machines"


class Page:
    """One page's socket, frame by frame."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, frame: frames.ClientFrame) -> None:
        await self._socket.send(frame.model_dump_json())

    async def next(self) -> frames.ServerFrame:
        async with asyncio.timeout(10):
            return frames.SERVER_FRAME.validate_json(await self._socket.recv())

    async def until(self, kind: str) -> list[frames.ServerFrame]:
        """Return all frames up to and with the first of ``kind``."""
        got = [await self.next()]
        while got[-1].type != kind:
            got.append(await self.next())
        return got


@asynccontextmanager
async def page_of(room: OpenRoom) -> AsyncIterator[Page]:
    """Anna's page: the cookie that joining gave, and our own origin."""
    cookie = f"laundryd_edge={room.anna.cookies['laundryd_edge']}"
    async with connect(
        room.edge.live_url, additional_headers={"Cookie": cookie}, origin=Origin(room.edge.origin)
    ) as socket:
        page = Page(socket)
        await page.send(frames.Identify(rooms={ROOM.key: None}, visible=True, lang=Lang.EN))
        yield page


async def claim(room: OpenRoom, name: str = "claim") -> None:
    answer = await asyncio.to_thread(
        room.anna.post, f"{MACHINES}/w2/{name}", json={"id": uuid.uuid4().hex}
    )
    assert answer.status_code == 200, answer.text


def batches(got: list[frames.ServerFrame]) -> list[frames.Batch]:
    return [frame for frame in got if isinstance(frame, frames.Batch)]


def notices(got: list[frames.ServerFrame]) -> list[frames.NoticeFrame]:
    return [frame for frame in got if isinstance(frame, frames.NoticeFrame)]


async def test_a_claim_is_seen_as_an_event_and_as_mine(open_room: OpenRoom) -> None:
    async with page_of(open_room) as page:
        welcome = await page.next()
        assert isinstance(welcome, frames.Welcome)
        assert set(welcome.rooms) == {ROOM.key}
        await page.until("mine")
        await claim(open_room)
        got = await page.until("mine")
        while not batches(got):
            got += await page.until("batch")
        (event,) = batches(got)[0].events
        assert (event.cause, event.machine.machine) == (Cause.CLAIMED, "w2")
        mine = next(frame for frame in got if isinstance(frame, frames.Mine))
        assert [one.machine for one in mine.claims] == ["w2"]
        await claim(open_room, "release")


async def test_a_notice_is_pending_until_it_is_acknowledged(open_room: OpenRoom) -> None:
    async with page_of(open_room) as page:
        await claim(open_room)  # and nobody comes: it is held for three seconds
        (notice,) = notices(await page.until("notice"))
        assert notice.kind is NoticeKind.HOLD_ENDED
    async with page_of(open_room) as page:
        (again,) = notices(await page.until("notice"))
        assert again.id == notice.id, "shown, but not acknowledged"
        await page.send(frames.Ack(notice_ids=[notice.id]))
        await page.send(frames.Ping())
        await page.until("pong")
    async with page_of(open_room) as page:
        await page.until("mine")
        await page.send(frames.Ping())
        assert notices(await page.until("pong")) == []


@pytest.mark.parametrize(
    ("headers", "origin", "status"),
    [
        ({}, None, 401),
        ({"Cookie": "laundryd_edge=x"}, None, 401),
        ({}, "http://evil.example", 403),
    ],
    ids=["no_token", "bad_token", "foreign_origin"],
)
async def test_a_bad_handshake_is_refused_before_the_upgrade(
    open_room: OpenRoom, headers: dict[str, str], origin: str | None, status: int
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connect(
            open_room.edge.live_url,
            additional_headers=headers,
            origin=Origin(origin or open_room.edge.origin),
        ):
            pass
    assert caught.value.response.status_code == status


async def test_another_path_has_no_socket(open_room: OpenRoom) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connect(f"{open_room.edge.live_url}/more"):
            pass
    assert caught.value.response.status_code == 403
