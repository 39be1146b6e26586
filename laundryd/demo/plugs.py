"""Simulated smart plugs: each is a real MQTT client that publishes real Tasmota payloads."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final, NoReturn

from edge.sources.simulated import Programme, tasmota_sensor_payload
from edge.sources.tasmota import OFFLINE, ONLINE, lwt_topic, sensor_topic, status_topic
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import BrokerSettings, Message, MqttLink, Will
from laundryd.wire.ids import Slug
from laundryd.wire.machines import MachineKind

REPORT_EVERY: Final = timedelta(seconds=10)
"""Room time between two reports: a plug whose TelePeriod was set to its least."""
REPORT_REAL_S: Final = 0.05
"""Real time between two reports at least, however fast the room's clock runs."""
SECONDS_PER_HOUR: Final = 3600.0
STANDS_BY: Final = timedelta(days=-1)
"""How long before its programme a machine is that has none."""


class Plug:
    """The plug of one machine. ``run`` it as a task: it connects, says that it is online, and reports.

    ``speaks_itself`` False: it connects and says only what ``say`` and ``say_power`` are given.
    """

    def __init__(
        self,
        machine: Slug,
        kind: MachineKind,
        broker: BrokerSettings,
        clock: Clock,
        *,
        speaks_itself: bool = True,
    ) -> None:
        self.machine = machine
        self.kind = kind
        self.topic = topic_of(machine)
        self._clock = clock
        self._speaks_itself = speaks_itself
        self._programme = Programme(kind, 60, seed=_seed(machine))
        self._began_at: datetime | None = None
        self._counting_since = self._counted_at = clock.now()
        self._total_wh = 0.0
        self._asked = asyncio.Event()
        self._online = asyncio.Event()
        self._link = MqttLink(
            broker,
            f"demo-{self.topic}",
            name=f"plug of {machine}",
            subscriptions=[f"cmnd/{self.topic}/Status"],
            will=Will(lwt_topic(self.topic), OFFLINE),
        )

    def run_programme(self, minutes: float) -> datetime:
        """Switch the machine on now; return when it will stop working (room time).

        Raises:
            ValueError: shorter than a programme that can be simulated.

        """
        self._programme = Programme(self.kind, minutes, seed=_seed(self.machine))
        self._began_at = self._clock.now()
        return self._began_at + timedelta(minutes=minutes)

    def power_w(self, at: datetime) -> float:
        """Return what the machine draws at a moment of room time, in watts."""
        elapsed = STANDS_BY if self._began_at is None else at - self._began_at
        return self._programme.power_w(elapsed.total_seconds())

    def is_working(self, at: datetime) -> bool:
        """Say whether its programme runs at a moment of room time."""
        if self._began_at is None:
            return False
        return at < self._began_at + timedelta(minutes=self._programme.minutes)

    async def say(self, payload: bytes) -> bool:
        """Publish one report as it stands; False when the broker did not take it."""
        return await self._link.publish(sensor_topic(self.topic), payload)

    async def say_power(self, power_w: float) -> bool:
        """Publish one report of this power, in watts; False when the broker did not take it."""
        return await self.say(self._report(power_w, self._clock.now()))

    async def online(self) -> None:
        """Wait until it has said that it is online."""
        await self._online.wait()

    async def run(self) -> NoReturn:
        """Be a plug until cancelled; it says ``Offline`` before it goes."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._answer())
            if self._speaks_itself:
                tasks.create_task(self._report_for_ever())
            await self._link.run(self._heard, self._say_online, self._online.clear)

    def _heard(self, _message: Message) -> None:
        self._asked.set()

    async def _say_online(self) -> None:
        await self._link.publish(lwt_topic(self.topic), ONLINE, retain=True)
        self._online.set()

    async def _answer(self) -> NoReturn:
        while True:
            await self._asked.wait()
            self._asked.clear()
            if not self._speaks_itself:
                continue
            now = self._clock.now()
            report = self._report(self.power_w(now), now)
            body = b'{"StatusSNS":' + report + b"}"
            await self._link.publish(status_topic(self.topic), body)

    async def _report_for_ever(self) -> NoReturn:
        every_s = max(REPORT_EVERY.total_seconds() / self._clock.speed, REPORT_REAL_S)
        while True:
            if self._link.connected:
                await self.say_power(self.power_w(self._clock.now()))
            await asyncio.sleep(every_s)

    def _report(self, power_w: float, now: datetime) -> bytes:
        passed_s = (now - self._counted_at).total_seconds()
        self._total_wh += power_w * passed_s / SECONDS_PER_HOUR
        self._counted_at = now
        return tasmota_sensor_payload(
            power_w, self._total_wh, now, started_counting=self._counting_since
        )


def topic_of(machine: Slug) -> str:
    """Return the plug's own topic, as set in its firmware."""
    return f"plug-{machine}"


def _seed(machine: Slug) -> int:
    return sum(machine.encode())
