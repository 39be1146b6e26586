"""The wire between edge and cloud delays, cuts and heals for real, and the house's network is not touched."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults import isolated
from tools.dev.layout import ROOT

PROBE = """
import asyncio, sys, time
from tests.faults.network import LAN_HERE, WAN_HERE, Network
from tests.faults.wire import WireState

CLIENT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).recv(1)"

async def took_s(network, port, host):
    began_s = time.monotonic()
    words = (*network.at_edge, sys.executable, "-c", CLIENT, host, str(port))
    client = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.DEVNULL)
    done = await client.wait() == 0
    return time.monotonic() - began_s if done else None

async def greet(_reader, writer):
    writer.write(b"x")
    await writer.drain()
    writer.close()

async def main():
    async with Network(1) as network:
        server = await asyncio.start_server(greet, "0.0.0.0", 0)
        port = server.sockets[0].getsockname()[1]
        plain_s = await took_s(network, port, WAN_HERE)
        await network.set(WireState(delay_ms=400))
        slow_s = await took_s(network, port, WAN_HERE)
        assert slow_s - plain_s > 0.7, (plain_s, slow_s)
        for cut in (WireState(up=False), WireState(down=False), WireState(loss=1)):
            await network.set(cut)
            assert await took_s(network, port, WAN_HERE) is None, cut
        assert await took_s(network, port, LAN_HERE) is not None
        await network.set(WireState())
        assert await took_s(network, port, WAN_HERE) is not None
        server.close()

asyncio.run(main())
"""


def test_the_wire_delays_cuts_and_heals() -> None:
    if (reason := isolated.why_not()) is not None:
        pytest.skip(reason)
    ran = subprocess.run(
        isolated.inside(sys.executable, "-c", PROBE),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
