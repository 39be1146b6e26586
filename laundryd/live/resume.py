"""Resuming: whether a client's gap can be filled exactly, and how live events join the replay. Pure.

A recovery is whole or it is none. The head is read before the history; what is published meanwhile is
held, then merged by offset, so that each event comes once and in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from laundryd.wire import frames
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position, Run


class Outcome(StrEnum):
    """What became of a position; the label of the metric."""

    NONE_NAMED = "none_named"
    UP_TO_DATE = "up_to_date"
    REPLAYED = "replayed"
    OTHER_EPOCH = "other_epoch"
    OTHER_PAST = "other_past"
    FROM_THE_FUTURE = "from_the_future"
    TOO_OLD = "too_old"
    TOO_MANY = "too_many"
    BROKEN_CHAIN = "broken_chain"


_RECOVERED = frozenset({Outcome.UP_TO_DATE, Outcome.REPLAYED})


@dataclass(frozen=True, slots=True)
class Resumption:
    """The answer for one room. ``floor``: live events up to here are already known to the client."""

    head: Position
    outcome: Outcome
    floor: Position
    replay: tuple[PublicEvent, ...] = ()

    @property
    def recovered(self) -> bool:
        """Whether the client has, with ``replay``, everything up to ``floor``."""
        return self.outcome in _RECOVERED

    def frame(self, run: Run | None) -> frames.RoomResume:
        """Write it as part of ``welcome``; ``run`` is that of the store that answers."""
        return frames.RoomResume(
            epoch=self.head.epoch,
            offset=self.head.offset,
            was_recovering=self.outcome is not Outcome.NONE_NAMED,
            recovered=self.recovered,
            run=run,
        )


def needs_history(named: Position | None, head: Position) -> bool:
    """Say whether the journal must be read at all to answer for ``named``."""
    return named is not None and named.epoch == head.epoch and named.offset < head.offset


def since(
    missed: Sequence[PublicEvent] | None, not_before: datetime
) -> Sequence[PublicEvent] | None:
    """Return the public events that a client missed, None if the oldest is from before ``not_before``.

    None in, None out: the journal does not reach back. Times are room time.
    """
    if not missed or missed[0].at >= not_before:
        return missed
    return None


def decide(
    named: Position | None,
    head: Position,
    missed: Sequence[PublicEvent] | None,
    replay_max: int,
) -> Resumption:
    """Decide for one room.

    ``head`` was read before ``missed``, which are the public events after ``named`` (None: the journal
    does not reach back) or was not read when ``needs_history`` said no.
    """
    reached: Position | None = None
    if named is None:
        outcome = Outcome.NONE_NAMED
    elif named.epoch != head.epoch:
        outcome = Outcome.OTHER_EPOCH
    elif named.offset > head.offset:
        outcome = Outcome.FROM_THE_FUTURE
    elif named.offset == head.offset:
        outcome = Outcome.UP_TO_DATE
        reached = named
    elif missed is None:
        outcome = Outcome.TOO_OLD
    elif len(missed) > replay_max:
        outcome = Outcome.TOO_MANY
    else:
        reached = _walk(named, missed)
        outcome = Outcome.BROKEN_CHAIN if reached is None else Outcome.REPLAYED
    # Not recovered: the client takes a snapshot, which is at the head or after it.
    replay = tuple(missed or ()) if outcome is Outcome.REPLAYED else ()
    return Resumption(head, outcome, reached or head, replay)


def other_past(head: Position) -> Resumption:
    """Answer a position that is not of the past that this journal goes on from: the whole room."""
    return Resumption(head, Outcome.OTHER_PAST, head)


def _walk(start: Position, events: Sequence[PublicEvent]) -> Position | None:
    """Follow the client's rule from ``start``; None if an event is missing, doubled or out of order."""
    offset = start.offset
    for event in events:
        if event.epoch != start.epoch or not event.follows <= offset < event.offset:
            return None
        offset = event.offset
    return Position(epoch=start.epoch, offset=offset)


class Joining:
    """One client's way into one room's live events.

    While history is read, ``offer`` holds. ``settle`` ends that. From then on ``offer`` drops what the
    replay already brought, until something newer ``passed``: then the client may be fed with all others.
    """

    __slots__ = ("_floor", "_held", "_held_max", "passed")

    def __init__(self, held_max: int) -> None:
        self._floor: Position | None = None
        self._held: list[PublicEvent] = []
        self._held_max = held_max
        self.passed = False

    @property
    def overflown(self) -> bool:
        """More was held than is sensible: give the connection up; the client resumes later."""
        return len(self._held) > self._held_max

    def offer(self, events: Sequence[PublicEvent]) -> Sequence[PublicEvent]:
        """Take live ``events`` and return those to send now."""
        if self._floor is None:
            if not self.overflown:
                self._held.extend(events)
            return ()
        return self._newer(self._floor, events)

    def settle(self, floor: Position) -> Sequence[PublicEvent]:
        """History up to ``floor`` is known; return the held events that are newer."""
        held, self._held = self._held, []
        self._floor = floor
        return self._newer(floor, held)

    def _newer(self, floor: Position, events: Sequence[PublicEvent]) -> Sequence[PublicEvent]:
        if self.passed:
            return events
        for index, event in enumerate(events):
            # An event of another epoch begins a new numbering: the client sees the gap by itself.
            if event.epoch != floor.epoch or event.offset > floor.offset:
                self.passed = True
                return events[index:]
        return ()
