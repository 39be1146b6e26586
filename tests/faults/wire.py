"""The wire between two network namespaces, as a process: it delays, loses and cuts what goes through.

Two TUN devices, one in our namespace and one in that of ``PID``; what is sent into one comes out of the
other. ``python -m tests.faults.wire PID OURS THEIRS SEED`` takes one ``WireState`` as JSON a line from
its input and answers each with an empty line.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import random
import struct
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

TUNSETIFF: Final = 0x4004_54CA
IFF_TUN: Final = 0x0001
IFF_NO_PI: Final = 0x1000
"""https://docs.kernel.org/networking/tuntap.html"""
PACKET_MAX_BYTES: Final = 65_536


class WireState(BaseModel):
    """What the wire does. ``up`` is from them to us, ``down`` from us to them; ``loss`` 0 to 1."""

    up: bool = True
    down: bool = True
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0


@dataclass(slots=True)
class _End:
    """One end. ``out_at_s``: when the last packet goes out here; packets keep their order."""

    device: int
    out_at_s: float = 0.0


class Wire:
    """Carries packets between two devices."""

    def __init__(self, ours: int, theirs: int, chance: random.Random) -> None:
        self.state = WireState()
        self._ours, self._theirs = _End(ours), _End(theirs)
        self._chance = chance

    def carry(self) -> None:
        """Begin to carry."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._theirs.device, self._forward, self._theirs, self._ours, True)
        loop.add_reader(self._ours.device, self._forward, self._ours, self._theirs, False)

    def _forward(self, source: _End, target: _End, is_up: bool) -> None:  # noqa: FBT001 -- a callback's
        loop = asyncio.get_running_loop()
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(source.device, PACKET_MAX_BYTES)
                state = self.state
                if not self._passes(is_up) or self._chance.random() < state.loss:
                    continue
                jitter_ms = self._chance.uniform(-state.jitter_ms, state.jitter_ms)
                out_at_s = loop.time() + max(0.0, state.delay_ms + jitter_ms) / 1000
                target.out_at_s = max(target.out_at_s, out_at_s)
                loop.call_at(target.out_at_s, self._put, target, packet, is_up)

    def _put(self, target: _End, packet: bytes, is_up: bool) -> None:  # noqa: FBT001 -- the same
        if self._passes(is_up):  # what was under way when it was cut is lost
            with contextlib.suppress(OSError):
                os.write(target.device, packet)

    def _passes(self, is_up: bool) -> bool:  # noqa: FBT001 -- the same
        return self.state.up if is_up else self.state.down


def _device(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22s", name.encode(), IFF_TUN | IFF_NO_PI, b""))
    return device


def _ip(*words: str, namespace_of: int | None = None) -> None:
    enter = () if namespace_of is None else ("nsenter", "-t", str(namespace_of), "-n")
    subprocess.run([*enter, "ip", *words], check=True)


async def _run(pid: int, our_ip: str, their_ip: str, seed: int) -> None:
    ours, theirs = _device("wire-a"), _device("wire-b")
    _ip("link", "set", "wire-b", "netns", str(pid))
    _ip("addr", "add", our_ip, "peer", their_ip, "dev", "wire-a")
    _ip("link", "set", "wire-a", "up")
    _ip("addr", "add", their_ip, "peer", our_ip, "dev", "wire-b", namespace_of=pid)
    _ip("link", "set", "wire-b", "up", namespace_of=pid)
    wire = Wire(ours, theirs, random.Random(seed))  # noqa: S311 -- a test's dice
    wire.carry()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    sys.stdout.write("\n")
    sys.stdout.flush()
    while line := await reader.readline():
        wire.state = WireState.model_validate_json(line)
        sys.stdout.write("\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
