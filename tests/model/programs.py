"""The edge and the relay, each wired by its own ``app.py``, without their sockets and brokers."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, cast

import edge.app
from cloud_relay.api.services import Services
from cloud_relay.app import Relay
from cloud_relay.migrations import MIGRATIONS
from cloud_relay.push.outcomes import Outcome, Result
from cloud_relay.push.subscriptions import Subscription
from cloud_relay.settings import RelaySettings
from edge.local.api import LocalRoom
from edge.settings import EdgeSettings
from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon.enrolment import Enrolment
from laundryd.daemon.sqlite import open_database
from laundryd.live.door import Refusal
from laundryd.live.server import LiveServer
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import RoomRef
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import NoticeCard
from tests.model.broker import SimulatedLink
from tests.model.clocks import ComputerClock, Watch
from tests.model.disks import MEMORY, Disks
from tests.model.sockets import Application

ROOM: Final = RoomRef(site="maple-hall", room="basement")
PUSH_S: Final = 0.1
"""A push service's answer."""


@dataclass
class PushServices:
    """All push services of the world. ``taken``: what they took, in order, by notice and subscription."""

    is_out: bool = False
    taken: list[tuple[str, str]] = field(default_factory=list)
    taken_at_s: list[float] = field(default_factory=list)

    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        """Take a message, and answer a while later."""
        if self.is_out:
            await asyncio.sleep(PUSH_S)
            return Result(Outcome.LATER, "http_503")
        self.taken.append((card.id, subscription.id))
        self.taken_at_s.append(asyncio.get_running_loop().time())
        await asyncio.sleep(PUSH_S)
        return Result(Outcome.SENT)

    def taken_since(self, moment_s: float) -> list[tuple[str, str]]:
        """What they took from ``moment_s`` on."""
        return [
            one for one, at_s in zip(self.taken, self.taken_at_s, strict=True) if at_s >= moment_s
        ]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        return None


class Process:
    """What edge and relay have in common: tasks over one database, and a sudden end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, disks: Disks, database: Path) -> None:
        self.loop, self.disks, self.database = loop, disks, database
        self.watch = Watch(loop)
        self.open_files: tuple[Path, ...] = (database,)
        self.kills = 0
        self.crashes: list[BaseException] = []
        # Dictionaries for their order: a run must be the same each time.
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._links: list[SimulatedLink] = []
        self._live: LiveServer | None = None

    @property
    def running(self) -> bool:
        """Whether it has started and was not killed."""
        return self._live is not None

    def application(self) -> Application | None:
        """Return the live server; None while there is none."""
        return self._live

    def serve(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run a connection's server side as the web server does."""
        return self._start(work)

    def kill(self) -> None:
        """End it as SIGKILL does: nothing more is said, written or sent."""
        if not self.running:
            return
        self.kills += 1
        self._live = None
        for link in self._links:
            link.is_dead = True
        self._links.clear()
        self.disks.kill(*self.open_files)
        tasks, self._tasks = self._tasks, {}
        for task in tasks:
            task.cancel()

    def _start(self, work: Coroutine[object, object, object]) -> asyncio.Task[None]:
        async def watched() -> None:
            with contextlib.suppress(asyncio.CancelledError):
                try:
                    await work
                except Exception as error:  # noqa: BLE001 -- raised by the world
                    if task in self._tasks:
                        self.crashes.append(error)
                    return

        task = self.loop.create_task(watched())
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return task


class EdgeProcess(Process):
    """The edge. ``room_api`` and ``writer`` are the newest life's."""

    host = "127.0.0.1"

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        disks: Disks,
        folder: Path,
        enrolment: Enrolment,
        *,
        machines: list[dict[str, object]],
        live: dict[str, object],
    ) -> None:
        super().__init__(loop, disks, folder / "laundryd.db")
        self._enrolment = enrolment
        self._settings = EdgeSettings.model_validate(
            {
                "site": ROOM.site,
                "room": ROOM.room,
                "name": "Basement",
                "data_dir": folder,
                "machines": machines,
                "live": live,
                # Minutes are the shortest that can be said; all else is shortened to match.
                "timings": {
                    "hold_s": 60,
                    "arrive_s": 30,
                    "ending_soon_s": 20,
                    "remind_s": 60,
                    "watch_turn_s": 30,
                },
            }
        )
        self._are_others = False
        """The machines are others than those of the newest start."""
        self.open_files = (self.database, MEMORY)
        self.app: edge.app.Edge
        self.store: EdgeStore
        self.api: LocalRoom | None = None

    @property
    def writer(self) -> RoomWriter:
        """The room's writer."""
        return self.app._writer

    def set_machines(self, machines: list[dict[str, object]]) -> bool:
        """Change the settings of the next start; False: they name these machines already."""
        settings = self._settings.model_dump(mode="json") | {"machines": machines}
        changed = EdgeSettings.model_validate(settings)
        is_new = changed.machines != self._settings.machines
        self._settings, self._are_others = changed, self._are_others or is_new
        return is_new

    async def start(self) -> None:
        """Start it as ``Edge.run`` does."""
        store = await EdgeStore.take_up(self.database, self._settings.store.max_bytes)
        if self._are_others:
            # No event tells that a machine is gone: everybody takes the room anew.
            await store.room.new_epoch("the settings name other machines")
            self._are_others = False
        app = edge.app.Edge(self._settings)
        app._clock = ComputerClock(self.watch)
        await app._open(store, self._enrolment)
        uplink = app._uplink
        if uplink is None:
            raise AssertionError("the room is enrolled and has no uplink")
        self.app, self.store, self._live = app, store, app._live
        self._links = [cast("SimulatedLink", app._cloud)]
        for work in (
            app._writer.run(),
            store.run(),
            app._live.run(),
            app._send_mine(),
            app._announced.run(),
            uplink.run(),
        ):
            self._start(work)

    async def stop(self) -> None:
        """End its work, then close its store: nothing is written after that; as ``Edge.run`` does."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
        await self.writer.settle()
        with contextlib.suppress(sqlite3.Error):
            await self.writer.keep_clock()
        await self.store.close()

    async def room(self, token: str) -> RoomSnapshot | Refusal | None:
        """GET the room."""
        if not self.running or self.api is None:
            return None
        admission = await self.api.door.admit({"authorization": f"Bearer {token}"})
        return admission if isinstance(admission, Refusal) else self.api.desk.snapshot()

    async def refusal(self, token: str) -> Refusal | None:
        """GET ``/me``: how the token is refused, if it is."""
        if not self.running or self.api is None:
            return None
        admission = await self.api.door.admit({"authorization": f"Bearer {token}"})
        return admission if isinstance(admission, Refusal) else None

    async def look_at_clock(self) -> None:
        """Notice that the computer's clock was set, as ``Sensing`` does each second."""
        jump = self.app._clock.look()
        if jump is not None:
            await self.writer.clock_set(jump)


class RelayProcess(Process):
    """The relay. ``services`` are the newest life's."""

    host = "laundry.example.org"

    def __init__(
        self, loop: asyncio.AbstractEventLoop, disks: Disks, settings: RelaySettings
    ) -> None:
        super().__init__(loop, disks, settings.database)
        self._settings = settings
        self.app: Relay
        self.services: Services | None = None

    async def start(self) -> None:
        """Start it as ``Relay.run`` does."""
        app = Relay(self._settings)
        app._clock = ComputerClock(self.watch)
        db = await open_database(self._settings.database, MIGRATIONS)
        await app._open(db, AsyncExitStack())
        self.app, self._live = app, app._live
        self._links = [cast("SimulatedLink", app._link)]
        for work in (
            app._queue.run(app._planner),
            app._told.run(),
            app._planner.run(),
            app._announcer.run(),
            app._revoked.run(),
            app._boards.run(),
            app._clock_watch.run(),
            app._ingest.run(),
            app._rosters.run(),
            app._link.run(app._ingest.on_message, app._connected, app._disconnected),
            app._live.run(),
        ):
            self._start(work)

    async def room(self, token: str) -> RoomSnapshot | Refusal | None:
        """GET the room."""
        if not self.running or self.services is None:
            return None
        admission = await self.services.door.admit({"authorization": f"Bearer {token}"})
        if isinstance(admission, Refusal):
            return admission
        if ROOM.key not in admission.rooms:
            return Refusal(ErrorCode.FOREIGN_ROOM)
        encoded = self.services.snapshots.encoded(ROOM.key)
        if encoded is None:
            return Refusal(ErrorCode.EDGE_OFFLINE)
        return RoomSnapshot.model_validate_json(encoded)

    async def refusal(self, token: str) -> Refusal | None:
        """GET ``/me``: how the token is refused, if it is."""
        if not self.running or self.services is None:
            return None
        admission = await self.services.door.admit({"authorization": f"Bearer {token}"})
        return admission if isinstance(admission, Refusal) else None
