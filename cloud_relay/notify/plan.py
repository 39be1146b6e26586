"""Where and when a notice is told, pure: one notice, who is present, what time it is -> a plan.

============================  =====================================================
the resident                  the notice
============================  =====================================================
is attentive somewhere        socket; no acknowledgement within 5 s: push
has a page open, unattentive  socket and push at once
is away                       push at once
============================  =====================================================

What the resident wished comes first. A kind they want nothing of is kept in their list alone; one they
want in the app only is never pushed; and in their quiet hours a push waits for the morning, if the notice
can wait: its socket does not, since who looks at the app at night is awake.

Who comes back after a push told them finds the notice in their page's list, marked as told: it is not
announced again, and once it stood on a page that can be seen no other page gets it.

Nothing is told after ``useful_until``. Nothing is planned while the room's edge, just back, may still
bring the acknowledgement; and nobody counts as away while the relay, just started, waits for sessions
to come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from laundryd.wire.delivery import DeliveryState, Why
from laundryd.wire.preferences import Choice

ACK_DEADLINE = timedelta(seconds=5)
"""Real time from a notice on a socket to its push: a visible page acknowledges within one."""
RETURN_GRACE = timedelta(seconds=5)
"""Real time after the relay's start in which sessions come back before anybody counts as away."""
CATCH_UP_MAX = timedelta(seconds=10)
"""Real time that a room whose edge came back may take to bring its acknowledgements."""


PLANNED: Final = frozenset(
    {DeliveryState.HELD, DeliveryState.WAITING, DeliveryState.DUE, DeliveryState.QUIET}
)
"""States that still need a decision."""
UNTOLD: Final = PLANNED - {DeliveryState.HELD} | {
    DeliveryState.SENDING,
    DeliveryState.APP_ONLY,
    DeliveryState.UNREACHABLE,
}
"""States in which a session that comes is told."""
PENDING: Final = UNTOLD | {DeliveryState.PUSHED}
"""States in which a session that comes gets it: what a push told is marked as told."""
UNSEEN: Final = PLANNED | UNTOLD | {DeliveryState.PUSHED}
"""States in which no app of the resident's has acknowledged."""
PUSH_ENDED: Final = frozenset({DeliveryState.PUSHED, DeliveryState.UNREACHABLE})
"""States that stand, whatever happens in the room: why somebody was not told must stay to be read."""
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
class Wish:
    """What the resident wants of this kind of notice, and what the kind allows.

    ``quiet_until``: real time until which no push may come, None when one may come now. ``why``: who
    says so, ``wished`` by the resident or ``kind`` by the table.
    """

    choice: Choice = Choice.APP_AND_PUSH
    quiet_until: datetime | None = None
    why: Why = Why.WISHED


AS_EVER: Final = Wish()
"""The wish of somebody who wished nothing in particular."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The state to keep; whether to send to the sockets now; when to decide again, None for never.

    ``why``: for whoever asks later; None: the state says it all.
    """

    state: DeliveryState
    socket: bool
    due_at: datetime | None
    why: Why | None = None


def decide(
    *, useful_until: datetime, socket_tried: bool, seen: Seen, times: Times, wish: Wish = AS_EVER
) -> Plan:
    """Plan a notice, at first and again at each deadline.

    ``socket_tried``: it went to the sockets before, and nobody acknowledged in time.
    """
    if wish.choice is Choice.NOTHING:
        return Plan(DeliveryState.DECLINED, socket=False, due_at=None, why=Why.WISHED)
    if times.room >= useful_until:
        return Plan(DeliveryState.EXPIRED, socket=False, due_at=None)
    if times.held_until is not None and times.real < times.held_until:
        return Plan(DeliveryState.HELD, socket=False, due_at=times.held_until, why=Why.CATCHING_UP)
    if seen.attentive and not socket_tried:
        due_at = times.real + ACK_DEADLINE
        return Plan(DeliveryState.WAITING, socket=True, due_at=due_at, why=Why.ATTENTIVE)
    return _without_answer(seen, times, wish, socket=seen.open and not socket_tried)


def _without_answer(seen: Seen, times: Times, wish: Wish, *, socket: bool) -> Plan:
    """Plan for somebody who does not look, or looks and did not answer."""
    if wish.choice is Choice.APP_ONLY:
        return Plan(DeliveryState.APP_ONLY, socket=socket, due_at=None, why=wish.why)
    if times.returning_until is not None and times.real < times.returning_until:
        due_at = times.returning_until
        return Plan(DeliveryState.WAITING, socket=socket, due_at=due_at, why=Why.RETURNING)
    if wish.quiet_until is not None and times.real < wish.quiet_until:
        return Plan(
            DeliveryState.QUIET, socket=socket, due_at=wish.quiet_until, why=Why.QUIET_HOURS
        )
    why = Why.NO_ANSWER if seen.attentive else Why.NOT_LOOKING if seen.open else Why.AWAY
    return Plan(DeliveryState.DUE, socket=socket, due_at=times.real, why=why)
