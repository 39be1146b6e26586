"""A whole laundry room on this computer: brokers, relay, edge, plugs, push service, all real but the plugs.

async with Town() as town:
    town.plug("w1").run_programme(12)
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self

import aiohttp

from laundryd.daemon.clock import Clock
from laundryd.demo.broker import Broker, demo_broker, free_port
from laundryd.demo.certificate import LocalCertificate
from laundryd.demo.errors import ProgramEndedError
from laundryd.demo.fcm_service import FcmService
from laundryd.demo.plugs import Plug
from laundryd.demo.processes import Program
from laundryd.demo.push_service import PushService
from laundryd.demo.town_files import MACHINES, ROOM, LocalFcm, TownPlan, announce, set_up
from laundryd.wire.ids import RoomRef, Slug

HTTP_WITHIN_S: Final = 20.0
LOOK_EVERY_S: Final = 0.5
"""How often the programs are looked at while nothing is asked of them."""


class Town:
    """One room with six machines, its edge, its relay. Use it with ``async with``.

    ``speed`` is how many room seconds pass in a real second. ``plugs_speak`` False: the plugs are online
    and say only what they are told to, for recorded power. ``push_tls`` False: the push service speaks
    plain http, for real browsers, which do not trust its certificate. ``folder`` None: a temporary one,
    removed at the end. ``fcm``: who pushes to Android devices, running already; None: all goes by Web Push.

    Attributes:
        clock: room time, the same for everybody in town.
        push: the local push service, the only one that the relay may push to.
        http: for whoever asks the programs something.

    """

    def __init__(
        self,
        *,
        speed: float = 60.0,
        plugs_speak: bool = True,
        push_tls: bool = True,
        folder: Path | None = None,
        fcm: FcmService | None = None,
    ) -> None:
        self.join_code = self.join_url = ""
        self._speed, self._folder, self._fcm = speed, folder, fcm
        self.plugs_speak, self._push_tls = plugs_speak, push_tls
        self._stack = AsyncExitStack()
        self._plugs: dict[Slug, Plug] = {}

    # Made by ``__aenter__``, in this order.
    http: aiohttp.ClientSession
    push: PushService
    clock: Clock
    plan: TownPlan
    room_broker: Broker
    broker: Broker
    """The cloud's."""
    relay: Program
    edge: Program

    @property
    def room(self) -> RoomRef:
        """The room's two slugs."""
        return ROOM

    @property
    def relay_url(self) -> str:
        """The relay's address."""
        return self.plan.relay_url

    @property
    def edge_url(self) -> str:
        """The address of the room's own page."""
        return self.plan.edge_url

    def plug(self, machine: Slug) -> Plug:
        """Return a machine's plug.

        Raises:
            KeyError: no such machine.

        """
        return self._plugs[machine]

    def real_s(self, moment: datetime) -> float:
        """Return when a moment of room time is in real time, Unix seconds."""
        epoch_s = self.plan.clock_epoch_s
        return epoch_s + (moment.timestamp() - epoch_s) / self.plan.clock_speed

    async def __aenter__(self) -> Self:
        """Start everything and wait until it can be used.

        Raises:
            BrokerMissingError: there is no broker, or it did not start.
            DemoError: a program ended, or did not get ready.

        """
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End everything, in the order opposite to the start; the temporary folder is removed."""
        await self._stack.aclose()

    async def _start(self) -> None:
        stack = self._stack
        folder = self._folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="laundryd-demo-"))
        )
        limit = aiohttp.ClientTimeout(total=HTTP_WITHIN_S)
        self.http = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=limit, cookie_jar=aiohttp.DummyCookieJar())
        )
        shown = LocalCertificate.make(folder / "push") if self._push_tls else None
        self.push = await stack.enter_async_context(
            PushService(tls=shown.for_server() if shown else None)
        )
        self.plan = plan = TownPlan(
            folder=folder,
            room_broker_port=free_port(),
            cloud_broker_port=free_port(),
            relay_port=free_port(),
            edge_port=free_port(),
            push_origin=self.push.origin,
            push_ca=shown.certificate if shown else None,
            clock_speed=self._speed,
            clock_epoch_s=round(time.time(), 3),
            fcm=LocalFcm(self._fcm.origin, self._fcm.settings(folder)) if self._fcm else None,
        )
        self.clock = Clock(plan.clock_speed, plan.clock_epoch_s)
        added = await set_up(plan)
        self.join_code, self.join_url = added.join_code, added.join_url
        self._brokers(plan)
        self.relay = Program(
            "the relay",
            ["relay", "run", "--config", str(plan.relay_config)],
            log_path=folder / "relay.log",
            ready_url=f"{plan.relay_url}/readyz",
        )
        self.edge = Program(
            "the edge",
            ["edge", "run", "--config", str(plan.edge_config)],
            log_path=folder / "edge.log",
            ready_url=f"{plan.edge_url}/readyz",
        )
        stack.push_async_callback(self.relay.stop)
        await self.relay.start()
        await self._plug_in(plan)
        await self.relay.ready(self.http)
        # After the relay: a hello that nobody hears is repeated only some seconds later.
        stack.push_async_callback(self.edge.stop)
        await self.edge.start()
        await self.edge.ready(self.http)

    def _brokers(self, plan: TownPlan) -> None:
        self.room_broker = demo_broker(plan.folder / "room-broker", port=plan.room_broker_port)
        self.broker = demo_broker(
            plan.folder / "cloud-broker",
            port=plan.cloud_broker_port,
            extra=plan.cloud_broker_lines,
        )
        for broker in (self.room_broker, self.broker):
            self._stack.callback(broker.stop)
            broker.start()

    async def _plug_in(self, plan: TownPlan) -> None:
        self._plugs = {
            machine.id: Plug(
                machine.id,
                machine.kind,
                self.room_broker.settings,
                self.clock,
                speaks_itself=self.plugs_speak,
            )
            for machine in plan.machines
        }
        tasks = [asyncio.create_task(plug.run()) for plug in self._plugs.values()]
        self._stack.push_async_callback(_end_all, tasks)
        for plug in self._plugs.values():
            await plug.online()

    # -- what befalls the town

    async def kill_relay(self) -> None:
        """End the relay as a power cut would (SIGKILL)."""
        await self.relay.kill()

    async def start_relay(self) -> None:
        """Start the relay again with what it had kept, and wait until it is ready."""
        await self.relay.start()
        await self.relay.ready(self.http)

    async def kill_edge(self) -> None:
        """End the edge as a power cut would (SIGKILL)."""
        await self.edge.kill()

    async def start_edge(self) -> None:
        """Start the edge again with what it had kept, and wait until its page is ready."""
        await self.edge.start()
        await self.edge.ready(self.http)

    async def announce(self) -> None:
        """Have the staff announce to everybody that the water is off; the relay sees it within 5 s."""
        await announce(self.plan)

    def check(self) -> None:
        """Look whether everything runs that was not stopped by us.

        Raises:
            ProgramEndedError: with the program's name and its last lines.

        """
        self.relay.check()
        self.edge.check()
        for name, broker in (("the room's", self.room_broker), ("the cloud's", self.broker)):
            if broker.has_died:
                raise ProgramEndedError(f"{name} broker has ended")

    async def watch(self) -> NoReturn:
        """Look at everything from time to time.

        Raises:
            ProgramEndedError: something has ended by itself.

        """
        while True:
            self.check()
            await asyncio.sleep(LOOK_EVERY_S)


async def _end_all(tasks: list[asyncio.Task[NoReturn]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


__all__ = ["MACHINES", "Town"]
