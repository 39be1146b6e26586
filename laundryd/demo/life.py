"""A little invented life, so that the page is alive: residents, a walk-in without the app, staff."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import timedelta
from typing import Final, NoReturn

import aiohttp

from edge.sources.simulated import MIN_PROGRAMME_MINUTES
from laundryd.daemon.mqtt import Message, MqttLink
from laundryd.demo.account import Account
from laundryd.demo.errors import RefusedError
from laundryd.demo.people import Place, Resident
from laundryd.demo.town import Town
from laundryd.live.errors import LiveTimeoutError
from laundryd.wire.commands import CommandName, StaffCommand, StaffCommandName
from laundryd.wire.ids import Slug
from laundryd.wire.machines import MachineView
from laundryd.wire.phases import Phase
from laundryd.wire.topics import Topic, topic_name

CAST: Final = (("Mina", Place.ROOM), ("Juno", Place.REMOTE), ("Sora", Place.AWAY))
FORGETS: Final = 0.12
"""How often a resident claims a machine and does not come."""
CHANGES_MIND: Final = 0.08
"""How often one arrives and gives the machine back."""
_IN_VAIN: Final = (RefusedError, LiveTimeoutError, aiohttp.ClientError, TimeoutError)
"""Somebody was faster, or the visitor of the demo pulled a plug: they try again later."""


class Life:
    """What happens in town. ``run`` it as a task. The same ``seed`` invents the same life."""

    def __init__(
        self, town: Town, residents: list[Resident], account: Account, *, seed: int = 7
    ) -> None:
        self._town = town
        self._residents = residents
        self._account = account
        self._random = random.Random(seed)  # noqa: S311 -- no secret depends on it
        self._staff = MqttLink(
            town.room_broker.settings, "demo-staff", name="staff's tablet at the room's broker"
        )

    async def run(self) -> NoReturn:
        """Live until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for resident in self._residents:
                tasks.create_task(self._wash_days(resident))
            tasks.create_task(self._walk_ins())
            tasks.create_task(self._repairs())
            tasks.create_task(self._announcements())
            await self._staff.run(_ignore, _nothing)

    async def _wash_days(self, resident: Resident) -> NoReturn:
        await self._minutes(1, 6)
        while True:
            with contextlib.suppress(*_IN_VAIN):
                await self._wash_day(resident)
            await self._minutes(4, 15)

    async def _wash_day(self, resident: Resident) -> None:
        machine = await self._free_machine(resident)
        if machine is None:
            return
        before = self._account.owners.get(machine)
        self._account.owners[machine] = resident.name
        try:
            await resident.ask(machine, CommandName.CLAIM)
        except RefusedError:
            self._account.owners |= {machine: before} if before else {}
            raise
        if self._chance(FORGETS):
            await self._minutes(12, 20)
            return
        await self._minutes(2, 6)
        await resident.ask(machine, CommandName.ARRIVE)
        await self._minutes(1, 3)
        if self._chance(CHANGES_MIND):
            await resident.ask(machine, CommandName.RELEASE)
            return
        minutes = self._random.randint(20, 50)
        ends_at = self._town.plug(machine).run_programme(minutes)
        await resident.ask(machine, CommandName.START, minutes=minutes)
        await self._town.clock.sleep_until(ends_at)
        await self._minutes(7, 15)
        await resident.ask(machine, CommandName.COLLECT)

    async def _walk_ins(self) -> NoReturn:
        """Somebody without the app takes a free machine; in the end the staff empties it."""
        while True:
            await self._minutes(15, 35)
            with contextlib.suppress(*_IN_VAIN):
                machine = await self._free_machine(self._residents[0])
                if machine is None:
                    continue
                self._account.owners.pop(machine, None)
                minutes = max(MIN_PROGRAMME_MINUTES, self._random.randint(20, 40))
                ends_at = self._town.plug(machine).run_programme(minutes)
                await self._town.clock.sleep_until(ends_at)
                await self._minutes(8, 12)
                await self._say_as_staff(machine, StaffCommandName.COLLECTED)

    async def _repairs(self) -> NoReturn:
        while True:
            await self._minutes(10, 60)
            with contextlib.suppress(*_IN_VAIN):
                machine = await self._free_machine(self._residents[0])
                if machine is None:
                    continue
                await self._say_as_staff(machine, StaffCommandName.OUT_OF_ORDER)
                await self._minutes(15, 25)
                await self._say_as_staff(machine, StaffCommandName.REPAIRED)

    async def _announcements(self) -> NoReturn:
        while True:
            await self._minutes(20, 24 * 60)
            await self._town.announce()

    async def _free_machine(self, resident: Resident) -> Slug | None:
        """Choose one that is free and whose machine stands still; None when there is none."""
        room = await resident.room()
        free = [machine for machine in room.machines if self._is_idle(machine)]
        return self._random.choice(free).machine if free else None

    def _is_idle(self, machine: MachineView) -> bool:
        plug = self._town.plug(machine.machine)
        return machine.phase is Phase.FREE and not plug.is_working(self._town.clock.now())

    async def _say_as_staff(self, machine: Slug, name: StaffCommandName) -> None:
        topic = topic_name(self._town.room, Topic.STAFF_COMMAND, "demo")
        await self._staff.publish(
            topic, StaffCommand(machine=machine, name=name).model_dump_json().encode()
        )

    async def _minutes(self, least: float, most: float) -> None:
        """Let some minutes of room time pass."""
        clock = self._town.clock
        pause = timedelta(minutes=self._random.uniform(least, most))
        await clock.sleep_until(clock.now() + pause)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share


def _ignore(_message: Message) -> None:
    """Nothing is subscribed to."""


async def _nothing() -> None:
    """Nothing is to be done at a connect."""
