"""A real edge and a real relay, with nothing between them but the broker on its generated files."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cloud_relay.enrol.init import RelayPlan, initialise
from cloud_relay.enrol.mosquitto import Listeners
from cloud_relay.enrol.rooms import AddedRoom, add_room
from laundryd.demo.broker import Mosquitto, free_port, mosquitto_program
from laundryd.wire.ids import RoomRef

ROOM = RoomRef(site="maple-hall", room="basement")
PATH = f"/api/v1/rooms/{ROOM.key}"
WAIT_S = 20.0


@dataclass
class Town:
    relay_url: str
    edge_url: str
    added: AddedRoom


@asynccontextmanager
async def program(*words: str) -> AsyncIterator[None]:
    clean = {name: text for name, text in os.environ.items() if not name.startswith("LAUNDRYD_")}
    process = await asyncio.create_subprocess_exec(
        *words, env=clean, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        async with asyncio.timeout(WAIT_S):
            await process.wait()


@pytest.fixture
async def town(tmp_path: Path, mosquitto: Mosquitto) -> AsyncIterator[Town]:
    relay_url, edge_port = f"http://127.0.0.1:{free_port()}", free_port()
    folder = tmp_path / "relay"
    settings = initialise(
        RelayPlan(
            data_dir=folder,
            config=folder / "relay.toml",
            public_url=relay_url,
            vapid_subject="mailto:staff@example.org",
            listeners=Listeners(free_port()),
            edge_host="127.0.0.1",
        )
    ).settings
    added = await add_room(settings, ROOM, "Basement")
    config = tmp_path / "edge.toml"
    config.write_text(
        f'site = "{ROOM.site}"\nroom = "{ROOM.room}"\nname = "Basement"\n'
        f'data_dir = "{tmp_path / "edge"}"\n'
        f"[broker]\nport = {mosquitto.port}\n[http]\nport = {edge_port}\n"
        f'public_url = "http://127.0.0.1:{edge_port}"\n'
        f'[cloud]\nenrolment = "{added.enrolment_file}"\n'
        '[[machines]]\nid = "w1"\nname = "Washer 1"\nkind = "washer"\n'
    )
    broker = str(settings.broker_files / "standalone.conf")
    async with (
        program(mosquitto_program(), "-c", broker),
        program(sys.executable, "-m", "cloud_relay", "run", "--config", str(folder / "relay.toml")),
        program(sys.executable, "-m", "laundryd", "edge", "run", "--config", str(config)),
    ):
        yield Town(relay_url, f"http://127.0.0.1:{edge_port}", added)


async def until(
    ask: Callable[[], Awaitable[httpx.Response]], good: Callable[[httpx.Response], bool]
) -> httpx.Response:
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                answer = await ask()
                if good(answer):
                    return answer
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def test_a_remote_claim_reaches_the_room_and_the_room_lets_its_resident_in(
    town: Town,
) -> None:
    async with (
        httpx.AsyncClient(base_url=town.relay_url, headers={"Origin": town.relay_url}) as remote,
        httpx.AsyncClient(base_url=town.edge_url, headers={"Origin": town.edge_url}) as local,
    ):
        await until(lambda: remote.get("/readyz"), lambda answer: answer.status_code == 200)
        joined = await remote.post("/api/v1/join", json={"code": town.added.join_code})
        assert joined.status_code == 200, joined.text
        await until(
            lambda: remote.get(PATH),
            lambda answer: answer.status_code == 200 and answer.json()["edge"]["online"],
        )
        claim = await remote.post(f"{PATH}/machines/w1/claim", json={"id": "wish-1"})
        assert claim.status_code == 200, claim.text
        again = await remote.post(f"{PATH}/machines/w1/claim", json={"id": "wish-1"})
        assert again.json() == claim.json()
        seen = await until(
            lambda: remote.get(PATH), lambda answer: answer.json()["machines"][0]["phase"] != "free"
        )
        assert seen.json()["machines"][0]["phase"] == "claimed"

        voucher = (await remote.post(f"{PATH}/voucher")).json()
        assert voucher["local_url"] == town.edge_url
        body = {"voucher": voucher["token"]}
        entered = await until(
            lambda: local.post("/api/v1/join", json=body), lambda answer: answer.status_code == 200
        )
        assert entered.json()["resident"] == joined.json()["resident"]
        arrive = await local.post(f"{PATH}/machines/w1/arrive", json={"id": "wish-2"})
        assert arrive.status_code == 200, arrive.text
        await until(
            lambda: remote.get(PATH),
            lambda answer: answer.json()["machines"][0]["phase"] == "arrived",
        )

        own = await remote.post(f"{PATH}/machines/w1/claim", json={"id": "wish-3"})
        assert own.status_code == 409
        assert (await remote.delete("/api/v1/me")).status_code == 204
        refused = await until(
            lambda: local.post(f"{PATH}/machines/w1/release", json={"id": "wish-4"}),
            lambda answer: answer.status_code == 401,
        )
        assert refused.json()["code"] == "unauthenticated"
