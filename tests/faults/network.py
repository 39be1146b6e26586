"""The run's network: the room's computer in a namespace of its own, and two ways to it.

The house's network (``LAN``) joins the room's computer with residents and the room's broker, and is
never touched. The way to the cloud (``WAN``) is a wire that can be cut, in one direction too, and slowed.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.faults.wire import WireState

LAN_HERE: Final = "10.77.1.1"
LAN_EDGE: Final = "10.77.1.2"
WAN_HERE: Final = "10.77.2.1"
WAN_EDGE: Final = "10.77.2.2"
READY_S: Final = 10.0


class Network:
    """Use it with ``async with``, inside new namespaces. ``seed``: the wire's dice."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._holder: subprocess.Popen[bytes] | None = None
        self._wire: Process | None = None

    @property
    def at_edge(self) -> tuple[str, ...]:
        """What stands before a command that is to run on the room's computer."""
        if self._holder is None:
            raise RuntimeError("there is no network yet")
        return ("nsenter", "-t", str(self._holder.pid), "-n")

    async def __aenter__(self) -> Self:
        self._holder = await asyncio.to_thread(_new_namespace)
        pid = self._holder.pid
        await asyncio.to_thread(self._lay_lan, pid)
        self._wire = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.wire",
            str(pid), WAN_HERE, WAN_EDGE, str(self._seed),
            stdin=PIPE, stdout=PIPE,
        )  # fmt: skip
        await self._heard()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._wire is not None and self._wire.stdin is not None:
            self._wire.stdin.close()
            await self._wire.wait()
        if self._holder is not None:
            self._holder.kill()
            self._holder.wait()

    async def set(self, state: WireState) -> None:
        """Let the wire do what ``state`` says, from now on."""
        if self._wire is None or self._wire.stdin is None:
            raise RuntimeError("there is no wire yet")
        self._wire.stdin.write(state.model_dump_json().encode() + b"\n")
        await self._wire.stdin.drain()
        await self._heard()

    def _lay_lan(self, pid: int) -> None:
        _ip("link", "set", "lo", "up")
        _ip("link", "add", "lan-a", "type", "veth", "peer", "name", "lan-b", "netns", str(pid))
        _ip("addr", "add", f"{LAN_HERE}/24", "dev", "lan-a")
        _ip("link", "set", "lan-a", "up")
        for words in (
            ("addr", "add", f"{LAN_EDGE}/24", "dev", "lan-b"),
            ("link", "set", "lan-b", "up"),
            ("link", "set", "lo", "up"),
        ):
            subprocess.run([*self.at_edge, "ip", *words], check=True)

    async def _heard(self) -> None:
        if self._wire is None or self._wire.stdout is None:
            raise RuntimeError("there is no wire yet")
        async with asyncio.timeout(READY_S):
            if not await self._wire.stdout.readline():
                raise RuntimeError("the wire between edge and cloud has ended; see its output")


def _new_namespace() -> subprocess.Popen[bytes]:
    holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    own, its = Path("/proc/self/ns/net"), Path(f"/proc/{holder.pid}/ns/net")
    ends_at_s = time.monotonic() + READY_S
    while own.readlink() == its.readlink():
        if time.monotonic() > ends_at_s:
            raise RuntimeError("no network namespace for the room's computer")
        time.sleep(0.01)
    return holder


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
