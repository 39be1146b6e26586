"""The edge is killed and started again: its residents' sessions go on as if nothing had been."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from edge.local.session_keeper import DOCUMENT
from laundryd.demo.broker import Mosquitto
from laundryd.live.client import LiveClient
from laundryd.wire import frames
from laundryd.wire.ids import PagePosition, Position, RoomKey
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import NoticeKind
from tests.edge.local.conftest import CODE, set_code
from tests.edge.running import ROOM, EdgeProcess
from tests.live.stage import eventually

WAIT_S = 20.0


@pytest.fixture
def edge(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[EdgeProcess]:
    process = EdgeProcess(tmp_path / "edge", mosquitto.settings, "[timings]\nhold_s = 2\n")
    asyncio.run(set_code(process.data_dir, CODE, 2))
    process.start()
    yield process
    assert process.stop() == 0, process.log
    assert "Traceback" not in process.log


def joined(edge: EdgeProcess) -> httpx.Client:
    page = edge.page()
    answer = page.post("/api/v1/join", json={"code": CODE})
    assert answer.status_code == 200, answer.text
    return page


def claim(page: httpx.Client) -> Position:
    path = f"/api/v1/rooms/{ROOM.key}/machines/w2/claim"
    answer = page.post(path, json={"id": uuid.uuid4().hex})
    assert answer.status_code == 200, answer.text
    return Position.model_validate(answer.json()["position"])


async def test_a_killed_edge_gives_back_session_position_and_pending_notices(
    edge: EdgeProcess,
) -> None:
    with contextlib.closing(joined(edge)) as anna, contextlib.closing(joined(edge)) as ben:
        token, bens = (page.cookies["laundryd_edge"] for page in (anna, ben))
        async with LiveClient(edge.live_url, token, rooms=[ROOM.key]) as client:
            session_id = (await client.welcomed(WAIT_S)).session_id
            claimed_at = await asyncio.to_thread(claim, anna)  # and nobody comes
            notice = (await client.next_frame(frames.NoticeFrame, WAIT_S)).item
            assert notice.kind is NoticeKind.HOLD_ENDED
            await client.next_event(lambda event: event.offset > claimed_at.offset, WAIT_S)
            stood = client.positions[ROOM.key]
            assert stood is not None
            edge.kill()
        await asyncio.to_thread(edge.start)

        async with LiveClient(
            edge.live_url, bens, rooms={ROOM.key: stood}, session_id=session_id
        ) as thief:
            assert (await thief.welcomed(WAIT_S)).session_id != session_id
            await thief.next_frame(frames.Mine, WAIT_S)
            await thief.ping()
            await thief.next_frame(frames.Pong, WAIT_S)
            assert not any(isinstance(f, frames.NoticeFrame) for f in thief.unread_frames())

        # As a page that missed the end of the hold: it stands where the claim left it.
        async with LiveClient(
            edge.live_url, token, rooms={ROOM.key: claimed_at}, session_id=session_id
        ) as client:
            welcome = await client.welcomed(WAIT_S)
            assert welcome.session_id == session_id
            resume = welcome.rooms[ROOM.key]
            assert (resume.epoch, resume.was_recovering, resume.recovered) == (
                stood.epoch,
                True,
                True,
            )
            missed = await client.next_event(timeout_s=WAIT_S)
            assert missed.item.follows == claimed_at.offset
            again = await client.next_frame(frames.NoticeFrame, WAIT_S)
            assert again.item.id == notice.id
            assert (client.duplicates, client.needs_snapshot) == (0, set())


async def test_a_machine_that_left_the_settings_leaves_a_page_that_had_seen_all(
    edge: EdgeProcess,
) -> None:
    with contextlib.closing(joined(edge)) as anna:
        token = anna.cookies["laundryd_edge"]
        head = RoomSnapshot.model_validate(anna.get(f"/api/v1/rooms/{ROOM.key}").json()).position
        stands: dict[RoomKey, Position | None] = {ROOM.key: head}
        whole, _, _ = edge.machines.rpartition("[[machines]]")
        for machines, recovered in ((edge.machines, True), (whole, False)):
            edge.machines = machines
            assert edge.stop() == 0, edge.log
            await asyncio.to_thread(edge.start)
            async with LiveClient(edge.live_url, token, rooms=stands) as client:
                resume = (await client.welcomed(WAIT_S)).rooms[ROOM.key]
                assert resume.recovered is recovered, "the same settings change nothing"
        shown = RoomSnapshot.model_validate(anna.get(f"/api/v1/rooms/{ROOM.key}").json())
        assert [one.machine for one in shown.machines] == ["w1", "w2"]
        assert shown.position.epoch != head.epoch


def live_sessions(edge: EdgeProcess) -> float:
    for line in httpx.get(f"{edge.origin}/metrics").text.splitlines():
        if line.startswith('laundryd_live_sessions{server="edge"} '):
            return float(line.rpartition(" ")[2])
    raise AssertionError("no such metric")


def kept(edge: EdgeProcess) -> str:
    with contextlib.closing(sqlite3.connect(edge.data_dir / "room.db")) as db:
        rows = db.execute("SELECT body FROM documents WHERE name = ?", (DOCUMENT,)).fetchall()
    return str(rows[0][0]) if rows else ""


async def test_a_page_that_is_not_back_yet_counts_as_dropped_until_the_deadline(
    edge: EdgeProcess,
) -> None:
    with contextlib.closing(joined(edge)) as anna:
        token = anna.cookies["laundryd_edge"]
        async with LiveClient(edge.live_url, token, rooms=[ROOM.key]) as client:
            session_id = (await client.welcomed(WAIT_S)).session_id
            await eventually(lambda: session_id in kept(edge))
            edge.kill()
        await asyncio.to_thread(edge.start)
        assert live_sessions(edge) == 1, "nobody is away because the edge was"
        await eventually(lambda: live_sessions(edge) == 0, timeout_s=15)


async def test_a_folder_that_was_put_back_whole_is_told_by_a_page_of_its_lost_days(
    edge: EdgeProcess, tmp_path: Path
) -> None:
    with contextlib.closing(joined(edge)) as anna:
        token = anna.cookies["laundryd_edge"]

        async def stands() -> PagePosition:
            room = await asyncio.to_thread(anna.get, f"/api/v1/rooms/{ROOM.key}")
            return RoomSnapshot.model_validate(room.json()).page_position

        before = await stands()
        assert before.run is not None
        assert edge.stop() == 0, edge.log
        shutil.copytree(edge.data_dir, tmp_path / "backup")
        await asyncio.to_thread(edge.start)
        await asyncio.to_thread(claim, anna)
        lost = await stands()
        assert edge.stop() == 0, edge.log
        shutil.rmtree(edge.data_dir)
        shutil.copytree(tmp_path / "backup", edge.data_dir)
        await asyncio.to_thread(edge.start)
        assert (await stands()).epoch == lost.epoch, "nothing in the folder tells"
        await asyncio.to_thread(claim, anna)
        for stood, recovered in ((before, True), (lost, False), (lost.in_run(None), True)):
            async with LiveClient(edge.live_url, token, rooms={ROOM.key: stood}) as client:
                resume = (await client.welcomed(WAIT_S)).rooms[ROOM.key]
                assert resume.recovered is recovered, stood
                assert resume.run not in {None, before.run, lost.run}
