"""An enrolled room that lost its store does not know who lives there until its relay has told it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from laundryd.daemon.tokens import SigningKey
from laundryd.demo.broker import Mosquitto
from laundryd.live.client import LiveClient
from laundryd.live.following.actions import State
from laundryd.live.web import Web
from laundryd.wire.uplink import Roster
from tests.edge.local.conftest import publish_roster
from tests.edge.running import ROOM, EdgeProcess, enrolment_file, token_for
from tests.live.stage import eventually, refused

WAIT_S = 30.0


@pytest.fixture
def keys() -> tuple[SigningKey, SigningKey]:
    """Who signs rosters, and who signs residents' tokens."""
    return SigningKey.generate(), SigningKey.generate()


@pytest.fixture
def edge(
    tmp_path: Path, mosquitto: Mosquitto, keys: tuple[SigningKey, SigningKey]
) -> Iterator[EdgeProcess]:
    """A room that was enrolled and has heard nothing of its relay since it lost everything."""
    folder = tmp_path / "edge"
    folder.mkdir()
    enrolment = enrolment_file(folder, mosquitto.settings, keys[0])
    process = EdgeProcess(folder, mosquitto.settings, enrolment=enrolment)
    process.start()
    yield process
    assert process.stop() == 0, process.log
    assert "Traceback" not in process.log


def roster_of(key: SigningKey) -> Roster:
    return Roster(
        version=1,
        audience=ROOM.audience,
        keys=[key.verify_key],
        relay_url="https://laundry.example.org",
    )


def is_put_off(answer: httpx.Response) -> bool:
    code, wait = answer.json()["code"], answer.headers["Retry-After"]
    return (answer.status_code, code, wait) == (503, "roster_awaited", "10")


async def test_a_token_is_put_off_and_not_refused_until_the_roster_is_here(
    edge: EdgeProcess, mosquitto: Mosquitto, keys: tuple[SigningKey, SigningKey]
) -> None:
    token = token_for(keys[1])
    with contextlib.closing(edge.page(token)) as page:
        assert is_put_off(page.get("/api/v1/me"))
        assert is_put_off(page.get(f"/api/v1/rooms/{ROOM.key}"))
        said = page.post(f"/api/v1/rooms/{ROOM.key}/machines/w2/claim", json={"id": "a" * 8})
        assert is_put_off(said)
        assert is_put_off(page.post("/api/v1/join", json={"voucher": token}))
        page.cookies.clear()
        assert page.get("/api/v1/me").status_code == 401, "who has no token is nobody anywhere"
    bearer = {"Authorization": f"Bearer {token}"}
    handshake = connect(edge.live_url, additional_headers=bearer, compression=None, proxy=None)
    status, problem, headers = await refused(handshake)
    assert (status, problem["code"], headers["Retry-After"]) == (503, "roster_awaited", "10")

    await publish_roster(mosquitto, keys[0], roster_of(keys[1]))
    edge.metric_becomes(1, "uplink_connected")
    with contextlib.closing(edge.page(token)) as page:
        ends = asyncio.get_running_loop().time() + WAIT_S
        while (answer := page.get("/api/v1/me")).status_code != 200:
            assert is_put_off(answer)
            assert asyncio.get_running_loop().time() < ends
            await asyncio.sleep(0.05)
        assert answer.json()["resident"] == "anna"
        page.cookies.set("laundryd_edge", token_for(SigningKey.generate()))
        assert page.get("/api/v1/me").status_code == 401, "now it can tell"


async def test_a_room_that_lost_its_store_signs_nobody_out(
    edge: EdgeProcess, mosquitto: Mosquitto, keys: tuple[SigningKey, SigningKey]
) -> None:
    await publish_roster(mosquitto, keys[0], roster_of(keys[1]))
    web = Web(edge.origin, token_for(keys[1]))
    shown: list[object] = []
    async with LiveClient(
        web.live_url, web.token or "", rooms=[ROOM.key], web=web, listener=shown.append
    ) as client:
        await eventually(lambda: client.state is State.LIVE, timeout_s=WAIT_S)
        edge.kill()
        shutil.rmtree(edge.data_dir)
        await publish_roster(mosquitto, keys[0], None)
        await asyncio.to_thread(edge.start)
        put_off = 'laundryd_live_refused_total{code="roster_awaited",server="edge"}'
        await eventually(
            lambda: put_off in httpx.get(f"{edge.origin}/metrics").text, timeout_s=WAIT_S
        )
        before = client.connections
        await publish_roster(mosquitto, keys[0], roster_of(keys[1]))
        await eventually(lambda: client.connections > before, timeout_s=WAIT_S)
        assert client.state is State.LIVE
        assert (await web.me()).resident == "anna"
        snapshot = await web.room(ROOM.key)
        await eventually(lambda: client.positions[ROOM.key] == snapshot.page_position)
