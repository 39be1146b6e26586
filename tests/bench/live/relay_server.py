"""The relay under load: the real program, whole, told of events over a control connection.

A line is ``ROOM {"entries": [...], "caught_up": true}``: the payload of a room's ``up/events``. It takes
the way of a message from the broker: checked, kept in SQLite, acknowledged, sent on. ``#gc`` collects
garbage and answers ``ok``. Prints its port, the control connection's, and nothing more.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from pydantic import BaseModel
from typing_extensions import override

from cloud_relay.app import Relay
from cloud_relay.migrations import MIGRATIONS
from cloud_relay.push.vapid import Vapid
from cloud_relay.residents.people import People
from cloud_relay.residents.tokens import Tokens
from cloud_relay.rooms.rooms import Rooms
from cloud_relay.settings import RelaySettings
from laundryd.daemon import logs
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import Message
from laundryd.daemon.sqlite import open_database, transaction
from laundryd.daemon.tokens import SigningKey
from laundryd.wire.ids import RoomRef
from laundryd.wire.notices import Lang
from laundryd.wire.topics import Topic, topic_name
from tests.bench.live.house import CLIENTS, ROOMS, hello, room_of, snapshot

TOKENS = "tokens"
"""File in the relay's folder: one token a line, in the order of the clients."""


def settings(folder: Path, broker_port: int) -> RelaySettings:
    """Write down what an admin would; nothing but the size differs from a relay in service."""
    return RelaySettings.model_validate(
        {
            "data_dir": folder,
            "log_level": "error",
            "broker": {"host": "127.0.0.1", "port": broker_port},
            "http": {"public_url": "http://localhost", "port": 0},
            "push": {"vapid_subject": "mailto:bench@example.org"},
            # No heartbeat within a measurement, here as there.
            "live": {"connections_max": CLIENTS + 100, "heartbeat_s": 3_600},
        }
    )


async def move_in(chosen: RelaySettings) -> None:
    """Enrol the rooms and let the residents in, each with a device and a token."""
    key = SigningKey.load_or_create(chosen.keys.signing)
    SigningKey.load_or_create(chosen.keys.enrolment)
    Vapid.load_or_create(chosen.keys.vapid, chosen.push.vapid_subject)
    tokens, at = Tokens(key), datetime.now(UTC)
    db = await open_database(chosen.database, MIGRATIONS)
    try:
        rooms, people = Rooms(db, Clock()), People(db)
        for room in ROOMS:
            await rooms.enroll(room.key, room.room)
        written = []
        async with transaction(db):
            for client in range(CLIENTS):
                resident = await people.add_resident_in(Lang.EN, at)
                device = await people.add_device_in(resident, "Phone", at)
                await people.add_room_in(resident, room_of(client).key, at)
                written.append(tokens.issue(resident, device, at))
    finally:
        await db.close()
    (chosen.data_dir / TOKENS).write_text("\n".join(written))


class BenchRelay(Relay):
    """The relay with one more way in."""

    async def _begin(self, room: RoomRef, topic: Topic, body: BaseModel) -> None:
        payload = body.model_dump_json().encode()
        await self._ingest.take(Message(topic_name(room, topic), payload, retained=False))

    @override
    async def run(self, on_listening: object = None) -> None:
        def listening(port: int) -> None:
            begun.append(asyncio.create_task(self._control(port)))

        begun: list[asyncio.Task[None]] = []
        await super().run(listening)

    async def _control(self, port: int) -> None:
        for room in ROOMS:
            await self._begin(room, Topic.UP_HELLO, hello(room))
            await self._begin(room, Topic.UP_SNAPSHOT, snapshot(room))
        server = await asyncio.start_server(self._listen, "127.0.0.1", 0, limit=1 << 20)
        print(port, server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            if line == b"#gc\n":
                gc.collect()
                writer.write(b"ok\n")
                continue
            key, _, payload = line.partition(b" ")
            topic = topic_name(RoomRef.from_key(key.decode()), Topic.UP_EVENTS)
            self._ingest.on_message(Message(topic, payload, retained=False))


async def main(folder: Path, broker_port: int) -> None:
    chosen = settings(folder, broker_port)
    logs.configure(chosen.log_level, as_json=chosen.log_json)
    await move_in(chosen)
    await BenchRelay(chosen).run()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2])))
