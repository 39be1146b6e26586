"""The phases of a machine and the moves between them that are legal.

``MOVES`` is the whole truth: the room's state machine makes no move that is not in it, the app offers
no button whose move is not in it, and the tests walk it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """What a machine is to the residents."""

    FREE = "free"
    CLAIMED = "claimed"
    """A resident is on the way (출발해요); held for them."""
    ARRIVED = "arrived"
    """They stand before it (도착해요); held a little longer."""
    IN_USE = "in_use"
    """It runs, or was registered as running (사용 등록)."""
    FINISHED = "finished"
    """Done, laundry still inside."""
    OUT_OF_ORDER = "out_of_order"


class Sensor(StrEnum):
    """What the edge hears of the machine's plug; beside the phase, never a phase."""

    NONE = "none"
    """No plug: timers and residents only."""
    OK = "ok"
    SILENT = "silent"
    """A plug that should speak and does not. It ends nothing."""


class Cause(StrEnum):
    """Why a machine changed; also the kind of the public event that says so."""

    CLAIMED = "claimed"
    ARRIVED = "arrived"
    STARTED = "started"
    """A resident registered it as in use."""
    ADOPTED = "adopted"
    """A resident said that a running or finished machine without an owner is theirs."""
    RELEASED = "released"
    """Its holder gave it back."""
    HOLD_ENDING = "hold_ending"
    """The phase stays ``claimed``; the time to arrive is nearly over."""
    HOLD_ENDED = "hold_ended"
    """The time to arrive or to start ran out."""
    CYCLE_STARTED = "cycle_started"
    """The plug saw it start."""
    NOT_STARTED = "not_started"
    """Registered as in use, but the plug saw no power for five minutes."""
    ENDING_SOON = "ending_soon"
    """The phase stays ``in_use``; the end is near."""
    FINISHED = "finished"
    """The plug, or without one the timer, saw its end; or staff did."""
    RESUMED = "resumed"
    """It was called finished and goes on with the same load: what was said is corrected."""
    END_EXPECTED = "end_expected"
    """The phase stays; what is known of the end changed enough to be told."""
    EXTENDED = "extended"
    """The phase stays; its owner moved the expected end."""
    REMINDED = "reminded"
    """The phase stays ``finished``; its owner is told again that the laundry is still there."""
    PICKUP_REQUESTED = "pickup_requested"
    """The phase stays ``finished``; another resident asks that it be collected."""
    OWNER_COMING = "owner_coming"
    """The phase stays ``finished``; the owner answers those who asked."""
    FAULT_REPORTED = "fault_reported"
    """The phase stays; a resident says that something is wrong with it."""
    FAULT_CLEARED = "fault_cleared"
    """The phase stays; staff looked, and it is fine."""
    COLLECTED = "collected"
    """The laundry is out."""
    OUT_OF_ORDER = "out_of_order"
    REPAIRED = "repaired"
    SENSOR_CHANGED = "sensor_changed"
    """The phase stays; its plug fell silent or came back."""


URGENT: Final = frozenset({Cause.FINISHED, Cause.RESUMED, Cause.FAULT_REPORTED, Cause.OUT_OF_ORDER})
"""What residents wait for or must not walk down for: such an event waits for no batch."""

_P = Phase
_HELD = frozenset({_P.CLAIMED, _P.ARRIVED})
_ALL = frozenset(_P)

MOVES: Final[dict[Cause, tuple[frozenset[Phase], Phase | None]]] = {
    Cause.CLAIMED: (frozenset({_P.FREE}), _P.CLAIMED),
    Cause.ARRIVED: (frozenset({_P.CLAIMED}), _P.ARRIVED),
    # A resident may register without having said anything before: they walked in and it was free.
    Cause.STARTED: (_HELD | {_P.FREE}, _P.IN_USE),
    Cause.ADOPTED: (frozenset({_P.IN_USE, _P.FINISHED}), None),
    # Giving back a machine that runs: registered by mistake; the plug decides what it is then.
    Cause.RELEASED: (_HELD | {_P.IN_USE}, _P.FREE),
    # Who has arrived is not hurried: they stand before it.
    Cause.HOLD_ENDING: (frozenset({_P.CLAIMED}), None),
    Cause.HOLD_ENDED: (_HELD, _P.FREE),
    # From ``finished``: the next load, so the one before was collected.
    Cause.CYCLE_STARTED: (_HELD | {_P.FREE, _P.FINISHED, _P.IN_USE}, _P.IN_USE),
    Cause.NOT_STARTED: (frozenset({_P.IN_USE}), _P.FREE),
    Cause.ENDING_SOON: (frozenset({_P.IN_USE}), None),
    Cause.FINISHED: (frozenset({_P.IN_USE}), _P.FINISHED),
    # By the plug, or by its owner's ``extend`` where a timer alone said that it was done.
    Cause.RESUMED: (frozenset({_P.FINISHED}), _P.IN_USE),
    Cause.END_EXPECTED: (frozenset({_P.IN_USE}), None),
    Cause.EXTENDED: (frozenset({_P.IN_USE}), None),
    Cause.REMINDED: (frozenset({_P.FINISHED}), None),
    Cause.PICKUP_REQUESTED: (frozenset({_P.FINISHED}), None),
    Cause.OWNER_COMING: (frozenset({_P.FINISHED}), None),
    Cause.FAULT_REPORTED: (_ALL, None),
    Cause.FAULT_CLEARED: (_ALL, None),
    Cause.COLLECTED: (frozenset({_P.FINISHED}), _P.FREE),
    Cause.OUT_OF_ORDER: (_ALL - {_P.OUT_OF_ORDER}, _P.OUT_OF_ORDER),
    Cause.REPAIRED: (frozenset({_P.OUT_OF_ORDER}), _P.FREE),
    Cause.SENSOR_CHANGED: (_ALL, None),
}
"""Cause -> (phases it may happen in, phase after it; None: the phase stays)."""


def is_legal(cause: Cause, before: Phase, after: Phase) -> bool:
    """Say whether ``cause`` may take a machine from ``before`` to ``after``."""
    sources, target = MOVES[cause]
    return before in sources and after == (before if target is None else target)
