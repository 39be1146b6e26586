from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from edge.sources.reading import PlugOnline, Reading
from edge.sources.tasmota import TasmotaPlug, lwt_topic, sensor_topic, status_topic
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import Message, MqttLink
from laundryd.demo.broker import Mosquitto
from laundryd.demo.plugs import Plug, topic_of
from laundryd.wire.machines import MachineKind

WITHIN_S = 20.0
TOPIC = topic_of("w1")


class Ear:
    """What the room's broker passes on of one plug."""

    def __init__(self, link: MqttLink) -> None:
        self.link = link
        self.messages: asyncio.Queue[Message] = asyncio.Queue()

    async def next(self, topic: str) -> Message:
        async with asyncio.timeout(WITHIN_S):
            while (message := await self.messages.get()).topic != topic:
                pass
        return message


@asynccontextmanager
async def listening(mosquitto: Mosquitto) -> AsyncIterator[Ear]:
    connected = asyncio.Event()

    async def greet() -> None:
        connected.set()

    link = MqttLink(mosquitto.settings, "ear", name="ear", subscriptions=["tele/#", "stat/#"])
    ear = Ear(link)
    task = asyncio.create_task(link.run(ear.messages.put_nowait, greet))
    try:
        async with asyncio.timeout(WITHIN_S):
            await connected.wait()
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def plugged_in(plug: Plug) -> AsyncIterator[None]:
    task = asyncio.create_task(plug.run())
    try:
        async with asyncio.timeout(WITHIN_S):
            await plug.online()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def parsed(message: Message, clock: Clock) -> object:
    """What the edge's own source makes of a message."""
    heard = TasmotaPlug("w1", TOPIC).parse(message.topic, message.payload, clock.now())
    assert isinstance(heard, list)
    assert len(heard) == 1
    return heard[0]


@pytest.mark.parametrize("kind", list(MachineKind))
async def test_the_edge_reads_what_a_simulated_plug_reports(
    mosquitto: Mosquitto, kind: MachineKind
) -> None:
    clock = Clock(speed=60)
    plug = Plug("w1", kind, mosquitto.settings, clock)
    async with listening(mosquitto) as ear, plugged_in(plug):
        online = parsed(await ear.next(lwt_topic(TOPIC)), clock)
        assert isinstance(online, PlugOnline)
        assert online.online
        idle = parsed(await ear.next(sensor_topic(TOPIC)), clock)
        assert isinstance(idle, Reading)
        assert idle.power_w is not None
        assert idle.power_w < 5

        ends_at = plug.run_programme(12)

        assert plug.is_working(clock.now())
        assert not plug.is_working(ends_at)
        power_w = 0.0
        while power_w < 100:
            reading = parsed(await ear.next(sensor_topic(TOPIC)), clock)
            assert isinstance(reading, Reading)
            power_w = reading.power_w or 0.0


async def test_a_plug_answers_when_it_is_asked_for_its_status(mosquitto: Mosquitto) -> None:
    plug = Plug("w1", MachineKind.WASHER, mosquitto.settings, Clock())
    async with listening(mosquitto) as ear, plugged_in(plug):
        await ear.link.publish(f"cmnd/{TOPIC}/Status", b"10")
        answer = await ear.next(status_topic(TOPIC))
        assert "ENERGY" in json.loads(answer.payload)["StatusSNS"]


async def test_a_plug_that_is_pulled_says_offline(mosquitto: Mosquitto) -> None:
    plug = Plug("w1", MachineKind.WASHER, mosquitto.settings, Clock())
    async with listening(mosquitto) as ear:
        async with plugged_in(plug):
            assert (await ear.next(lwt_topic(TOPIC))).payload == b"Online"
        assert (await ear.next(lwt_topic(TOPIC))).payload == b"Offline"


async def test_a_plug_without_a_voice_of_its_own_says_only_what_it_is_told(
    mosquitto: Mosquitto,
) -> None:
    plug = Plug("w1", MachineKind.WASHER, mosquitto.settings, Clock(), speaks_itself=False)
    async with listening(mosquitto) as ear, plugged_in(plug):
        assert await plug.say_power(137)
        assert json.loads((await ear.next(sensor_topic(TOPIC))).payload)["ENERGY"]["Power"] == 137
        assert await plug.say(b"not JSON")
        assert (await ear.next(sensor_topic(TOPIC))).payload == b"not JSON"
