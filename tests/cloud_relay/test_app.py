"""The whole relay on a real port with a real broker; a room's edge is spoken for over real MQTT."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from cloud_relay.app import Relay
from cloud_relay.enrol.init import RelayPlan, initialise
from cloud_relay.enrol.mosquitto import Listeners
from cloud_relay.enrol.rooms import add_room
from cloud_relay.errors import SetupError
from cloud_relay.migrations import MIGRATIONS
from cloud_relay.residents.people import People
from cloud_relay.settings import RelaySettings
from laundryd.daemon.mqtt import BrokerSettings, Message, MqttLink
from laundryd.daemon.sqlite import open_database
from laundryd.daemon.tokens import SigningKey, verify_document
from laundryd.demo.broker import Mosquitto
from laundryd.live.client import LiveClient
from laundryd.live.errors import LiveClosedError, LiveRefusedError
from laundryd.wire import frames
from laundryd.wire.commands import CommandAnswer, CommandName, DownCommand, UpAnswer
from laundryd.wire.ids import Position, RoomRef
from laundryd.wire.machines import MachineKind, MachineView, RoomSnapshot
from laundryd.wire.phases import Phase, Sensor
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import DownRoster, Roster, UpSnapshot

ROOM = RoomRef(site="maple-hall", room="basement")
WAIT_S = 10.0


def room_snapshot() -> UpSnapshot:
    at = datetime.now(UTC)
    machine = MachineView(
        machine="w1",
        kind=MachineKind.WASHER,
        name="Washer 1",
        phase=Phase.FREE,
        since=at,
        sensor=Sensor.OK,
    )
    return UpSnapshot(
        snapshot=RoomSnapshot(
            room=ROOM.key,
            name="Basement",
            position=Position(epoch="e1", offset=4),
            at=at,
            machines=[machine],
        ),
        owners={},
        reason="new_epoch",
    )


@dataclass
class Running:
    relay: Relay
    settings: RelaySettings
    url: str
    join_code: str
    broker: BrokerSettings

    def browser(self) -> httpx.AsyncClient:
        headers = {"Origin": self.url, "Accept": "application/json; token=1"}
        return httpx.AsyncClient(base_url=self.url, headers=headers)

    def live(self, token: str) -> LiveClient:
        return LiveClient(self.url.replace("http", "ws") + "/api/v1/live", token, rooms=[ROOM.key])


class FakeEdge:
    """Speaks the wire as a room's edge does, at the real broker."""

    def __init__(self, broker: BrokerSettings) -> None:
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        down = topic_name(ROOM, Topic.DOWN_ACK).removesuffix("ack") + "#"
        self.link = MqttLink(broker, "edge", name="edge", subscriptions=[down])

    async def next(self, topic: Topic) -> Message:
        async with asyncio.timeout(WAIT_S):
            while (message := await self.inbox.get()).topic != topic_name(ROOM, topic):
                pass
            return message

    async def bring_room(self) -> None:
        await self.say(Topic.AVAILABILITY, b"online", retain=True)
        await self.say(Topic.UP_SNAPSHOT, room_snapshot().model_dump_json().encode())
        await self.next(Topic.DOWN_ACK)

    async def say(self, topic: Topic, payload: bytes, *, retain: bool = False) -> None:
        assert await self.link.publish(topic_name(ROOM, topic), payload, retain=retain)


@asynccontextmanager
async def edge_at(broker: BrokerSettings) -> AsyncIterator[FakeEdge]:
    edge = FakeEdge(broker)
    up = asyncio.Event()

    async def connected() -> None:
        up.set()

    task = asyncio.create_task(edge.link.run(edge.inbox.put_nowait, connected))
    try:
        async with asyncio.timeout(WAIT_S):
            await up.wait()
        yield edge
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def make_settings(folder: Path, broker_port: int, http_port: int) -> RelaySettings:
    return initialise(
        RelayPlan(
            data_dir=folder,
            config=folder / "relay.toml",
            public_url=f"http://127.0.0.1:{http_port}",
            vapid_subject="mailto:staff@example.org",
            listeners=Listeners(broker_port),
            edge_host="127.0.0.1",
        )
    ).settings


@pytest.fixture
async def running(
    tmp_path: Path, mosquitto: Mosquitto, free_port: Callable[[], int]
) -> AsyncIterator[Running]:
    settings = make_settings(tmp_path / "relay", mosquitto.port, free_port())
    added = await add_room(settings, ROOM, "Basement")
    relay = Relay(settings)
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(relay.run(started.set_result))
    try:
        async with asyncio.timeout(WAIT_S):
            port = await first_of(started, task)
            url = f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(base_url=url) as probe:
                await until(lambda: probe.get("/readyz"), lambda answer: answer.status_code == 200)
        yield Running(relay, settings, url, added.join_code, mosquitto.settings)
    finally:
        relay.stop()
        await task


async def first_of(started: asyncio.Future[int], program: asyncio.Task[None]) -> int:
    """Return the port, or raise what ended the program before it served."""
    program.add_done_callback(lambda _ended: started.cancel() if not started.done() else None)
    try:
        return await started
    except asyncio.CancelledError:
        await program
        raise


async def until(
    ask: Callable[[], Awaitable[httpx.Response]], good: Callable[[httpx.Response], bool]
) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            if good(await ask()):
                return
            await asyncio.sleep(0.02)


async def join(running: Running) -> str:
    async with running.browser() as browser:
        answer = await browser.post("/api/v1/join", json={"code": running.join_code})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])


async def roster_from(edge: FakeEdge, settings: RelaySettings) -> Roster:
    message = await edge.next(Topic.DOWN_ROSTER)
    down = DownRoster.model_validate_json(message.payload)
    key = SigningKey.load_or_create(settings.keys.enrolment).verify_key
    return Roster.model_validate(verify_document(down.jws, key))


async def test_a_resident_sees_the_room_and_their_command_reaches_its_edge(
    running: Running,
) -> None:
    token = await join(running)
    async with edge_at(running.broker) as edge:
        await edge.bring_room()
        async with running.browser() as browser:
            browser.headers["Authorization"] = f"Bearer {token}"
            room = (await browser.get(f"/api/v1/rooms/{ROOM.key}")).json()
            assert room["position"] == {"epoch": "e1", "offset": 4}
            assert room["edge"]["online"] is True
            path = f"/api/v1/rooms/{ROOM.key}/machines/w1/claim"
            asking = asyncio.create_task(browser.post(path, json={"id": "wish-1"}))
            asked = DownCommand.model_validate_json((await edge.next(Topic.DOWN_COMMAND)).payload)
            assert asked.command.machine == "w1"
            answer = UpAnswer(
                request_id=asked.request_id,
                answer=CommandAnswer(
                    id=asked.command.id, ok=True, position=Position(epoch="e1", offset=5)
                ),
            )
            topic = topic_name(ROOM, Topic.UP_ANSWER, asked.relay_id)
            await edge.link.publish(topic, answer.model_dump_json().encode())
            got = await asking
            assert got.status_code == 200, got.text
            assert got.json()["position"] == {"epoch": "e1", "offset": 5}


async def test_a_live_session_is_welcomed_and_its_commands_are_answered(running: Running) -> None:
    token = await join(running)
    async with edge_at(running.broker) as edge:
        await edge.bring_room()
        async with running.live(token) as live:
            welcome = await live.welcomed(WAIT_S)
            assert welcome.rooms[ROOM.key].offset == 4
            await live.next_frame(frames.Mine, WAIT_S)
            result = await live.send_command(ROOM.key, "w99", CommandName.CLAIM)
            assert result.error is not None
            assert result.error.code == "unknown_machine"


async def test_a_live_session_without_a_valid_token_is_refused(running: Running) -> None:
    with pytest.raises(LiveRefusedError):
        async with running.live("rubbish") as live:
            await live.welcomed(WAIT_S)


async def test_a_voucher_for_a_room_opens_no_live_session_at_the_relay(running: Running) -> None:
    token = await join(running)
    async with running.browser() as browser:
        browser.headers["Authorization"] = f"Bearer {token}"
        voucher = (await browser.post(f"/api/v1/rooms/{ROOM.key}/voucher")).json()["token"]
    with pytest.raises(LiveRefusedError):
        async with running.live(voucher) as live:
            await live.welcomed(WAIT_S)


async def test_the_signed_roster_waits_at_the_broker_and_names_who_left(running: Running) -> None:
    token = await join(running)
    async with edge_at(running.broker) as edge, running.browser() as browser:
        first = await roster_from(edge, running.settings)
        assert first.audience == ROOM.audience
        assert first.relay_url == running.settings.http.public_url
        assert first.revoked_devices == []
        browser.headers["Authorization"] = f"Bearer {token}"
        device = (await browser.get("/api/v1/me")).json()["device"]
        assert (await browser.delete("/api/v1/me")).status_code == 204
        second = await roster_from(edge, running.settings)
        assert second.revoked_devices == [device]
        assert second.version == first.version + 1
    async with edge_at(running.broker) as later:
        assert (await roster_from(later, running.settings)) == second


async def test_a_device_revoked_by_another_process_is_cut_off_and_named_to_its_room(
    running: Running,
) -> None:
    token = await join(running)
    async with edge_at(running.broker) as edge:
        await edge.bring_room()
        async with running.live(token) as live, running.browser() as browser:
            await live.welcomed(WAIT_S)
            browser.headers["Authorization"] = f"Bearer {token}"
            me = (await browser.get("/api/v1/me")).json()
            db = await open_database(running.settings.database, MIGRATIONS)
            try:
                await People(db).revoke(me["resident"], me["device"], datetime.now(UTC))
            finally:
                await db.close()
            with pytest.raises(LiveClosedError, match="4503"):
                await live.next_frame(frames.Pong, WAIT_S)
            async with asyncio.timeout(WAIT_S):
                while (
                    me["device"] not in (await roster_from(edge, running.settings)).revoked_devices
                ):
                    pass
            assert (await browser.get("/api/v1/me")).status_code == 401


async def test_a_resident_who_leaves_is_cut_off_at_once(running: Running) -> None:
    token = await join(running)
    async with edge_at(running.broker) as edge:
        await edge.bring_room()
        async with running.live(token) as live, running.browser() as browser:
            await live.welcomed(WAIT_S)
            browser.headers["Authorization"] = f"Bearer {token}"
            await browser.delete("/api/v1/me")
            with pytest.raises(LiveClosedError, match="4503"):
                await live.next_frame(frames.Pong, WAIT_S)


async def test_a_message_from_a_room_that_nobody_enrolled_is_counted_and_skipped(
    running: Running,
) -> None:
    stranger = RoomRef(site="nowhere", room="attic")
    async with edge_at(running.broker) as edge, running.browser() as browser:
        await edge.link.publish(topic_name(stranger, Topic.UP_HELLO), b"{}")
        await edge.link.publish(topic_name(ROOM, Topic.UP_EVENTS), b"not json")
        counted = ('outcome="unknown_room"} 1.0', 'outcome="malformed"} 1.0')
        await until(
            lambda: browser.get("/metrics"),
            lambda answer: all(one in answer.text for one in counted),
        )


def use_secrets(url: str, code: str) -> list[str]:
    """Show the program every kind of secret, at the most talkative level; return them."""
    endpoint = "https://fcm.googleapis.com/fcm/send/secret-endpoint"
    keys = {"p256dh": "A" * 86 + "E", "auth": "B" * 21 + "A"}
    headers = {"Origin": url, "Accept": "application/json; token=1"}
    with httpx.Client(base_url=url, headers=headers) as browser:
        token = str(browser.post("/api/v1/join", json={"code": code}).json()["token"])
        link = str(browser.post("/api/v1/devices/link-code").json()["code"])
        body = {"endpoint": endpoint, "keys": keys}
        assert browser.put("/api/v1/push/subscriptions", json=body).status_code == 204
        browser.post("/api/v1/join", json={"code": "WRONG-CODE", "more": token})
        browser.get("/api/v1/me", headers={"Authorization": "Bearer wrong-token-of-mine"})
    return [code, token, link, endpoint, "WRONG-CODE", "wrong-token-of-mine", *keys.values()]


def test_the_program_says_ready_ends_in_order_at_sigterm_and_logs_no_secret(
    tmp_path: Path, mosquitto: Mosquitto, free_port: Callable[[], int]
) -> None:
    settings = make_settings(tmp_path / "relay", mosquitto.port, free_port())
    added = asyncio.run(add_room(settings, ROOM, "Basement"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(WAIT_S)
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "LAUNDRYD_RELAY_LOG_LEVEL": "debug",
        }
        command = [sys.executable, "-m", "cloud_relay", "run", "--config"]
        program = subprocess.Popen(
            [*command, str(tmp_path / "relay" / "relay.toml")],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert manager.recv(4_096).startswith(b"READY=1")
            health = httpx.get(f"{settings.http.public_url}/healthz")
            assert health.json() == {"status": "ok"}
            secrets = use_secrets(settings.http.public_url, added.join_code)
            program.send_signal(signal.SIGTERM)
            said = program.communicate(timeout=WAIT_S)[1]
            assert program.returncode == 0, said
            assert "Traceback" not in said
            assert [secret for secret in secrets if secret in said] == []
            assert manager.recv(4_096) == b"STOPPING=1"
        finally:
            program.kill()
            program.wait()


def test_wrong_settings_stop_the_program_with_exit_code_2(relay_toml: Path) -> None:
    relay_toml.write_text(relay_toml.read_text() + "[broker]\nport = 99999\n")
    done = subprocess.run(
        [sys.executable, "-m", "cloud_relay", "run", "--config", str(relay_toml)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "broker.port" in done.stderr
    assert "found 99999" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_relay_that_was_never_set_up_says_what_to_run(relay_toml: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cloud_relay", "run", "--config", str(relay_toml)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "laundryd relay init" in done.stderr
    assert json.dumps(done.stderr).count("Traceback") == 0


async def test_a_push_ca_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    done = initialise(
        RelayPlan(
            data_dir=tmp_path / "relay",
            config=tmp_path / "relay.toml",
            public_url="http://127.0.0.1:8080",
            vapid_subject="mailto:staff@example.org",
            listeners=Listeners(1883),
            edge_host="127.0.0.1",
            tables={
                "http": {"port": 0},
                "testing": {"enabled": True, "push_ca": str(tmp_path / "missing.pem")},
            },
        )
    )
    with pytest.raises(SetupError, match=r"missing\.pem: cannot be used as testing\.push_ca"):
        await Relay(done.settings).run()
