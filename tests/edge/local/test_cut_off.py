"""When the room's own server closes open pages because of what the relay said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from laundryd.daemon.mqtt import Message, MqttLink
from laundryd.demo.broker import Mosquitto
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode, may_reconnect
from laundryd.wire.notices import Lang
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import DownHello, Roster, UpHello
from tests.edge.local.conftest import EnrolledRoom, connected, publish_roster
from tests.edge.running import ROOM, token_for


@asynccontextmanager
async def page_of(room: EnrolledRoom, device: str) -> AsyncIterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {token_for(room.key, device=device)}"}
    async with connect(room.edge.live_url, additional_headers=headers) as socket:
        await identify(socket)
        yield socket


async def identify(socket: ClientConnection) -> frames.Welcome:
    hello = frames.Identify(rooms={ROOM.key: None}, visible=True, lang=Lang.EN)
    await socket.send(hello.model_dump_json())
    frame = frames.SERVER_FRAME.validate_json(await socket.recv())
    assert isinstance(frame, frames.Welcome)
    return frame


async def closed_with(socket: ClientConnection) -> int | None:
    async with asyncio.timeout(10):
        await socket.wait_closed()
    return socket.close_code


async def test_a_device_that_the_relay_revoked_is_thrown_out_of_the_open_page(
    enrolled_room: EnrolledRoom, room_broker: Mosquitto
) -> None:
    roster = Roster(
        version=2,
        audience=ROOM.audience,
        keys=[enrolled_room.key.verify_key],
        revoked_devices=["d-gone", "d-lost"],
        relay_url="https://laundry.example.org",
    )
    async with page_of(enrolled_room, "d-lost") as lost, page_of(enrolled_room, "d-kept") as kept:
        await publish_roster(room_broker, enrolled_room.enrolment, roster)
        assert await closed_with(lost) == CloseCode.REVOKED
        await kept.send(frames.Ping().model_dump_json())
        while frames.SERVER_FRAME.validate_json(await kept.recv()).type != "pong":
            pass
    with pytest.raises(InvalidStatus) as refused:
        async with page_of(enrolled_room, "d-lost"):
            pass
    assert refused.value.response.status_code == 401


async def test_pages_come_back_for_the_whole_room_when_its_numbers_begin_anew(
    enrolled_room: EnrolledRoom, room_broker: Mosquitto
) -> None:
    hellos: asyncio.Queue[UpHello] = asyncio.Queue()

    def heard(message: Message) -> None:
        if message.topic == topic_name(ROOM, Topic.UP_HELLO):
            hellos.put_nowait(UpHello.model_validate_json(message.payload))

    relay = MqttLink(
        room_broker.settings,
        "relay-with-more",
        name="relay",
        subscriptions=[topic_name(ROOM, Topic.UP_HELLO)],
    )
    async with page_of(enrolled_room, "d-1") as page, connected(relay, heard):
        async with asyncio.timeout(15):
            hello = await hellos.get()
        # It keeps more than the room's journal has: the room's store was restored from a backup.
        ahead = DownHello(
            version="1",
            epoch=hello.head.epoch,
            acked=hello.head.offset + 5,
            echo_sent_at=hello.sent_at,
            relay_at=datetime.now(UTC),
            word=hello.word,
        )
        await relay.publish(topic_name(ROOM, Topic.DOWN_HELLO), ahead.model_dump_json().encode())
        code = await closed_with(page)
        assert code == CloseCode.STARVED
        assert may_reconnect(code)
    async with connect(
        enrolled_room.edge.live_url,
        additional_headers={"Authorization": f"Bearer {token_for(enrolled_room.key)}"},
    ) as page:
        welcome = await identify(page)
        assert welcome.rooms[ROOM.key].epoch != hello.head.epoch
