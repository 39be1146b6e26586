"""The relay beside Socket.IO: the same 2,000 clients, payloads, computer and load, one after the other.

The relay is the real program with everything on: tokens checked at each handshake, every event kept in
SQLite before it is sent, sessions that resume from that journal. Socket.IO has its connection state
recovery on, which keeps packets in memory, and checks nobody. Both are told of events the same way, over
a control connection. Load and servers are processes of their own; a server's cost is its CPU time as the
kernel counts it. Rounds alternate between the two, and each figure is the median of its rounds.

What is left out on both sides is how events reach the server: the relay's uplink, with its envelopes and
acknowledgements over MQTT, is a benchmark of its own.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

import uvloop

from tests.bench.live import servers
from tests.bench.live.crowd import Crowd
from tests.bench.live.dialects import Laundryd, SocketIo
from tests.bench.live.figures import BARS, Figures, missed, results, table
from tests.bench.live.house import CLIENTS, ROOM_CLIENTS, ROOMS

ROUNDS = 5
"""Measured rounds of each server, in turn, so that a disturbance meets both."""
WARM_ROUNDS = 1
"""Rounds before, not counted: Node compiles what runs often."""
SWEEPS = 10
"""In a round each room has this many lone events, and ``WAIT_SWEEPS`` more that are timed."""
WAIT_SWEEPS = 3
SWEEP_S = 0.15
"""Seconds from one lone event of a room to its next: more than a batch gathers."""
BURST = 50
"""Events at once in each room."""
MISSED = 20
"""Events that happen in each room while everybody is away."""
SETTLING = 100
"""Clients that come first: what the first ones need once is no memory of a connection."""


async def memory_kb(crowd: Crowd) -> float:
    """Bring everybody in and return what a connection costs, KiB, once it was told something."""
    await crowd.connect(0, SETTLING)
    await crowd.tell(slice(0, SETTLING // ROOM_CLIENTS), 1)
    before_kb = await _resident_kb(crowd)
    await crowd.connect(SETTLING, CLIENTS - SETTLING)
    await crowd.tell(slice(None), 1)
    return (await _resident_kb(crowd) - before_kb) / (CLIENTS - SETTLING)


async def _resident_kb(crowd: Crowd) -> int:
    await crowd.still()
    await crowd.collect_garbage()
    return crowd.server.rss_kb()


async def lone(crowd: Crowd, figures: Figures) -> None:
    """Have single events happen in all rooms at once, each the only one of its room."""
    await crowd.still()
    before_s = crowd.server.cpu_s()
    for _ in range(SWEEPS):
        ends_s = time.monotonic() + SWEEP_S
        await crowd.tell(slice(None), 1)
        await asyncio.sleep(ends_s - time.monotonic())
    figures.add("lone", SWEEPS * CLIENTS / (crowd.server.cpu_s() - before_s))


async def waits(crowd: Crowd, figures: Figures) -> None:
    """Have events happen one by one, each awaited at all clients of its room: how long they take.

    Each is a transaction by itself here, so what they cost is told too, beside the bar.
    """
    crowd.waits_s.clear()
    before_s = crowd.server.cpu_s()
    for _ in range(WAIT_SWEEPS):
        ends_s = time.monotonic() + SWEEP_S
        for room in range(len(ROOMS)):
            await crowd.tell(slice(room, room + 1), 1)
        await asyncio.sleep(ends_s - time.monotonic())
    figures.add("single", WAIT_SWEEPS * CLIENTS / (crowd.server.cpu_s() - before_s))
    figures.add_waits("lone", crowd.waits_s)


async def burst(crowd: Crowd, figures: Figures) -> None:
    """Have ``BURST`` events happen at once in every room."""
    await crowd.still()
    crowd.waits_s.clear()
    before_s = crowd.server.cpu_s()
    await crowd.tell(slice(None), BURST)
    await crowd.still()
    figures.add("burst", BURST * CLIENTS / (crowd.server.cpu_s() - before_s))
    figures.add_waits("burst", crowd.waits_s)


async def storm(crowd: Crowd, figures: Figures) -> None:
    """Lose everybody, let events happen, and have everybody come back at once."""
    await crowd.drop()
    await crowd.miss(MISSED)
    before_s, began_s = crowd.server.cpu_s(), time.monotonic()
    await crowd.connect(0, CLIENTS, missed=MISSED)
    figures.add("storm_wall", time.monotonic() - began_s)
    await crowd.still()
    figures.add("storm", crowd.server.cpu_s() - before_s)
    crowd.came_back()


async def measure(crowds: Sequence[Crowd], figures: Sequence[Figures]) -> None:
    """Measure all servers, round by round."""
    sides = list(zip(crowds, figures, strict=True))
    for crowd, found in sides:
        found.add("memory", await memory_kb(crowd))
    for number in range(WARM_ROUNDS + ROUNDS):
        for crowd, found in sides:
            counted = found if number >= WARM_ROUNDS else Figures()
            await lone(crowd, counted)
            await waits(crowd, counted)
            await burst(crowd, counted)
            await storm(crowd, counted)
    for crowd in crowds:
        crowd.close()


def main() -> int:
    ours, theirs = Figures(), Figures()
    with servers.relay() as relay, servers.socketio() as socketio:
        crowds = (Crowd(relay, Laundryd(relay.tokens)), Crowd(socketio, SocketIo()))
        uvloop.run(measure(crowds, (ours, theirs)))
    print(table(ours, theirs))
    for line in results(ours, theirs):
        print(line)
    failed = [missed(bar, ours, theirs) for bar in BARS]
    for sentence in failed:
        if sentence is not None:
            print(sentence)
    return 1 if any(failed) else 0


if __name__ == "__main__":
    sys.exit(main())
