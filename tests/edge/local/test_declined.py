"""A kind of notice that a resident declined at the relay is told on no page of the room either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect

from laundryd.demo.broker import Mosquitto
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.commands import CommandName, CommandParams
from laundryd.wire.frames import ServerFrame
from laundryd.wire.notices import Lang, NoticeKind
from laundryd.wire.uplink import Roster
from tests.edge.local.conftest import EnrolledRoom, publish_roster
from tests.edge.running import ROOM, token_for


class Page:
    """An open page, and the kinds and ids of all notices that it was told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.kinds, self.ids = socket, list[NoticeKind](), list[str]()

    async def hears(self, awaited: Callable[[ServerFrame], bool]) -> None:
        async with asyncio.timeout(10):
            while True:
                frame = frames.SERVER_FRAME.validate_json(await self.socket.recv())
                if isinstance(frame, frames.NoticeFrame):
                    self.kinds.append(frame.kind)
                    self.ids.append(frame.id)
                if awaited(frame):
                    return

    async def is_answered(self) -> None:
        await self.socket.send(frames.Ping().model_dump_json())
        await self.hears(lambda frame: frame.type == "pong")

    async def start(self, machine: str) -> None:
        wish = frames.Command(
            id=f"start-{machine}",
            room=ROOM.key,
            machine=machine,
            name=CommandName.START,
            params=CommandParams(minutes=40),
        )
        await self.socket.send(wish.model_dump_json())
        await self.hears(lambda frame: isinstance(frame, frames.Result) and frame.ok)


@asynccontextmanager
async def page_of(room: EnrolledRoom, resident: str, device: str) -> AsyncIterator[Page]:
    token = token_for(room.key, resident=resident, device=device)
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(room.edge.live_url, additional_headers=headers) as socket:
        hello = frames.Identify(rooms={ROOM.key: None}, visible=True, lang=Lang.EN)
        await socket.send(hello.model_dump_json())
        page = Page(socket)
        await page.is_answered()
        yield page


async def test_who_declined_a_kind_is_told_nothing_of_it_in_the_room(
    enrolled_room: EnrolledRoom, room_broker: Mosquitto
) -> None:
    roster = Roster(
        version=2,
        audience=ROOM.audience,
        keys=[enrolled_room.key.verify_key],
        revoked_devices=["d-marker"],
        # A kind that only a newer relay knows is nothing to stumble over.
        declined={"anna": [NoticeKind.STARTED, "not_known_here"]},
        relay_url="https://laundry.example.org",
    )
    async with page_of(enrolled_room, "cleo", "d-marker") as marker:
        await publish_roster(room_broker, enrolled_room.enrolment, roster)
        async with asyncio.timeout(10):
            await marker.socket.wait_closed()
        assert marker.socket.close_code == CloseCode.REVOKED, "the roster is in force"

    async with (
        page_of(enrolled_room, "anna", "d-anna") as anna,
        page_of(enrolled_room, "ben", "d-ben") as ben,
    ):
        await anna.start("w2")
        await ben.start("d1")
        if NoticeKind.STARTED not in ben.kinds:
            await ben.hears(lambda frame: frame.type == "notice")
        await anna.is_answered()
        assert ben.kinds == [NoticeKind.STARTED]
        assert anna.kinds == []
    async with (
        page_of(enrolled_room, "anna", "d-anna") as anna,
        page_of(enrolled_room, "ben", "d-ben") as ben,
    ):
        assert ben.kinds == [NoticeKind.STARTED], "nobody has acknowledged it"
        assert anna.kinds == [], "no page that comes is told of it either"
