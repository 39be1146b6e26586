"""The files for a room's own broker: each credential's rules, with a real Mosquitto, by what arrives."""

from __future__ import annotations

import asyncio
import getpass
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from cloud_relay.enrol.mosquitto import BrokerFiles
from laundryd.daemon.mqtt import BrokerSettings, Message, MqttLink
from laundryd.demo.broker import free_port, mosquitto_program

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
STAFF = "laundry/v1/maple/basement/staff/kim/command"
STATE = "laundry/v1/maple/basement/machine/w1/state"
ARRIVES_S = 5.0


@pytest.fixture
def room_broker(tmp_path: Path) -> Iterator[int]:
    """The port of a broker that runs on the files as they are shipped, in another place."""
    (tmp_path / "acl").write_text((DEPLOY / "room.acl").read_text())
    for user in ("edge", "plugs", "zigbee2mqtt", "dashboard"):
        BrokerFiles(tmp_path).set_password(user, user)
    port = free_port()
    text = (DEPLOY / "room.conf").read_text()
    assert text.count("/etc/mosquitto/room/") == 2
    text = text.replace("/etc/mosquitto/room/", f"{tmp_path}/")
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
    config = tmp_path / "room.conf"
    config.write_text(text + f"user {getpass.getuser()}\n")
    process = subprocess.Popen([mosquitto_program(), "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(5)


@asynccontextmanager
async def signed_on(
    port: int, user: str, *filters: str
) -> AsyncIterator[tuple[MqttLink, asyncio.Queue[Message]]]:
    settings = BrokerSettings(port=port, username=user, password=SecretStr(user))
    link = MqttLink(settings, user, name=user, subscriptions=filters)
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    up = asyncio.Event()

    async def connected() -> None:
        up.set()

    task = asyncio.create_task(link.run(inbox.put_nowait, connected))
    try:
        async with asyncio.timeout(ARRIVES_S):
            await up.wait()
        yield link, inbox
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def topics(inbox: asyncio.Queue[Message], count: int) -> list[str]:
    async with asyncio.timeout(ARRIVES_S):
        return [(await inbox.get()).topic for _ in range(count)]


async def test_a_plug_reports_and_cannot_speak_as_staff_or_as_the_edge(room_broker: int) -> None:
    async with (
        signed_on(room_broker, "edge", "#") as (_, heard),
        signed_on(room_broker, "plugs") as (plug, _),
    ):
        theirs = [
            "tele/plug-w1/SENSOR",
            "stat/x/STATUS10",
            "shellies/plug-w1/relay/0/power",
            "plugs/w1/events/rpc",
            "plugs/w1/laundryd/rpc",
            "plugs/n/sensor/power/state",
            "plugs/n/status",
        ]
        others = ["cmnd/plug-w2/Power", "shellies/w2/relay/0/command", "plugs/w2/rpc"]
        others += ["plugs/w2/command/switch:0", "zigbee2mqtt/w2/set", "homeassistant/status"]
        for topic in (STAFF, STATE, *others, *theirs):
            await plug.publish(topic, b"{}")
        assert await topics(heard, len(theirs)) == theirs


async def test_zigbee2mqtt_speaks_for_its_plugs_and_hears_births(room_broker: int) -> None:
    async with (
        signed_on(room_broker, "edge", "zigbee2mqtt/#", "tele/#") as (edge, heard),
        signed_on(room_broker, "zigbee2mqtt", "homeassistant/status") as (bridge, births),
    ):
        for topic in ("tele/plug-w1/SENSOR", STAFF, "zigbee2mqtt/w1"):
            await bridge.publish(topic, b"{}")
        assert await topics(heard, 1) == ["zigbee2mqtt/w1"]
        await edge.publish("homeassistant/status", b"online")
        assert await topics(births, 1) == ["homeassistant/status"]


@pytest.mark.parametrize(
    ("user", "questions"),
    [
        ("plugs", ["cmnd/w1/Status", "shellies/w1/command", "plugs/w1/rpc"]),
        ("zigbee2mqtt", ["zigbee2mqtt/w1/get"]),
    ],
)
async def test_the_edge_asks_plugs_of_every_make(
    room_broker: int, user: str, questions: list[str]
) -> None:
    async with (
        signed_on(room_broker, user, "#") as (_, heard),
        signed_on(room_broker, "edge") as (edge, _),
    ):
        for topic in questions:
            await edge.publish(topic, b"?")
        assert await topics(heard, len(questions)) == questions


async def test_a_dashboard_gives_the_commands_of_staff_and_no_others(room_broker: int) -> None:
    async with (
        signed_on(room_broker, "edge", "#") as (_, heard),
        signed_on(room_broker, "dashboard") as (board, _),
    ):
        for topic in ("tele/plug-w1/SENSOR", STATE, "cmnd/plug-w1/Power", STAFF):
            await board.publish(topic, b"{}")
        assert await topics(heard, 1) == [STAFF]


async def test_plugs_hear_what_they_are_asked_and_dashboards_the_room(room_broker: int) -> None:
    async with (
        signed_on(room_broker, "edge") as (edge, _),
        signed_on(room_broker, "plugs", "#") as (_, by_plug),
        signed_on(room_broker, "dashboard", "#") as (_, by_board),
    ):
        for topic in (STATE, "cmnd/plug-w1/Status", "homeassistant/sensor/w1/config"):
            await edge.publish(topic, b"10")
        assert await topics(by_plug, 1) == ["cmnd/plug-w1/Status"]
        assert await topics(by_board, 2) == [STATE, "homeassistant/sensor/w1/config"]


async def test_nobody_is_let_in_without_a_password(room_broker: int) -> None:
    link = MqttLink(BrokerSettings(port=room_broker), "stranger", name="stranger")

    async def never() -> None:
        raise AssertionError("a stranger was let in")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await link.run(lambda _: None, never)
