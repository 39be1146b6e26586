"""The lines of a whole run, at the level that says most: whose they are, and what they must not say."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from cloud_relay.enrol.mosquitto import BrokerFiles
from edge.local.codes import make_join_code
from laundryd.daemon.mqtt import BrokerSettings
from laundryd.daemon.tokens import SigningKey
from laundryd.demo.broker import Mosquitto
from laundryd.wire import frames
from laundryd.wire.notices import Lang
from tests.edge.room_watch import RoomWatch, plug
from tests.edge.running import ROOM, EdgeProcess, enrolment_file

PASSWORD = "correct-h0rse-battery"
CLOUD_PASSWORD = "st4ple-cloud"
MACHINES_URL = f"/api/v1/rooms/{ROOM.key}/machines"


async def visited(edge: EdgeProcess) -> list[str]:
    """Do what residents do, right and wrong; return the secrets that were in it."""
    code = await make_join_code(edge.data_dir)

    def by_http() -> list[str]:
        with edge.page() as page:
            wrong = page.post("/api/v1/join", json={"code": "WRNG-C0DE"})
            assert wrong.status_code >= 400
            joined = page.post("/api/v1/join", json={"code": code})
            assert joined.status_code == 200, joined.text
            said = page.post(f"{MACHINES_URL}/w2/claim", json={"id": "a"})
            assert said.status_code == 200, said.text
            link = page.post("/api/v1/devices/link-code", json={}).json()["code"]
            token = page.cookies["laundryd_edge"]
        with edge.page(token[:-4] + "aaaa") as page:
            assert page.get("/api/v1/me").status_code == 401
        with edge.page() as page:
            assert page.post("/api/v1/devices/link", json={"code": link}).status_code == 200
            other = page.cookies["laundryd_edge"]
        return [code, link, token, other, token[:-4] + "aaaa", "WRNG-C0DE"]

    secrets = await asyncio.to_thread(by_http)
    headers = {"Cookie": f"laundryd_edge={secrets[2]}"}
    async with connect(edge.live_url, additional_headers=headers, origin=edge.origin) as socket:  # type: ignore[arg-type]  # NewType of str
        hello = frames.Identify(rooms={ROOM.key: None}, visible=True, lang=Lang.EN)
        await socket.send(hello.model_dump_json())
        await socket.recv()
        await socket.send('{"type": "nonsense", "token": "' + secrets[2] + '"}')
        await socket.recv()
    return secrets


async def test_each_line_says_its_room_and_machine_and_none_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUNDRYD_EDGE_BROKER__USERNAME", "edge")
    monkeypatch.setenv("LAUNDRYD_EDGE_BROKER__PASSWORD", PASSWORD)
    monkeypatch.setenv("LAUNDRYD_EDGE_LOG_LEVEL", "debug")
    BrokerFiles(tmp_path).set_password("edge", PASSWORD)
    broker = Mosquitto(tmp_path / "closed", extra=f"password_file {tmp_path}/passwords\n")
    broker.start()
    signed_in = broker.settings.model_validate(
        {**broker.settings.model_dump(), "username": "edge", "password": PASSWORD}
    )
    edge = EdgeProcess(tmp_path / "edge", broker.settings)
    try:
        await asyncio.to_thread(edge.start)
        secrets = await visited(edge)
        async with RoomWatch.on(signed_in) as watch, plug(watch) as power_w:
            await watch.until(lambda: len(watch.states) == 3)
            power_w[0] = 200.0
            await watch.until(lambda: watch.power_w("w1") == 200.0)
            await watch.say("tele/washer-1/SENSOR", b'{"ENERGY": ' + PASSWORD.encode())
            await watch.order("repaired")  # refused
            await asyncio.to_thread(
                edge.metric_becomes, 1, "staff_commands_skipped_total", reason="refused"
            )
            assert edge.metric("commands_total", code="ok") == 1
            assert edge.metric("commit_seconds_count") > 0
        broker.kill()
        await asyncio.to_thread(edge.metric_becomes, 0, "room_broker_connected")
        async with asyncio.timeout(20):
            while '"level": "debug"' not in edge.log:  # noqa: ASYNC110 -- another process's file
                await asyncio.sleep(0.05)
        signing_key = (edge.data_dir / "edge-signing-key.pem").read_text().splitlines()[1]
        assert edge.stop() == 0, edge.log
        first = edge.log

        # Once more as a room of a relay, whose broker has a password too.
        enrolment = enrolment_file(
            edge.folder,
            BrokerSettings(
                port=broker.port,
                username="room",
                password=CLOUD_PASSWORD,
            ),
            SigningKey.load_or_create(tmp_path / "key.pem"),
        )
        edge.enrolment = enrolment
        broker.start()
        await asyncio.to_thread(edge.start)
        await asyncio.to_thread(edge.metric_becomes, 1, "room_broker_connected")
    finally:
        code = edge.stop()
        broker.stop()
    assert code == 0, edge.log
    log = first + edge.log
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["level"] for line in lines} >= {"debug", "info", "warning"}
    for line in lines:
        assert line.get("room") == ROOM.key, line
    of_plug = [line for line in lines if "washer-1/SENSOR" in line["message"]]
    refused = [line for line in lines if line["message"].startswith("staff command refused")]
    assert of_plug
    assert {line.get("machine") for line in of_plug if line["level"] == "warning"} == {"w1"}
    assert {line.get("machine") for line in refused} == {"w2"}
    for secret in (*secrets, PASSWORD, CLOUD_PASSWORD, signing_key):
        assert secret not in log, "a secret in the log"
