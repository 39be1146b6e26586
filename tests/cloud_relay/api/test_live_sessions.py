"""Live sessions at the real relay: over a kill and a start, and for who was removed from a room."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from cloud_relay.enrol.rooms import add_room
from laundryd.demo.broker import Mosquitto
from laundryd.live.client import LiveClient
from laundryd.wire import frames
from laundryd.wire.events import Entry
from laundryd.wire.ids import PagePosition, Position
from laundryd.wire.notices import Lang, Notice, NoticeKind, derive
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import DownAck, UpEvents
from tests.cloud_relay.test_app import ROOM, FakeEdge, edge_at, make_settings, until
from tests.cloud_relay.world import entry

WAIT_S = 20.0


@dataclass
class RelayProcess:
    """The real relay as its own process; ``kill`` it and enter ``running`` again."""

    config: Path
    database: Path
    url: str

    @property
    def live_url(self) -> str:
        return f"{self.url.replace('http', 'ws')}/api/v1/live"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        command = [sys.executable, "-m", "cloud_relay", "run", "--config", str(self.config)]
        process = await asyncio.create_subprocess_exec(*command)
        try:
            async with httpx.AsyncClient(base_url=self.url) as probe:
                await until(lambda: self._asked(probe), lambda answer: answer.status_code == 200)
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _asked(self, probe: httpx.AsyncClient) -> httpx.Response:
        try:
            return await probe.get("/readyz")
        except httpx.TransportError:
            return httpx.Response(503)

    async def join(self, code: str) -> tuple[str, str]:
        """Return a new resident and their token."""
        headers = {"Origin": self.url, "Accept": "application/json; token=1"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers) as browser:
            answer = await browser.post("/api/v1/join", json={"code": code})
            assert answer.status_code == 200, answer.text
            token = str(answer.json()["token"])
            browser.headers["Authorization"] = f"Bearer {token}"
            return str((await browser.get("/api/v1/me")).json()["resident"]), token


async def bring(edge: FakeEdge, one: Entry) -> None:
    """Send an entry up, as of now, and wait until the relay keeps it."""
    assert one.event is not None
    event = one.event.model_copy(update={"at": datetime.now(UTC)})
    one = one.model_copy(update={"event": event})
    batch = UpEvents(entries=[one], caught_up=True)
    await edge.say(Topic.UP_EVENTS, batch.model_dump_json().encode())
    while (
        DownAck.model_validate_json((await edge.next(Topic.DOWN_ACK)).payload).offset < one.offset
    ):
        pass


def done_now(offset: int, resident: str) -> Notice:
    return derive(
        NoticeKind.DONE,
        room=ROOM.key,
        position=Position(epoch="e1", offset=offset),
        machine="w1",
        resident=resident,
        params={"name": "W1"},
        at=datetime.now(UTC),
    )


@pytest.fixture
async def relay(
    tmp_path: Path, mosquitto: Mosquitto, free_port: Callable[[], int]
) -> tuple[RelayProcess, str]:
    settings = make_settings(tmp_path / "relay", mosquitto.port, free_port())
    added = await add_room(settings, ROOM, "Basement")
    config = tmp_path / "relay" / "relay.toml"
    return RelayProcess(config, settings.database, settings.http.public_url), added.join_code


async def test_a_killed_relay_gives_back_session_position_and_pending_notices(
    relay: tuple[RelayProcess, str], mosquitto: Mosquitto
) -> None:
    program, code = relay
    async with edge_at(mosquitto.settings) as edge:
        async with program.running() as process:
            await edge.bring_room()
            anna, token = await program.join(code)
            _, bens = await program.join(code)
            async with LiveClient(program.live_url, token, rooms=[ROOM.key]) as client:
                session_id = (await client.welcomed(WAIT_S)).session_id
                told = done_now(5, anna)
                await bring(edge, entry(5, owner=anna, notices=[told], room=ROOM.key))
                await client.next_event(timeout_s=WAIT_S)
                shown = (await client.next_frame(frames.NoticeFrame, WAIT_S)).item
                assert shown.id == told.id
                stood = client.positions[ROOM.key]
                assert stood is not None
                assert stood.in_run(None) == PagePosition(epoch="e1", offset=5)
                process.kill()
                await process.wait()

        async with program.running():
            await bring(edge, entry(6, owner=anna, room=ROOM.key))
            async with LiveClient(
                program.live_url, bens, rooms={ROOM.key: stood}, session_id=session_id
            ) as thief:
                assert (await thief.welcomed(WAIT_S)).session_id != session_id
                mine = (await thief.next_frame(frames.Mine, WAIT_S)).item
                assert mine.machines == []
                await thief.ping()
                await thief.next_frame(frames.Pong, WAIT_S)
                assert not any(isinstance(f, frames.NoticeFrame) for f in thief.unread_frames())

            async with LiveClient(
                program.live_url, token, rooms={ROOM.key: stood}, session_id=session_id
            ) as client:
                welcome = await client.welcomed(WAIT_S)
                assert welcome.session_id == session_id
                resume = welcome.rooms[ROOM.key]
                assert resume.run not in {None, stood.run}
                assert resume == frames.RoomResume(
                    epoch="e1", offset=6, was_recovering=True, recovered=True, run=resume.run
                )
                assert (await client.next_event(timeout_s=WAIT_S)).item.offset == 6
                again = await client.next_frame(frames.NoticeFrame, WAIT_S)
                assert again.item.id == told.id
                assert (client.duplicates, client.needs_snapshot) == (0, set())


async def test_who_is_removed_between_handshake_and_identify_gets_no_history(
    relay: tuple[RelayProcess, str], mosquitto: Mosquitto
) -> None:
    program, code = relay
    async with edge_at(mosquitto.settings) as edge, program.running():
        await edge.bring_room()
        await bring(edge, entry(5, room=ROOM.key))
        anna, token = await program.join(code)
        identify = frames.Identify(
            rooms={ROOM.key: PagePosition(epoch="e1", offset=4)}, visible=True, lang=Lang.EN
        )
        bearer = {"Authorization": f"Bearer {token}"}
        for rooms in ({ROOM.key}, set()):
            async with connect(program.live_url, additional_headers=bearer) as socket:
                if not rooms:
                    with contextlib.closing(sqlite3.connect(program.database)) as db, db:
                        db.execute("DELETE FROM memberships WHERE resident = ?", (anna,))
                await socket.send(identify.model_dump_json())
                welcome = frames.SERVER_FRAME.validate_json(await socket.recv())
                assert isinstance(welcome, frames.Welcome)
                assert set(welcome.rooms) == rooms
                after = frames.SERVER_FRAME.validate_json(await socket.recv())
                assert isinstance(after, frames.Batch) == bool(rooms)


async def test_positions_that_cannot_be_and_rooms_of_others_get_a_snapshot_and_nothing(
    relay: tuple[RelayProcess, str], mosquitto: Mosquitto
) -> None:
    program, code = relay
    async with edge_at(mosquitto.settings) as edge, program.running():
        await edge.bring_room()
        _, token = await program.join(code)
        for position in (
            Position(epoch="e1", offset=2**53 - 1),
            Position(epoch="nobodysepoch", offset=0),
        ):
            rooms = {ROOM.key: position, "oak-hall.basement": Position(epoch="e1", offset=0)}
            async with LiveClient(program.live_url, token, rooms=rooms) as client:
                rooms_now = (await client.welcomed(WAIT_S)).rooms
                run = rooms_now[ROOM.key].run
                assert run is not None
                assert rooms_now == {
                    ROOM.key: frames.RoomResume(
                        epoch="e1", offset=4, was_recovering=True, recovered=False, run=run
                    )
                }
                await client.ping()
                await client.next_frame(frames.Pong, WAIT_S)
                assert client.unread_events() == []
