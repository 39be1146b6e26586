"""The relay under load: the real program, whole, told of events over a control connection.

A line is ``ROOM {"entries": [...]}``: what a room's edge sends up. Its entries are kept in SQLite, and then
sent by the live server, by the relay's own code; lines that come together are kept in one transaction.
``#gc`` collects garbage and answers ``ok``. Prints its port and the control connection's.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import aiosqlite
import uvloop
from pydantic import BaseModel
from typing_extensions import override

from cloud_relay.app import Relay
from cloud_relay.migrations import MIGRATIONS
from cloud_relay.push.vapid import Vapid
from cloud_relay.residents.people import People
from cloud_relay.residents.tokens import Tokens
from cloud_relay.rooms.rooms import Rooms
from cloud_relay.rooms.state import Change
from cloud_relay.settings import RelaySettings
from laundryd.daemon import logs
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import Message
from laundryd.daemon.sqlite import open_database, transaction
from laundryd.daemon.tokens import SigningKey
from laundryd.wire.ids import RoomRef
from laundryd.wire.notices import Lang
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import UpEvents
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
        rest = b""
        while data := await reader.read(1 << 20):
            *lines, rest = (rest + data).split(b"\n")
            if b"#gc" in lines:
                gc.collect()
                writer.write(b"ok\n")
                lines.remove(b"#gc")
            if lines:
                await self._take(lines)

    async def _take(self, lines: Sequence[bytes]) -> None:
        """Keep everything that has come in one transaction, then send it: as the relay does, in its order."""
        async with transaction(self._db) as db:
            changes = [await self._write(db, line) for line in lines]
        for change in changes:
            self.rooms.commit(change)
            for event in change.events:
                self._live.publish(event)

    async def _write(self, db: aiosqlite.Connection, line: bytes) -> Change:
        key, _, payload = line.partition(b" ")
        entries = UpEvents.model_validate_json(payload).entries
        return await self.rooms.write_entries(db, key.decode(), tuple(entries))


async def main(folder: Path, broker_port: int) -> None:
    chosen = settings(folder, broker_port)
    logs.configure(chosen.log_level, as_json=chosen.log_json)
    await move_in(chosen)
    await BenchRelay(chosen).run()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2])))
