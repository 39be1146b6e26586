"""One round after the other in one town: everybody talks, a fault, healing, catching up, comparing."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from laundryd.demo.errors import RefusedError
from laundryd.wire.commands import CommandAnswer
from laundryd.wire.ids import Position
from laundryd.wire.machines import RoomSnapshot
from tests.faults.books import EdgeBook, RelayBook, behind
from tests.faults.faults import Fault
from tests.faults.judge import Item, NoticeVerdict, Verdict, epochs_of, judge, judge_notices
from tests.faults.residents import QUICKLY, WASHING, Resident, Talker, join
from tests.faults.town import ROOM, Town
from tests.faults.witness import Witness

BEFORE_S: Final = (0.3, 3.5)
"""Real seconds of talk before the fault, and after it: washes end, and are told of, in any of them."""
AFTER_S: Final = (0.3, 1.2)
PATIENCE_S: Final = 75.0
"""Restarts, backoffs of half a minute at most, and the ten seconds that a room may take to catch up."""
LOOK_EVERY_S: Final = 0.1
READERS: Final = (("rita", "relay"), ("rolf", "relay"), ("ella", "edge"), ("emil", "edge"))
FIRST: Final = 5
"""How many positions are named of what is wrong."""
UNLUCKY: Final = frozenset({"rolf", "emil"})
"""Their connections are lost all the time."""


@dataclass(slots=True)
class Outcome:
    """What one round showed. ``wrong`` are sentences about what must not be.

    ``behind``: entries that the relay lacked just before the fault was healed.
    """

    accepted: int = 0
    behind: int = 0
    seen: int = 0
    told: int = 0
    lost: int = 0
    doubled: int = 0
    notices: NoticeVerdict = field(default_factory=NoticeVerdict)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Rounds:
    """Everybody in town, and what is known after the rounds so far. Make it with ``begin``."""

    def __init__(
        self,
        town: Town,
        residents: dict[str, Resident],
        witnesses: list[Witness],
        patience_s: float,
        waits_for: Callable[[float, str], None],
    ) -> None:
        self._town, self._residents, self._witnesses = town, residents, witnesses
        self._patience_s, self._waits_for = patience_s, waits_for
        self._edge_book = EdgeBook(town.edge_database)
        self._relay_book = RelayBook(town.relay_database)
        self._judged: frozenset[Position] = frozenset()
        self._taken: dict[str, int] = {}
        self._answered = 0
        self._told: set[str] = set()
        self._is_rewound = False
        chance = random.Random(0)  # noqa: S311 -- a test's dice; each round sets its own
        of = residents
        self._owners = {
            "w3": of["ella"].id,
            "w4": of["rita"].id,
            "d1": of["ada"].id,
            "d2": of["rolf"].id,
        }
        self._talkers = [
            Talker(of["bob"].edge, "w1", QUICKLY, chance),
            Talker(of["bea"].relay, "w2", QUICKLY, chance),
            Talker(of["ella"].edge, "w3", WASHING, chance),
            Talker(of["rita"].edge, "w4", WASHING, chance),
            Talker(of["ada"].edge, "d1", WASHING, chance),
            Talker(of["rolf"].relay, "d2", WASHING, chance),
        ]

    @classmethod
    @asynccontextmanager
    async def begin(
        cls,
        town: Town,
        patience_s: float = PATIENCE_S,
        waits_for: Callable[[float, str], None] = lambda _s, _what: None,
        *,
        credulous: bool = False,
    ) -> AsyncIterator[Rounds]:
        """Let residents join, open their pages, and stand there with the room caught up.

        ``patience_s`` is how long everybody may take to catch up. ``waits_for`` hears, while the rounds
        wait for it, since how many seconds and what for.
        ``credulous`` pages do not look whether events follow each other.
        """
        names = ("bob", "bea", "ada", *(name for name, _ in READERS))
        residents = {name: await join(town, name) for name in names}
        witnesses = [
            Witness(
                f"{name} at the {place}", one.id, getattr(one, place), ROOM.key, credulous=credulous
            )
            for name, place in READERS
            for one in (residents[name],)
        ]
        rounds = cls(town, residents, witnesses, patience_s, waits_for)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(one.run()) for one in witnesses]
            running += [tasks.create_task(one.run()) for one in rounds._talkers]
            try:
                await rounds._settle()
                rounds._begin_to_judge()
                yield rounds
            finally:
                for task in running:
                    task.cancel()

    async def play(self, fault: Fault, chance: random.Random) -> Outcome:
        """Play one round."""
        began_s, self._is_rewound = time.monotonic(), fault.rewinds
        for talker in self._talkers:
            talker.chance = chance
            talker.speak()
        behinds: list[int] = []
        unlucky = [one for one in self._witnesses if one.name.split()[0] in UNLUCKY]
        async with asyncio.TaskGroup() as tasks:
            misfortunes = [tasks.create_task(one.lose_connections(chance)) for one in unlucky]
            await asyncio.sleep(chance.uniform(*BEFORE_S))
            await fault.befall(self._town, lambda: behinds.append(self._behind()))
            for witness in self._witnesses:
                witness.client.try_now()  # as a page does that hears that it is online again
            await asyncio.sleep(chance.uniform(*AFTER_S))
            for task in misfortunes:
                task.cancel()
        await asyncio.gather(*(talker.hush() for talker in self._talkers))
        left = await self._settle()
        outcome = self._judge()
        outcome.wrong += left
        outcome.behind = sum(behinds)
        outcome.seconds = time.monotonic() - began_s
        return outcome

    def _behind(self) -> int:
        return behind(self._town.edge_database, self._town.relay_database)

    # -- catching up

    async def _settle(self) -> list[str]:
        """Wait until everybody stands where the room does; return what they lack when they never do.

        Either way the books are read then, and show that very moment: the room goes on.
        """
        began_s = time.monotonic()
        while True:
            self._town.check()
            lacking = await self._lacking()
            waited_s = time.monotonic() - began_s
            if not lacking:
                return lacking
            if waited_s > self._patience_s:
                self._read()
                return lacking
            self._waits_for(waited_s, lacking[0])
            await asyncio.sleep(LOOK_EVERY_S)

    async def _lacking(self) -> list[str]:
        try:
            room, far = await self._rooms()
        except (RefusedError, aiohttp.ClientError, TimeoutError) as error:
            return [f"a program does not answer: {type(error).__name__} {error}"]
        head = room.position
        lacking = [] if room.durable else ["the room runs from memory"]
        if far.position != head or far.edge is None or not far.edge.online:
            lacking.append(f"the relay stands at {far.position}, the room at {head}")
        last = self._edge_book.last_public()
        lacking += [
            f"{one.name} stands at {one.at}, the room's last event is {last}"
            for one in self._witnesses
            if not _stands_at(one, last)
        ]
        if not lacking:
            self._read()
            if not self._edge_book.head() == self._relay_book.at == head:
                return ["the room went on while it was looked at"]
            unsettled = self._relay_book.unsettled()
            lacking += [f"the relay has a notice unsettled: {one}" for one in unsettled]
            lacking += [f"notice {one} was told to nobody yet" for one in self._notices().lost]
        if not lacking:
            wanted = {one.machine: one for one in room.machines}
            readers = {one.name: one.views for one in self._witnesses}
            readers["the relay"] = {one.machine: one for one in far.machines}
            lacking += [
                f"{name} shows {machine} otherwise than the room does"
                for name, views in readers.items()
                for machine in sorted(wanted)
                if views.get(machine) != wanted[machine]
            ]
        return lacking

    async def _rooms(self) -> tuple[RoomSnapshot, RoomSnapshot]:
        path = f"/rooms/{ROOM.key}"
        somebody = self._residents["bob"]
        room = await somebody.edge.get(path, RoomSnapshot)
        return room, await somebody.relay.get(path, RoomSnapshot)

    # -- comparing

    def _read(self) -> None:
        answers: list[CommandAnswer] = []
        for witness in self._witnesses:
            self._edge_book.heard_of(epochs_of(witness.items))
        for talker in self._talkers:
            self._edge_book.heard_of(
                one.position.epoch for one in talker.answers if one.position is not None
            )
            answers += talker.answers
            talker.answers.clear()
        self._edge_book.read(answers)
        self._relay_book.read()
        for witness in self._witnesses:
            self._edge_book.take_ends(witness.ends, self._owners)
            witness.ends.clear()

    def _begin_to_judge(self) -> None:
        self._judged = frozenset(self._edge_book.events)
        self._edge_book.next_round()
        for witness in self._witnesses:
            witness.items.clear()
        self._relay_book.items.clear()
        self._told = set(self._edge_book.notices)

    def _judge(self) -> Outcome:
        readers: dict[str, list[Item]] = {one.name: one.items for one in self._witnesses}
        readers["the relay's journal"] = self._relay_book.items
        accepted = self._edge_book.accepted_beside(self._judged, rewound=self._is_rewound)
        outcome = Outcome(accepted=len(accepted.events))
        for name, items in readers.items():
            _add(outcome, name, judge(accepted, items))
            items.clear()
        book = self._edge_book
        outcome.lost += len(book.unkept)
        outcome.doubled += len(book.undue)
        outcome.wrong += [f"the room answered {one} as durable, has it not" for one in book.unkept]
        outcome.wrong += [f"the room did {one}, answered to nobody" for one in book.undue]
        book.unkept.clear()
        book.undue.clear()
        self._judged = frozenset(book.events)
        book.next_round()
        self._judge_notices(outcome)
        return outcome

    def _judge_notices(self, outcome: Outcome) -> None:
        outcome.notices = self._notices()
        self._told = set(self._edge_book.notices)
        outcome.wrong += [f"notice {one} was told to nobody" for one in outcome.notices.lost]
        outcome.wrong += [
            f"notice {one} went under another Topic or to somebody else"
            for one in outcome.notices.strange
        ]

    def _notices(self) -> NoticeVerdict:
        """Judge the notices of this round."""
        shown: dict[str, frozenset[str]] = {}
        for witness in self._witnesses:
            shown[witness.resident] = shown.get(witness.resident, frozenset()) | witness.shown
        pushed = {one.id: one.pushes for one in self._residents.values()}
        excused = self._relay_book.excused() | self._edge_book.moot()
        due = [
            one
            for one in self._edge_book.due_beside(self._told, rewound=self._is_rewound)
            if one.id not in excused
        ]
        return judge_notices(due, shown, pushed, self._town.clock.now())


def _stands_at(witness: Witness, last: Position) -> bool:
    at = witness.at
    reached = at is not None and at.epoch == last.epoch and at.offset >= last.offset
    return reached and not witness.waits_for_snapshot


def _add(outcome: Outcome, name: str, verdict: Verdict) -> None:
    outcome.seen += verdict.seen
    outcome.told += verdict.told
    outcome.lost += len(verdict.lost)
    outcome.doubled += len(verdict.doubled)
    for what in ("lost", "doubled", "invented", "disordered"):
        found: list[Position] = getattr(verdict, what)
        if found:
            first = ", ".join(f"{one.epoch}:{one.offset}" for one in found[:FIRST])
            outcome.wrong.append(f"{name}: {what} {len(found)}, {first}")
