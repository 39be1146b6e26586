"""A room and its relay whose every part can be killed, stopped, cut off, and robbed of its disk.

The room's computer is in a network of its own (``tests.faults.network``); relay, brokers and residents
are here. Both databases are on small disks. Room time runs faster, so that washes end within seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp

from cloud_relay.enrol.init import RelayPlan, initialise
from cloud_relay.enrol.mosquitto import Listeners
from cloud_relay.enrol.rooms import add_room
from edge.local.codes import DATABASE
from laundryd.daemon.clock import Clock
from laundryd.demo.broker import Mosquitto, free_port
from laundryd.demo.processes import LAUNDRYD, Program
from laundryd.demo.push_service import PushService
from laundryd.wire.ids import RoomRef, Slug
from laundryd.wire.machines import MachineKind
from tests.edge.store.small_disk import SmallDisk, small_disk
from tests.faults.network import LAN_EDGE, LAN_HERE, WAN_EDGE, WAN_HERE, Network

ROOM: Final = RoomRef(site="maple-hall", room="basement")
SPEED: Final = 40.0
"""A programme of one minute takes one and a half seconds, a hold of ten minutes a quarter of a minute."""
MACHINES: Final[dict[Slug, MachineKind]] = {
    **dict.fromkeys(("w1", "w2", "w3", "w4"), MachineKind.WASHER),
    **dict.fromkeys(("d1", "d2"), MachineKind.DRYER),
}
DISK_SIZE: Final = "64m"
"""Several times what a hundred rounds write; filled up in a moment."""
HTTP_WITHIN_S: Final = 10.0
TWIN: Final = ("-m", "tests.faults.twins")


class Town:
    """Use it with ``async with``, inside new namespaces. ``twin``: which promise its programs break."""

    def __init__(self, folder: Path, *, seed: int, twin: str | None = None) -> None:
        self.folder = folder
        self.network = Network(seed)
        self.push = PushService()
        self.join_code = ""
        self._stack = AsyncExitStack()
        self._command = LAUNDRYD if twin is None else (sys.executable, *TWIN, twin)
        self.relay_url = self.edge_url = ""

    # Made by ``__aenter__``.
    clock: Clock
    http: aiohttp.ClientSession
    broker: Mosquitto
    relay: Program
    edge: Program
    relay_disk: SmallDisk
    edge_disk: SmallDisk

    @property
    def edge_database(self) -> Path:
        """The room's own file."""
        return self.edge_disk.folder / DATABASE

    @property
    def relay_database(self) -> Path:
        """The relay's own file."""
        return self.relay_disk.folder / "relay.db"

    async def __aenter__(self) -> Self:
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
        await self._stack.aclose()

    async def _start(self) -> None:
        stack = self._stack
        self.relay_disk = stack.enter_context(small_disk(self.folder / "relay", DISK_SIZE))
        self.edge_disk = stack.enter_context(small_disk(self.folder / "edge", DISK_SIZE))
        await stack.enter_async_context(self.network)
        await stack.enter_async_context(self.push)
        self.http = await stack.enter_async_context(
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=HTTP_WITHIN_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        )
        room_port, cloud_port, relay_port, edge_port = (free_port() for _ in range(4))
        self.relay_url = f"http://127.0.0.1:{relay_port}"
        self.edge_url = f"http://{LAN_EDGE}:{edge_port}"
        epoch_s = round(time.time(), 3)
        self.clock = Clock(SPEED, epoch_s)
        testing: dict[str, object] = {
            "enabled": True,
            "clock_speed": SPEED,
            "clock_epoch_s": epoch_s,
        }
        enrolment = await self._enrol(cloud_port, relay_port, testing)
        self._write_edge_settings(enrolment, room_port, edge_port, testing)
        self._start_brokers(room_port, cloud_port)
        self.relay = self._program("relay", self._command, f"{self.relay_url}/readyz")
        at_edge = (*self.network.at_edge, *self._command)
        self.edge = self._program("edge", at_edge, f"{self.edge_url}/readyz")
        for program in (self.relay, self.edge):
            stack.push_async_callback(program.stop)
            await program.start()
            await program.ready(self.http)

    def _program(self, name: str, command: tuple[str, ...], ready_url: str) -> Program:
        config = self.folder / f"{name}.toml"
        return Program(
            f"the {name}",
            [name, "run", "--config", str(config)],
            log_path=self.folder / f"{name}.log",
            ready_url=ready_url,
            command=command,
        )

    async def _enrol(self, cloud_port: int, relay_port: int, testing: dict[str, object]) -> Path:
        done = initialise(
            RelayPlan(
                data_dir=self.relay_disk.folder,
                config=self.folder / "relay.toml",
                public_url=self.relay_url,
                vapid_subject="mailto:faults@example.org",
                listeners=Listeners(cloud_port),
                edge_host=WAN_HERE,
                tables={
                    "http": {"port": relay_port},
                    "testing": {**testing, "push_origins": [self.push.origin]},
                },
            )
        )
        added = await add_room(done.settings, ROOM, "Maple Hall, basement")
        self.join_code = added.join_code
        return added.enrolment_file

    def _write_edge_settings(
        self, enrolment: Path, room_port: int, edge_port: int, testing: dict[str, object]
    ) -> None:
        tables: list[tuple[str, dict[str, object]]] = [
            ("[broker]", {"host": LAN_HERE, "port": room_port}),
            (
                "[http]",
                {
                    "host": LAN_EDGE,
                    "hosts": [LAN_EDGE],
                    "port": edge_port,
                    "public_url": self.edge_url,
                },
            ),
            ("[cloud]", {"enrolment": str(enrolment)}),
            ("[testing]", testing),
        ]
        for machine, kind in MACHINES.items():
            tables.append(("[[machines]]", {"id": machine, "kind": kind, "name": machine.upper()}))
        head: dict[str, object] = {
            "site": ROOM.site,
            "room": ROOM.room,
            "data_dir": str(self.edge_disk.folder),
        }
        lines = [_keys(head), *(f"\n{title}\n{_keys(keys)}" for title, keys in tables)]
        (self.folder / "edge.toml").write_text("\n".join(lines) + "\n", "utf-8")

    def _start_brokers(self, room_port: int, cloud_port: int) -> None:
        files = self.relay_disk.folder / "mosquitto"
        security = f"allow_anonymous false\npassword_file {files / 'passwords'}\nacl_file {files / 'acl'}\n"
        room = Mosquitto(
            self.folder / "room-broker",
            port=room_port,
            extra=f"listener {room_port} {LAN_HERE}\n",
        )
        self.broker = Mosquitto(
            self.folder / "cloud-broker",
            port=cloud_port,
            extra=f"{security}listener {cloud_port} {WAN_HERE}\n",
        )
        for broker in (room, self.broker):
            self._stack.callback(broker.stop)
            broker.start()

    # -- what befalls it

    async def start_broker(self, *, emptied: bool = False) -> None:
        """Start the cloud's broker again, with what it had kept or with nothing."""
        if emptied:
            for kept in (self.folder / "cloud-broker").glob("mosquitto.db*"):
                kept.unlink()
        await asyncio.to_thread(self.broker.start)

    def signal(self, who: str, number: signal.Signals) -> None:
        """Send a signal to ``broker``, ``edge`` or ``relay``."""
        pid = self.broker.pid if who == "broker" else self._programs[who].pid
        if pid is None:
            raise RuntimeError(f"{who} does not run")
        os.kill(pid, number)

    async def kill(self, who: str) -> None:
        """End ``broker``, ``edge`` or ``relay`` as a power cut would."""
        if who == "broker":
            await asyncio.to_thread(self.broker.kill)
        else:
            await self._programs[who].kill()

    async def start(self, who: str) -> None:
        """Start again what was killed, and wait until it can be used."""
        if who == "broker":
            await self.start_broker()
        else:
            await self._programs[who].start()
            await self._programs[who].ready(self.http)

    def fill_disk(self, who: str) -> None:
        """Take all that is free on the disk of ``edge`` or ``relay``."""
        database, disk = self._disks[who]
        # Its log would take some megabytes more: it is never given back to the disk by itself.
        with contextlib.closing(sqlite3.connect(database, timeout=5)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        disk.fill()

    def free_disk(self, who: str) -> None:
        """Give back what ``fill_disk`` took."""
        self._disks[who][1].free()

    def back_up(self, who: str) -> Path:
        """Copy the database of ``edge`` or ``relay`` while it is in use, as an admin does."""
        copy = self.folder / f"{who}-backup.db"
        with (
            contextlib.closing(sqlite3.connect(self._disks[who][0], timeout=5)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        return copy

    def restore(self, who: str, copy: Path) -> None:
        """Put a copy in the place of the database of ``edge`` or ``relay``, which does not run."""
        database = self._disks[who][0]
        for suffix in ("-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(copy, database)

    @property
    def _disks(self) -> dict[str, tuple[Path, SmallDisk]]:
        return {
            "edge": (self.edge_database, self.edge_disk),
            "relay": (self.relay_database, self.relay_disk),
        }

    def check(self) -> None:
        """Look whether everything runs.

        Raises:
            ProgramEndedError: one ended by itself.

        """
        for program in self._programs.values():
            program.check()
        if self.broker.has_died:
            raise RuntimeError("the cloud's broker has ended by itself")

    @property
    def _programs(self) -> dict[str, Program]:
        return {"edge": self.edge, "relay": self.relay}


def _keys(table: dict[str, object]) -> str:
    # A JSON string, number, boolean or list of these is a TOML one as it stands.
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in table.items())


__all__ = ["WAN_EDGE", "Town"]
