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
from laundryd.wire.ids import Position, RoomKey
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

    at_least: Position | None
    backoff: Backoff
    held: deque[PublicEvent] = field(default_factory=lambda: deque(maxlen=HELD_MAX))
    mismatches: int = 0
    due_s: float | None = None


class Rooms:
    """Positions, and the rooms that are being fetched. ``duplicates`` counts events that came again."""

    def __init__(
        self, rooms: Mapping[RoomKey, Position | None], random: Callable[[], float]
    ) -> None:
        self.positions = dict(rooms)
        self.duplicates = 0
        self.backoff_rule: frames.Backoff | None = None
        self._random = random
        self._fetches: dict[RoomKey, _Fetch] = {}
        self._resumed_from: dict[RoomKey, Position] = {}
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
                actions.append(Get(room, fetch.at_least))
        return actions

    def fetch(self, room: RoomKey, at_least: Position | None = None) -> list[Action]:
        """Fetch a room; a fetch that is under way must reach ``at_least``, too."""
        fetch = self._fetches.get(room)
        if fetch is None:
            backoff = Backoff(self._random)
            backoff.rule = self.backoff_rule or backoff.rule
            self._fetches[room] = _Fetch(at_least, backoff)
            return [Get(room, at_least)]
        if at_least is not None and _is_later(at_least, fetch.at_least):
            fetch.at_least = at_least
        if fetch.due_s is None:
            return []
        fetch.due_s = None
        return [Get(room, fetch.at_least)]

    def welcomed(self, frame: frames.Welcome) -> list[Action]:
        """Fetch what could not be recovered, and what the server did not know yet."""
        self.backoff_rule = frame.backoff
        actions: list[Action] = []
        for room, position in self.positions.items():
            resume = frame.rooms.get(room)
            if resume is not None and not resume.recovered:
                head = Position(epoch=resume.epoch, offset=resume.offset)
                actions += self.fetch(room, head)
            elif resume is None and position is None:
                actions += self.fetch(room)
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
                case Step.APPLY:
                    actions.append(self._apply(event))
                case Step.DUPLICATE:
                    # One that comes for the first time and is known stood in a snapshot: no double.
                    self.duplicates += came_again
                case Step.GAP if position is not None and self._may_resume(position, event):
                    self._resumed_from[event.room] = position
                    must_resume = True
                case Step.GAP:
                    before = Position(epoch=event.epoch, offset=event.follows)
                    actions += self.fetch(event.room, before)
                    self._fetches[event.room].held.append(event)
            if must_resume:
                break  # The rest comes again, with what was missing before it.
        return actions, must_resume

    def got(self, snapshot: RoomSnapshot, now_s: float) -> list[Action]:
        """Take a fetched room and what was held of it."""
        return [Take(snapshot), *self.stand_at(snapshot.room, snapshot.position, now_s)]

    def stand_at(self, room: RoomKey, position: Position, now_s: float) -> list[Action]:
        """Go on from ``position``, at which the whole room is known, or fetch it anew if that is too old."""
        known = self.positions.get(room)
        if known is None or _is_later(position, known):
            self.positions[room] = position
        fetch = self._fetches.get(room)
        if fetch is None:
            return []
        actions, met = self._apply_held(room, fetch.held)
        if not met or _is_behind(self.positions[room], fetch.at_least):
            fetch.mismatches += 1
            if fetch.mismatches < MISMATCHES_MAX:
                fetch.due_s = now_s + fetch.backoff.next_wait_s()
                return actions
        del self._fetches[room]
        return actions

    def get_failed(self, room: RoomKey, status: int | None, now_s: float) -> None:
        """No room came; ask again unless ``status`` is the server's last word. None: no answer."""
        fetch = self._fetches.get(room)
        if fetch is None:
            return
        if is_final(status):
            del self._fetches[room]
        else:
            fetch.due_s = now_s + fetch.backoff.next_wait_s()

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
        self.positions[event.room] = Position(epoch=event.epoch, offset=event.offset)
        return Apply(event)

    def _may_resume(self, position: Position, event: PublicEvent) -> bool:
        """Say whether resuming can help: the numbers go on, and it was not tried from here before."""
        tried = self._resumed_from.get(event.room)
        return position.epoch == event.epoch and tried != position

    def _came_again(self, event: PublicEvent) -> bool:
        came = self._came_to.get(event.room)
        if came is not None and came.epoch == event.epoch and event.offset <= came.offset:
            return True
        self._came_to[event.room] = Position(epoch=event.epoch, offset=event.offset)
        return False


def _epoch(position: Position | None) -> str | None:
    return None if position is None else position.epoch


def _is_later(found: Position, known: Position | None) -> bool:
    return known is None or found.epoch != known.epoch or found.offset > known.offset


def _is_behind(position: Position | None, at_least: Position | None) -> bool:
    if position is None or at_least is None:
        return False
    return position.epoch != at_least.epoch or position.offset < at_least.offset
