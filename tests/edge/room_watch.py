"""A plug and a dashboard on the room's broker, as real clients of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Self

from edge.sources.simulated import tasmota_sensor_payload
from laundryd.daemon.mqtt import BrokerSettings, Message, MqttLink
from laundryd.wire.commands import CommandAnswer
from laundryd.wire.dashboards import MachineEvent, MachineState
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.topics import Topic, topic_name
from tests.edge.running import ROOM

EVERY_S = 0.05
"""Between two reports of the plug, real seconds."""


class RoomWatch:
    """Reads what the edge publishes, retained things too, and publishes what a test wants."""

    def __init__(self, broker: BrokerSettings) -> None:
        self.link = MqttLink(
            broker, "watch", name="watch", subscriptions=["laundry/v1/#", "cmnd/#"]
        )
        self.states: dict[str, MachineState] = {}
        self.events: list[MachineEvent] = []
        self.answers: list[CommandAnswer] = []
        self.availability: list[str] = []
        self.asked: list[str] = []
        self.retained: set[str] = set()
        self._changed = asyncio.Event()
        self._connected = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def on(cls, broker: BrokerSettings) -> AsyncIterator[Self]:
        watch = cls(broker)
        task = asyncio.create_task(watch.link.run(watch._take, watch._greet))
        try:
            async with asyncio.timeout(10):
                await watch._connected.wait()
            yield watch
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, found: Callable[[], bool], timeout_s: float = 25) -> None:
        """Wait until what came over MQTT makes ``found`` true."""
        async with asyncio.timeout(timeout_s):
            while not found():
                self._changed.clear()
                await self._changed.wait()

    def phase(self, machine: str) -> Phase | None:
        """What the newest state says; None before there is one."""
        state = self.states.get(machine)
        return None if state is None else state.phase

    def sensor(self, machine: str) -> Sensor | None:
        state = self.states.get(machine)
        return None if state is None else state.sensor

    def power_w(self, machine: str) -> float | None:
        state = self.states.get(machine)
        return None if state is None else state.power_w

    def causes(self, machine: str) -> list[Cause]:
        return [one.event_type for one in self.events if one.machine == machine]

    async def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert await self.link.publish(topic, payload, retain=retain)

    async def order(
        self,
        name: str,
        machine: str = "w2",
        *,
        retain: bool = False,
        command_id: str | None = None,
    ) -> None:
        """Say a staff command."""
        topic = topic_name(ROOM, Topic.STAFF_COMMAND, "kim")
        command = {"id": command_id, "machine": machine, "name": name}
        await self.say(topic, json.dumps(command).encode(), retain=retain)

    async def _greet(self) -> None:
        self._connected.set()

    def _take(self, message: Message) -> None:
        if message.retained:
            self.retained.add(message.topic)
        if message.topic.endswith("/state") and not message.payload:
            self.states.pop(message.topic.split("/")[-2], None)
        elif message.topic.endswith("/state"):
            state = MachineState.model_validate_json(message.payload)
            self.states[state.machine] = state
        elif message.topic.endswith("/event"):
            self.events.append(MachineEvent.model_validate_json(message.payload))
        elif message.topic.endswith("/answer"):
            self.answers.append(CommandAnswer.model_validate_json(message.payload))
        elif message.topic.endswith("/availability"):
            self.availability.append(message.payload.decode())
        elif message.topic.startswith("cmnd/"):
            self.asked.append(message.topic)
        self._changed.set()


@asynccontextmanager
async def plug(watch: RoomWatch, topic: str = "washer-1") -> AsyncIterator[list[float]]:
    """Publish the one number in the list, watts, as a Tasmota plug would, until left."""
    power_w = [1.0]

    async def publish() -> None:
        while True:
            payload = tasmota_sensor_payload(power_w[0], 1_000.0, datetime.now(UTC))
            await watch.link.publish(f"tele/{topic}/SENSOR", payload)
            await asyncio.sleep(EVERY_S)

    task = asyncio.create_task(publish())
    try:
        yield power_w
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
