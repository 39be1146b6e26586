"""A day offline, drained: 50,000 entries from one edge through Mosquitto into the relay, while others live.

All are real processes. The time runs from the edge's first hello to the acknowledgement of its last entry.
Meanwhile a resident of another room of the same relay claims and releases a machine from afar: the way is
from the press to the event on their page, relay to edge and back.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from laundryd.wire.commands import CommandName
from tests.bench.uplink.cloud import BUSY, QUIET, Cloud, cloud, edge, fill

ENTRIES = 50_000
RESIDENTS = 20
WARM_UP_PRESSES = 5
DRAIN_BAR_S = 30.0
WAY_BAR_MS = 500.0
"""Median of the way of a live event while the relay drains: a press that feels immediate."""
DRAINED_WITHIN_S = 300.0
PAUSE_S = 0.2


class Presses:
    """One resident who claims and releases, again and again, and how long each event took."""

    def __init__(self, town: Cloud, token: str) -> None:
        self._client = town.page(QUIET, token)
        self._number = 0
        self.ways_ms: list[float] = []

    async def once(self) -> None:
        name = (CommandName.CLAIM, CommandName.RELEASE)[self._number % 2]
        self._number += 1
        began_s = time.monotonic()
        await self._client.send_command(QUIET.key, "w1", name)
        event = await self._client.next_event(timeout_s=60)
        self.ways_ms.append((event.received_s - began_s) * 1000)

    async def until(self, done: asyncio.Event) -> None:
        self.ways_ms.clear()
        while not done.is_set():
            await self.once()
            await asyncio.sleep(PAUSE_S)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        await self._client.welcomed()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()


async def drained(town: Cloud, url: str) -> None:
    async with asyncio.timeout(DRAINED_WITHIN_S):
        while True:
            waiting = await town.metric(url, "laundryd_edge_uplink_waiting_entries")
            connected = await town.metric(url, "laundryd_edge_uplink_connected")
            if connected == 1 and waiting == 0:
                return
            await asyncio.sleep(0.2)


async def main() -> int:
    with tempfile.TemporaryDirectory(prefix="laundryd-bench-") as name:
        async with cloud(Path(name)) as town:
            residents = [(await town.join(BUSY))[0] for _ in range(RESIDENTS)]
            _, token = await town.join(QUIET)
            await fill(town, BUSY, ENTRIES, residents)
            quiet, quiet_url = edge(town, QUIET)
            busy, busy_url = edge(town, BUSY)
            try:
                await quiet.start()
                await quiet.ready(town.http)
                await drained(town, quiet_url)
                async with Presses(town, token) as presses:
                    for _ in range(WARM_UP_PRESSES):
                        await presses.once()
                    alone_ms = statistics.median(presses.ways_ms)
                    done = asyncio.Event()
                    await busy.start()
                    await busy.ready(town.http)
                    began_s = time.monotonic()
                    pressing = asyncio.create_task(presses.until(done))
                    await drained(town, busy_url)
                    took_s = time.monotonic() - began_s
                    done.set()
                    await pressing
                    ways_ms = sorted(presses.ways_ms)
            finally:
                await busy.stop()
                await quiet.stop()
    median_ms = statistics.median(ways_ms)
    bars = [
        ("drain of a day offline", took_s, "s", DRAIN_BAR_S),
        ("live event of another room meanwhile, median", median_ms, "ms", WAY_BAR_MS),
    ]
    for what, value, unit, most in bars:
        reference = f"its bar of {most:g} {unit}"
        line = {"what": what, "value": round(value, 2), "unit": unit, "reference": reference}
        print(json.dumps(line | {"ratio": value / most}))
    print(
        f"{ENTRIES} entries, {ENTRIES / took_s:.0f}/s; live events: {len(ways_ms)}, alone "
        f"{alone_ms:.0f} ms, meanwhile p50 {median_ms:.0f} ms, worst {ways_ms[-1]:.0f} ms"
    )
    return 1 if any(value >= most for _, value, _, most in bars) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
