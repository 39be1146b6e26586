"""What befalls the town: the table of faults, drawn from a seed, done and healed."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tests.faults.town import Town
from tests.faults.wire import WireState

STOPPED_S: Final = 8.0
"""How long a process is stopped; a minute in the long run."""
BOTH: Final = (False, False)
ONE_WAY: Final = ((False, True), (True, False))


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``begin`` does it, ``heal`` ends it ``lasts_s`` real seconds later."""

    text: str
    lasts_s: float
    begin: Callable[[Town], Awaitable[None]]
    heal: Callable[[Town], Awaitable[None]]

    async def befall(self, town: Town) -> None:
        """Let it happen and heal it."""
        await self.begin(town)
        try:
            await asyncio.sleep(self.lasts_s)
        finally:
            await self.heal(town)


Draw = Callable[[random.Random, float], Fault]


def _killed(who: str, longest_s: float) -> Draw:
    def draw(chance: random.Random, _stopped_s: float) -> Fault:
        return Fault(
            f"{who} killed",
            chance.uniform(0.1, longest_s),
            lambda town: town.kill(who),
            lambda town: town.start(who),
        )

    return draw


def _stopped(chance: random.Random, stopped_s: float) -> Fault:
    who = chance.choice(("broker", "edge", "relay"))

    async def send(town: Town, number: signal.Signals) -> None:
        town.signal(who, number)

    return Fault(
        f"{who} stopped",
        stopped_s,
        lambda town: send(town, signal.SIGSTOP),
        lambda town: send(town, signal.SIGCONT),
    )


def _cut(chance: random.Random, _stopped_s: float) -> Fault:
    up, down = BOTH if chance.random() < 0.6 else chance.choice(ONE_WAY)
    kills_edge = chance.random() < 0.3
    way = {(False, False): "", (False, True): " upwards", (True, False): " downwards"}[up, down]

    async def begin(town: Town) -> None:
        await town.network.set(WireState(up=up, down=down))
        if kills_edge:
            await asyncio.sleep(chance.uniform(0.2, 1.0))
            await town.kill("edge")
            await town.start("edge")

    return Fault(
        f"link cut{way}{' and edge killed meanwhile' if kills_edge else ''}",
        chance.uniform(4.0, 9.0),
        begin,
        lambda town: town.network.set(WireState()),
    )


def _slow(chance: random.Random, _stopped_s: float) -> Fault:
    delay_ms = chance.uniform(100, 600)
    state = WireState(
        delay_ms=delay_ms,
        jitter_ms=delay_ms * chance.uniform(0.1, 0.9),
        loss=chance.uniform(0.01, 0.1),
    )
    return Fault(
        f"link slowed by {delay_ms:.0f} ms, {state.loss:.0%} lost",
        chance.uniform(5.0, 9.0),
        lambda town: town.network.set(state),
        lambda town: town.network.set(WireState()),
    )


def _emptied(chance: random.Random, _stopped_s: float) -> Fault:
    return Fault(
        "broker killed and emptied",
        chance.uniform(0.1, 2.0),
        lambda town: town.kill("broker"),
        lambda town: town.start_broker(emptied=True),
    )


def _full(chance: random.Random, _stopped_s: float) -> Fault:
    who = chance.choice(("edge", "relay"))

    async def fill(town: Town) -> None:
        (town.edge_disk if who == "edge" else town.relay_disk).fill()

    async def free(town: Town) -> None:
        (town.edge_disk if who == "edge" else town.relay_disk).free()

    return Fault(f"disk of {who} full", chance.uniform(3.0, 7.0), fill, free)


KINDS: Final[dict[str, Draw]] = {
    "broker-killed": _killed("broker", 4.0),
    "edge-killed": _killed("edge", 3.0),
    "relay-killed": _killed("relay", 5.0),
    "stopped": _stopped,
    "cut": _cut,
    "slow": _slow,
    "broker-emptied": _emptied,
    "disk-full": _full,
}


def fault_of(seed: int, *, kind: str | None, stopped_s: float) -> tuple[Fault, random.Random]:
    """Return the fault of ``seed``, and the dice for the rest of its round.

    Seeds that follow each other take the kinds in turn, so that as many rounds as there are kinds have
    each once. ``kind`` None: the seed's own.
    """
    chance = random.Random(seed)  # noqa: S311 -- a test's dice
    draw = KINDS[kind] if kind is not None else list(KINDS.values())[seed % len(KINDS)]
    return draw(chance, stopped_s), chance
