"""The client's rule for events: apply, ignore, or fetch the room. Pure."""

from __future__ import annotations

from enum import Enum, auto

from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position


class Step(Enum):
    """What to do with an event."""

    APPLY = auto()
    DUPLICATE = auto()
    GAP = auto()


def step(position: Position | None, event: PublicEvent) -> Step:
    """Decide by where the client stands; None: it has never seen the room."""
    if position is None or position.epoch != event.epoch:
        return Step.GAP
    if event.offset <= position.offset:
        return Step.DUPLICATE
    return Step.APPLY if event.follows <= position.offset else Step.GAP
