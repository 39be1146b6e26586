"""What a room costs the small computer in it: 20 plugs at 1 Hz, 50 open pages, a real edge and broker.

Memory, CPU and disk are the edge process's own, as the kernel counts them. The way from a plug to a page
is from the moment the plug's message was handed to the broker to the moment a page read the frame: a
plug's word that it is gone, and its next measurement, are one event each, for every page.
"""

import asyncio
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.edge.house import PAGES, PLUGS, STEPPER, Pages, Plugs, house, machine, move_in
from tests.bench.edge.process import MB, Cost, resident_mb
from tests.edge.running import EdgeProcess

WARM_UP_S = 15.0
IDLE_S = 60.0
"""Every machine stands by: what is written then is written in an empty room, all night."""
STARTS_TOLD_S = 90.0
WASHING_S = 60.0
"""Half of the machines wash."""
STEPS = 100
"""Words of plugs that are measured; each makes one frame for each page."""
STEP_S = 0.15
"""Between two of them, seconds: more than a batch gathers, so each is an event by itself."""

MEMORY_BAR_MB = 80.0
CPU_BAR_PERCENT = 3.0
WAY_BAR_MS = 50.0
WRITTEN_BAR_MB_H = 1.0


@dataclass(frozen=True)
class Bar:
    """One bar of the issue: measured, and the most that it may be."""

    what: str
    value: float
    unit: str
    most: float

    @property
    def is_missed(self) -> bool:
        return self.value >= self.most

    def print(self) -> None:
        line = {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "reference": f"its bar of {self.most:g} {self.unit}",
            "ratio": self.value / self.most,
        }
        print(json.dumps(line))


async def stretch(pid: int, length_s: float) -> tuple[float, float]:
    """Return the share of one core, percent, and what was written, megabytes an hour."""
    before, began_s = Cost.of(pid), time.monotonic()
    await asyncio.sleep(length_s)
    after, took_s = Cost.of(pid), time.monotonic() - began_s
    written_mb_h = (after.written_bytes - before.written_bytes) / took_s * 3600 / MB
    return (after.cpu_s - before.cpu_s) / took_s * 100, written_mb_h


async def ways_ms(plugs: Plugs, pages: Pages) -> list[float]:
    """Return how long each page waited for each step, milliseconds, shortest first."""
    ways: list[float] = []
    await plugs.say_power(STEPPER)
    await asyncio.sleep(STEP_S)
    for step in range(STEPS):
        is_going = step % 2 == 0
        seen = pages.seen[machine(STEPPER), "silent" if is_going else "ok"] = []
        said_s = time.monotonic()
        await (plugs.say_offline(STEPPER) if is_going else plugs.say_power(STEPPER))
        async with asyncio.timeout(5):
            await pages.saw(seen, PAGES)
        ways += [(at_s - said_s) * 1000 for at_s in seen[:PAGES]]
        await asyncio.sleep(STEP_S)
    return sorted(ways)


async def measure(edge: EdgeProcess) -> list[Bar]:
    plugs, pages = Plugs(edge.broker), Pages(edge)
    pid = edge.pid
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        speaking = tasks.create_task(plugs.run())
        await plugs.connected()
        await pages.run(stack, tasks)
        await asyncio.sleep(WARM_UP_S)
        idle_percent, written_mb_h = await stretch(pid, IDLE_S)
        plugs.wash(range(PLUGS // 2))
        # Until their starts were told: an event beside a step would be gathered with it into one batch.
        await asyncio.sleep(STARTS_TOLD_S)
        washing_percent, _ = await stretch(pid, WASHING_S)
        ways = await ways_ms(plugs, pages)
        memory_mb = resident_mb(pid)
        speaking.cancel()
        await stack.aclose()
    load = f"{PLUGS} plugs at 1 Hz, {PAGES} pages"
    return [
        Bar(f"memory, {load}", memory_mb, "MB", MEMORY_BAR_MB),
        Bar(f"one core, {load}, all idle", idle_percent, "%", CPU_BAR_PERCENT),
        Bar(f"one core, {load}, half of them washing", washing_percent, "%", CPU_BAR_PERCENT),
        Bar("plug to page, p50", ways[len(ways) // 2], "ms", WAY_BAR_MS),
        Bar("plug to page, p99", ways[int(len(ways) * 0.99)], "ms", WAY_BAR_MS),
        Bar("written in an idle room", written_mb_h, "MB/h", WRITTEN_BAR_MB_H),
    ]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="laundryd-bench-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        asyncio.run(move_in(folder / "data"))
        with house(folder) as edge:
            bars = asyncio.run(measure(edge))
    for bar in bars:
        bar.print()
    for bar in bars:
        if bar.is_missed:
            print(f"MISSED: {bar.what}: {bar.value:.1f} {bar.unit}, under {bar.most:g} {bar.unit}")
    return 1 if any(bar.is_missed for bar in bars) else 0


if __name__ == "__main__":
    sys.exit(main())
