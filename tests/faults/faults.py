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
    """One fault. ``begin`` does it, ``heal`` ends it ``lasts_s`` real seconds later.

    ``rewinds``: the room's own journal goes back to an earlier state.
    """

    text: str
    lasts_s: float
    begin: Callable[[Town], Awaitable[None]]
    heal: Callable[[Town], Awaitable[None]]
    rewinds: bool = False

    async def befall(self, town: Town, before_healing: Callable[[], None]) -> None:
        """Let it happen, look at what it did, and heal it."""
        await self.begin(town)
        try:
            await asyncio.sleep(self.lasts_s)
            before_healing()
        finally:
            await self.heal(town)


Draw = Callable[[random.Random, float], Fault]


def _killed(who: str, longest_s: float, *, with_edge: float = 0.0) -> Draw:
    """Kill ``who``; ``with_edge``: how likely the edge is killed as well."""

    def draw(chance: random.Random, stopped_s: float) -> Fault:
        if chance.random() < with_edge:
            return _killed_both(chance, stopped_s)
        return Fault(
            f"{who} killed",
            chance.uniform(0.1, longest_s),
            lambda town: town.kill(who),
            lambda town: town.start(who),
        )

    return draw


def _stopped(*who: str) -> Draw:
    async def send(town: Town, one: str, number: signal.Signals) -> None:
        town.signal(one, number)

    def draw(chance: random.Random, stopped_s: float) -> Fault:
        one = chance.choice(who)
        return Fault(
            f"{one} stopped",
            stopped_s,
            lambda town: send(town, one, signal.SIGSTOP),
            lambda town: send(town, one, signal.SIGCONT),
        )

    return draw


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


def _full(*who: str, with_cut: float = 0.0) -> Draw:
    """Fill a disk up; ``with_cut``: how likely the link is cut as well when it is the edge's."""

    async def fill(town: Town, one: str) -> None:
        town.fill_disk(one)

    async def free(town: Town, one: str) -> None:
        town.free_disk(one)

    def draw(chance: random.Random, stopped_s: float) -> Fault:
        one = chance.choice(who)
        if one == "edge" and chance.random() < with_cut:
            return _full_and_cut(chance, stopped_s)
        return Fault(
            f"disk of {one} full",
            chance.uniform(3.0, 7.0),
            lambda town: fill(town, one),
            lambda town: free(town, one),
        )

    return draw


def _full_and_cut(chance: random.Random, _stopped_s: float) -> Fault:
    async def begin(town: Town) -> None:
        await town.network.set(WireState(up=False, down=False))
        await asyncio.sleep(chance.uniform(1.0, 3.0))
        town.fill_disk("edge")

    async def heal(town: Town) -> None:
        town.free_disk("edge")
        await town.network.set(WireState())

    return Fault("link cut, disk of edge full", chance.uniform(3.0, 7.0), begin, heal)


def _killed_both(chance: random.Random, _stopped_s: float) -> Fault:
    async def begin(town: Town) -> None:
        await town.kill("relay")
        await asyncio.sleep(chance.uniform(0.1, 2.0))
        await town.kill("edge")

    async def heal(town: Town) -> None:
        await town.start("edge")
        await asyncio.sleep(chance.uniform(0.1, 2.0))
        await town.start("relay")

    return Fault("relay and edge killed", chance.uniform(0.1, 2.0), begin, heal)


def _restored(who: str) -> Draw:
    def draw(chance: random.Random, _stopped_s: float) -> Fault:
        age_s = chance.uniform(1.0, 4.0)

        async def begin(town: Town) -> None:
            copy = town.back_up(who)
            await asyncio.sleep(age_s)
            await town.kill(who)
            town.restore(who, copy)

        return Fault(
            f"{who} killed, restored from {age_s:.1f} s before",
            chance.uniform(0.1, 2.0),
            begin,
            lambda town: town.start(who),
            rewinds=who == "edge",
        )

    return draw


KINDS: Final[dict[str, Draw]] = {
    "broker-killed": _killed("broker", 4.0),
    "edge-killed": _killed("edge", 3.0),
    "relay-killed": _killed("relay", 5.0, with_edge=0.3),
    "stopped": _stopped("broker", "edge", "relay"),
    "cut": _cut,
    "slow": _slow,
    "broker-emptied": _emptied,
    "disk-full": _full("edge", "relay", with_cut=0.4),
    "edge-restored": _restored("edge"),
    "relay-restored": _restored("relay"),
}
"""In turn, by seed."""
SINGLE: Final[dict[str, Draw]] = {
    **{f"{who}-stopped": _stopped(who) for who in ("broker", "edge", "relay")},
    **{f"{who}-disk-full": _full(who) for who in ("edge", "relay")},
    "both-killed": _killed_both,
    "edge-disk-full-and-cut": _full_and_cut,
}
"""One case of a kind that has several, or two at once: to hunt it."""


def fault_of(seed: int, *, kind: str | None, stopped_s: float) -> tuple[Fault, random.Random]:
    """Return the fault of ``seed``, and the dice for the rest of its round.

    Seeds that follow each other take the kinds in turn, so that as many rounds as there are kinds have
    each once. ``kind`` None: the seed's own.
    """
    chance = random.Random(seed)  # noqa: S311 -- a test's dice
    in_turn = tuple(KINDS)[seed % len(KINDS)]
    draw = {**KINDS, **SINGLE}[kind or in_turn]
    return draw(chance, stopped_s), chance
