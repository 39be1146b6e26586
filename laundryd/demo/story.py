"""One whole story: three residents, a machine each, from the claim to the collection; then staff speaks.

``room`` looks at the room's own page, ``remote`` at the relay's, ``away`` has closed the app. Every
public change must be seen by both who look, every notice by its owner alone, on their own way, once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from laundryd.demo.errors import RefusedError
from laundryd.demo.people import Place, Resident
from laundryd.demo.sightings import How, Sighting, Sightings
from laundryd.demo.town import Town
from laundryd.wire.commands import CommandName
from laundryd.wire.ids import Slug
from laundryd.wire.notices import NOTICES, Channel, NoticeKind
from laundryd.wire.phases import Cause
from laundryd.wire.times import to_rfc3339

CAST: Final = (("room", Place.ROOM), ("remote", Place.REMOTE), ("away", Place.AWAY))
MACHINE_OF: Final[dict[str, Slug]] = {"room": "w1", "remote": "w2", "away": "d1"}
PROGRAMME_MINUTES: Final = 12
PATIENCE_S: Final = 15.0
"""Real time in which everybody must have seen a step: three times the acknowledgement deadline."""
SECOND_TELLING_S: Final = 6.0
"""Real time after the end in which a second telling would show itself: the deadline is 5 s."""
END_NOTICED: Final = timedelta(minutes=12)
"""Room time from a programme's end until its detection at the latest, well over the longest rule."""
_HOW_TOLD: Final = {Place.ROOM: How.EDGE, Place.REMOTE: How.RELAY, Place.AWAY: How.PUSH}


@dataclass(frozen=True, slots=True)
class Seen:
    """Who saw a step, how, and how long after the room's decision, real milliseconds."""

    who: str
    what: str
    how: str
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one machine, as it was seen. ``at`` is room time, RFC 3339, None if it never happened.

    ``machine`` is empty for what is about none. ``via`` is how it was asked for; None: nobody in the story
    did.
    """

    step: str
    machine: Slug | Literal[""]
    resident: str
    at: str | None
    via: str | None
    seen: list[Seen]
    missing: list[str]
    doubled: list[str]

    @property
    def ok(self) -> bool:
        """Whether everybody saw it who should, once."""
        return not self.missing and not self.doubled


@dataclass(frozen=True, slots=True)
class _Act:
    """One step of the story: what happens, and the notice that its owner gets.

    ``cause`` None: nothing happens to a machine; it is announced.
    """

    name: str
    cause: Cause | None
    command: CommandName | None = None
    notice: NoticeKind | None = None


_ACTS: Final = (
    _Act("claim", Cause.CLAIMED, CommandName.CLAIM),
    _Act("arrive", Cause.ARRIVED, CommandName.ARRIVE),
    _Act("start", Cause.STARTED, CommandName.START, NoticeKind.STARTED),
    _Act("running", Cause.CYCLE_STARTED),
    _Act("ending_soon", Cause.ENDING_SOON, notice=NoticeKind.ENDING_SOON),
    _Act("done", Cause.FINISHED, notice=NoticeKind.DONE),
    _Act("collect", Cause.COLLECTED, CommandName.COLLECT),
    _Act("announce", None, notice=NoticeKind.ANNOUNCEMENT),
)
_CAUSES: Final = frozenset(act.cause.value for act in _ACTS if act.cause is not None)


@dataclass(slots=True)
class Story:
    """Plays the story among residents who are connected; ``sightings`` is what they see.

    ``patience_s`` is how long, real time, everybody may take to see a step.
    """

    town: Town
    residents: list[Resident]
    sightings: Sightings
    patience_s: float = PATIENCE_S
    ends_at: datetime | None = None
    """When the last programme ends, room time; None before the start."""

    async def play(self) -> AsyncIterator[Step]:
        """Play it step by step; each is yielded when it was seen, or when the patience is at its end.

        Raises:
            RefusedError: the room refused a resident's command.

        """
        for act in _ACTS:
            if act.command is not None:
                await asyncio.gather(*(self._ask(one, act.command) for one in self.residents))
            if act.notice is NoticeKind.ANNOUNCEMENT:
                await self.town.announce()
            for resident in self.residents:
                yield await self._witness(resident, act)

    async def afterwards(self) -> list[str]:
        """Wait until a second telling would have come; return what was seen twice or by the wrong one."""
        await self.sightings.until(self._anything_wrong, SECOND_TELLING_S)
        return [*self._doubled(self.sightings.all), *self._strays(), *self._known_already()]

    async def _ask(self, resident: Resident, command: CommandName) -> None:
        machine = MACHINE_OF[resident.name]
        minutes = None
        if command is CommandName.START:
            minutes = PROGRAMME_MINUTES
            self.ends_at = self.town.plug(machine).run_programme(minutes)
        try:
            await resident.ask(machine, command, minutes=minutes)
        except RefusedError:
            # A program that has ended says more than the refusal that follows from it.
            self.town.check()
            raise

    async def _witness(self, owner: Resident, act: _Act) -> Step:
        machine = _machine(owner, act)
        expected = self._expected(owner, act)

        def found() -> list[Sighting]:
            return [one for one in self.sightings.all if _key(one) in expected]

        await self.sightings.until(
            lambda: {_key(one) for one in found()} == set(expected), self._allowed_s(act)
        )
        seen = found()
        decided_at = next((one.caused_at for one in seen if one.caused_at is not None), None)
        return Step(
            step=act.name,
            machine=machine,
            resident=owner.name,
            at=None if decided_at is None else to_rfc3339(decided_at),
            via=None if act.command is None else owner.via,
            seen=[self._line(one, decided_at) for one in seen],
            missing=[
                text for key, text in expected.items() if key not in {_key(one) for one in seen}
            ],
            doubled=self._doubled(seen),
        )

    def _expected(self, owner: Resident, act: _Act) -> dict[_Key, str]:
        """Return who must see a step, and what to say of each who did not."""
        machine = _machine(owner, act)
        expected: dict[_Key, str] = {}
        for one in self.residents:
            if act.cause is not None and one.place is not Place.AWAY:
                key = (one.name, _HOW_TOLD[one.place], "event", act.cause.value, machine)
                expected[key] = _say(key)
        if act.notice is not None and _is_told(owner, act.notice):
            key = (owner.name, _HOW_TOLD[owner.place], "notice", act.notice.value, machine)
            expected[key] = _say(key)
        return expected

    def _allowed_s(self, act: _Act) -> float:
        """Return how long a step may take, real time: the room's own steps take room time first."""
        if act.command is not None or act.cause is None or self.ends_at is None:
            return self.patience_s
        left = self.ends_at - self.town.clock.now() + END_NOTICED
        return max(0.0, left.total_seconds()) / self.town.clock.speed + self.patience_s

    def _line(self, one: Sighting, decided_at: datetime | None) -> Seen:
        since_s = one.seen_s - (one.seen_s if decided_at is None else self.town.real_s(decided_at))
        return Seen(one.who, one.what, one.how, max(0, round(since_s * 1000)))

    # -- what must not be

    def _anything_wrong(self) -> bool:
        return bool(self._doubled(self.sightings.all) or self._strays())

    @staticmethod
    def _doubled(sightings: Iterable[Sighting]) -> list[str]:
        """Name the steps that somebody saw more than once, by whichever way: they are told once."""
        counts = Counter(
            (one.who, one.what, one.kind, one.machine)
            for one in sightings
            if one.what == "notice" or one.kind in _CAUSES
        )
        return [
            f"{who}: {what} {kind} of {machine}, {count} times"
            for (who, what, kind, machine), count in counts.items()
            if count > 1
        ]

    def _strays(self) -> list[str]:
        """Name notices that are none of the story's, or came to somebody else than the owner."""
        told = {
            (act.notice.value, owner.name): _machine(owner, act)
            for act in _ACTS
            for owner in self.residents
            if act.notice is not None
        }
        return [
            f"{one}: not for them"
            for one in self.sightings.all
            if one.what == "notice" and told.get((one.kind, one.who)) != one.machine
        ]

    def _known_already(self) -> list[str]:
        return [
            f"{one.name}: {one.duplicates} events that the page knew already"
            for one in self.residents
            if one.duplicates
        ]


def _machine(owner: Resident, act: _Act) -> Slug | Literal[""]:
    return "" if act.cause is None else MACHINE_OF[owner.name]


def _is_told(owner: Resident, kind: NoticeKind) -> bool:
    """Say whether ``owner`` hears of it at all: who has closed the app, by push alone."""
    return owner.place is not Place.AWAY or NOTICES[kind].channel is not Channel.APP


_Key = tuple[str, How, str, str, Slug | Literal[""]]


def _key(one: Sighting) -> _Key:
    return (one.who, one.how, one.what, one.kind, one.machine)


def _say(key: _Key) -> str:
    who, how, what, kind, machine = key
    return f"{who}: {what} {kind} of {machine or 'no machine'} ({how})"
