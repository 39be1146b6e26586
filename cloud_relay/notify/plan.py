"""Where and when a notice is told, pure: one notice, who is present, what time it is -> a plan.

============================  =====================================================
the resident                  the notice
============================  =====================================================
is attentive somewhere        socket; no acknowledgement within 5 s: push
has a page open, unattentive  socket and push at once
is away                       push at once
============================  =====================================================

Nothing is told after ``useful_until``. Nothing is planned while the room's edge, just back, may still
bring the acknowledgement; and nobody counts as away while the relay, just started, waits for sessions
to come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

ACK_DEADLINE = timedelta(seconds=5)
"""Real time from a notice on a socket to its push: a visible page acknowledges within one."""
RETURN_GRACE = timedelta(seconds=5)
"""Real time after the relay's start in which sessions come back before anybody counts as away."""
CATCH_UP_MAX = timedelta(seconds=10)
"""Real time that a room whose edge came back may take to bring its acknowledgements."""


class DeliveryState(StrEnum):
    """What has become of a notice. ``due_at`` is set in the first three."""

    HELD = "held"
    """Its room's edge is catching up; an acknowledgement may be under way."""
    WAITING = "waiting"
    """On a socket, or waiting for sessions to come back; a push follows at the deadline."""
    DUE = "due"
    """To be pushed now."""
    SENDING = "sending"
    """In the push queue."""
    PUSHED = "pushed"
    """At least one push service took it."""
    SHOWN = "shown"
    READ = "read"
    EXPIRED = "expired"
    """Not useful any more before anybody could be told."""
    UNREACHABLE = "unreachable"
    """Away, and no push subscription took it. It is still told to a session that comes."""


PLANNED: Final = frozenset({DeliveryState.HELD, DeliveryState.WAITING, DeliveryState.DUE})
"""States that still need a decision."""
UNTOLD: Final = PLANNED - {DeliveryState.HELD} | {
    DeliveryState.SENDING,
    DeliveryState.UNREACHABLE,
}
"""States in which a session that comes is told."""
UNSEEN: Final = PLANNED | UNTOLD | {DeliveryState.PUSHED}
"""States in which no app of the resident's has acknowledged."""
TOLD: Final = frozenset({DeliveryState.PUSHED, DeliveryState.SHOWN, DeliveryState.READ})
"""States in which the room's own page need not tell any more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How a resident is present, over all sessions at the relay and at all edges."""

    attentive: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Times:
    """``room`` is room time, for ``useful_until``; the others are real time.

    ``held_until``: the room's edge is catching up until then, None when it is not. ``returning_until``:
    before it a missing session may still be on its way back.
    """

    room: datetime
    real: datetime
    held_until: datetime | None = None
    returning_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The state to keep; whether to send to the sockets now; when to decide again, None for never."""

    state: DeliveryState
    socket: bool
    due_at: datetime | None


def decide(*, useful_until: datetime, socket_tried: bool, seen: Seen, times: Times) -> Plan:
    """Plan a notice, at first and again at each deadline.

    ``socket_tried``: it went to the sockets before, and nobody acknowledged in time.
    """
    if times.room >= useful_until:
        return Plan(DeliveryState.EXPIRED, socket=False, due_at=None)
    if times.held_until is not None and times.real < times.held_until:
        return Plan(DeliveryState.HELD, socket=False, due_at=times.held_until)
    if seen.attentive and not socket_tried:
        return Plan(DeliveryState.WAITING, socket=True, due_at=times.real + ACK_DEADLINE)
    socket = seen.open and not socket_tried
    if times.returning_until is not None and times.real < times.returning_until:
        return Plan(DeliveryState.WAITING, socket=socket, due_at=times.returning_until)
    return Plan(DeliveryState.DUE, socket=socket, due_at=times.real)
