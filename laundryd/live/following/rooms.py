"""Where a client stands in each room: what to apply, what to hold, what to fetch. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from laundryd.live.follow import Step, step
from laundryd.live.following.actions import Action, Apply, Get, Take
from laundryd.live.following.link import Backoff
from laundryd.wire import frames
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import PagePosition, Position, RoomKey, Run
from laundryd.wire.machines import RoomSnapshot

HELD_MAX: Final = 1_000
"""Events kept while a room is fetched; beyond, the newest are kept and the gap is seen again."""
MISMATCHES_MAX: Final = 3
"""After so many snapshots that do not meet the held events, those are from another history."""
_REFUSED: Final = range(400, 500)
_TRY_AGAIN: Final = frozenset({408, 429})
"""The 4xx that another try may change (RFC 9110 section 15.5.9, RFC 6585 section 4)."""


def is_final(status: int | None) -> bool:
    """Say whether an HTTP answer to a GET stays as it is; None: no answer came."""
    return status in _REFUSED and status not in _TRY_AGAIN


@dataclass(slots=True)
class _Fetch:
    """A room that is being fetched. ``due_s``: when to ask again; None while an answer is awaited."""

    at_least: PagePosition | None
    backoff: Backoff
    held: deque[PublicEvent] = field(default_factory=lambda: deque(maxlen=HELD_MAX))
    mismatches: int = 0
    due_s: float | None = None
    is_early: bool = False
    """The answer that is awaited was asked for before the server said where the room stands now."""
    is_put_off: bool = False
    """The server wants to be asked at ``due_s`` and not before."""

    def begin_anew(self, head: PagePosition | None) -> None:
        """Go on over a new connection: whatever is missing at ``head``, and after it, comes over that."""
        self.at_least = head
        self.held.clear()
        self.mismatches = 0
        self.is_early = self.due_s is None


class Rooms:
    """Positions, and the rooms that are being fetched. ``duplicates`` counts events that came again.

    A position names the run of the server's store in which it was taken. While a connection lasts, that
    is the run of its welcome: another one's room, or events, are of a server that began anew meanwhile.
    """

    def __init__(
        self, rooms: Mapping[RoomKey, Position | None], random: Callable[[], float]
    ) -> None:
        self.positions: dict[RoomKey, PagePosition | None] = {
            room: None if position is None else PagePosition.of(position)
            for room, position in rooms.items()
        }
        self.duplicates = 0
        self.backoff_rule: frames.Backoff | None = None
        self._random = random
        self._fetches: dict[RoomKey, _Fetch] = {}
        self._runs: dict[RoomKey, Run | None] = {}
        """Of the connection's server, by its welcome."""
        self._resumed_from: dict[RoomKey, PagePosition] = {}
        self._came_to: dict[RoomKey, Position] = {}

    @property
    def due_s(self) -> float | None:
        """The moment at which ``tick`` must be called next, None: never."""
        return min((f.due_s for f in self._fetches.values() if f.due_s is not None), default=None)

    def tick(self, now_s: float) -> list[Action]:
        """Ask again for the rooms whose time has come."""
        actions: list[Action] = []
        for room, fetch in self._fetches.items():
            if fetch.due_s is not None and fetch.due_s <= now_s:
                fetch.due_s = None
                fetch.is_put_off = False
                actions.append(Get(room, fetch.at_least))
        return actions

    def fetch(self, room: RoomKey, at_least: PagePosition | None = None) -> list[Action]:
        """Fetch a room; a fetch that is under way must reach ``at_least``, too."""
        fetch = self._fetches.get(room)
        if fetch is None:
            backoff = Backoff(self._random)
            backoff.rule = self.backoff_rule or backoff.rule
            self._fetches[room] = _Fetch(at_least, backoff)
            return [Get(room, at_least)]
        if at_least is not None and _is_later(at_least, fetch.at_least):
            fetch.at_least = at_least
        if fetch.due_s is None or fetch.is_put_off:
            return []
        fetch.due_s = None
        return [Get(room, fetch.at_least)]

    def welcomed(self, frame: frames.Welcome) -> list[Action]:
        """Fetch what could not be recovered, and what the server did not know yet.

        A server that was restored from a backup may be behind us in our own epoch, and gives our numbers
        to other events: where it says that nothing was recovered, our position counts no more.
        """
        self.backoff_rule = frame.backoff
        actions: list[Action] = []
        for room, position in self.positions.items():
            resume = frame.rooms.get(room)
            head = None if resume is None else _head(resume)
            self._runs[room] = None if head is None else head.run
            if room in self._fetches:
                self._fetches[room].begin_anew(head)
            if resume is not None and not resume.recovered:
                self.positions[room] = None
                self._came_to.pop(room, None)
            elif position is not None and head is not None:
                self.positions[room] = position.in_run(head.run)
            is_known = position is not None if resume is None else resume.recovered
            if not is_known:
                actions += self.fetch(room, head)
        return actions

    def take_events(self, events: Iterable[PublicEvent]) -> tuple[list[Action], bool]:
        """Apply what fits, hold what waits for its room; True: resume, something between is missing."""
        actions: list[Action] = []
        must_resume = False
        for event in events:
            came_again = self._came_again(event)
            fetch = self._fetches.get(event.room)
            if fetch is not None:
                fetch.held.append(event)
                continue
            position = self.positions.get(event.room)
            match step(position, event):
                case _ if position is not None and self._must_resume(position, event):
                    self._resumed_from[event.room] = position
                    must_resume = True
                case Step.APPLY:
                    actions.append(self._apply(event))
                case Step.DUPLICATE:
                    # One that comes for the first time and is known stood in a snapshot: no double.
                    self.duplicates += came_again
                case Step.GAP:
                    run = self._runs.get(event.room)
                    before = PagePosition(epoch=event.epoch, offset=event.follows, run=run)
                    actions += self.fetch(event.room, before)
                    self._fetches[event.room].held.append(event)
            if must_resume:
                break  # The rest comes again, with what was missing before it.
        return actions, must_resume

    def got(self, snapshot: RoomSnapshot, now_s: float) -> list[Action]:
        """Take a fetched room and what was held of it."""
        room, position = snapshot.room, snapshot.page_position
        take = Take(snapshot, is_older=_is_older(position, self.positions.get(room)))
        return [take, *self.stand_at(room, position, now_s)]

    def stand_at(self, room: RoomKey, position: PagePosition, now_s: float) -> list[Action]:
        """Go on from ``position``, at which the whole room is known, or fetch it anew if that is too old."""
        fetch = self._fetches.get(room)
        is_of_another_run = self._is_of_another_run(room, position)
        if fetch is not None and fetch.is_early:
            fetch.is_early = False
            if is_of_another_run or _is_later(position, fetch.at_least):
                # The room went on since the welcome, or this is from the history before it: who knows.
                self.positions[room] = None
                return [Get(room, fetch.at_least)]
        if not _is_older(position, self.positions.get(room)):
            self.positions[room] = position
        if fetch is None:
            return []
        if is_of_another_run:
            # Whoever sent what is held is not there any more: a new connection goes on from here.
            del self._fetches[room]
            return []
        actions, met = self._apply_held(room, fetch.held)
        if not met or _is_behind(self.positions[room], fetch.at_least):
            fetch.mismatches += 1
            if fetch.mismatches < MISMATCHES_MAX:
                fetch.due_s = now_s + fetch.backoff.next_wait_s()
                return actions
        del self._fetches[room]
        return actions

    def get_failed(
        self, room: RoomKey, status: int | None, now_s: float, asked_s: float = 0.0
    ) -> None:
        """No room came; ask again unless ``status`` is the server's last word. None: no answer.

        ``asked_s``: how long the server asks us to wait, 0 when it did not.
        """
        fetch = self._fetches.get(room)
        if fetch is None:
            return
        if is_final(status):
            del self._fetches[room]
        else:
            fetch.is_early = False
            fetch.is_put_off = asked_s > 0
            fetch.due_s = now_s + asked_s + fetch.backoff.next_wait_s()

    def _apply_held(self, room: RoomKey, held: deque[PublicEvent]) -> tuple[list[Action], bool]:
        """Apply held events in order; False: one does not follow, it and the rest stay."""
        actions: list[Action] = []
        epoch = _epoch(self.positions[room])
        if any(event.epoch == epoch for event in held):
            while held[0].epoch != epoch:
                held.popleft()  # From before the epoch that the snapshot is of.
        while held:
            verdict = step(self.positions[room], held[0])
            if verdict is Step.GAP:
                return actions, False
            event = held.popleft()
            if verdict is Step.APPLY:
                actions.append(self._apply(event))
        return actions, True

    def _apply(self, event: PublicEvent) -> Action:
        position = self.positions[event.room]
        run = None if position is None else position.run
        self.positions[event.room] = PagePosition(epoch=event.epoch, offset=event.offset, run=run)
        return Apply(event)

    def _must_resume(self, position: PagePosition, event: PublicEvent) -> bool:
        """Say whether the event leads on from elsewhere, resuming can help, and was not tried from here."""
        is_gap = step(position, event) is Step.GAP and position.epoch == event.epoch
        if not is_gap and not self._is_of_another_run(event.room, position):
            return False
        tried = self._resumed_from.get(event.room)
        return tried is None or tried.in_run(None) != position.in_run(None)

    def _is_of_another_run(self, room: RoomKey, position: PagePosition) -> bool:
        return _differ(position.run, self._runs.get(room))

    def _came_again(self, event: PublicEvent) -> bool:
        came = self._came_to.get(event.room)
        if came is not None and came.epoch == event.epoch and event.offset <= came.offset:
            return True
        self._came_to[event.room] = Position(epoch=event.epoch, offset=event.offset)
        return False


def _head(resume: frames.RoomResume) -> PagePosition:
    return PagePosition(epoch=resume.epoch, offset=resume.offset, run=resume.run)


def _differ(one: Run | None, other: Run | None) -> bool:
    return None not in {one, other} and one != other


def _epoch(position: Position | None) -> str | None:
    return None if position is None else position.epoch


def _is_later(found: Position, known: Position | None) -> bool:
    return known is None or found.epoch != known.epoch or found.offset > known.offset


def _is_older(found: PagePosition, known: PagePosition | None) -> bool:
    if known is None or _differ(found.run, known.run):
        return False  # numbers of two runs say nothing of each other
    return found.epoch == known.epoch and found.offset < known.offset


def _is_behind(position: Position | None, at_least: Position | None) -> bool:
    if position is None or at_least is None:
        return False
    return position.epoch != at_least.epoch or position.offset < at_least.offset
