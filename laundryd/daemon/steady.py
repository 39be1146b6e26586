"""Tells a clock that was set from time that has passed. Pure.

A computer's wall clock may be set at any moment: by time servers after a start without a battery clock,
by an admin. Its boot clock (CLOCK_BOOTTIME) only grows, also through suspend, and starts at zero with
each boot. So within one boot the two tell each other's faults: when they disagree by more than
``SET_S``, the wall clock was set, and what was to happen in ten minutes is still to happen in ten
minutes. Over a reboot nobody knows how long the power was off: then the wall clock is believed, unless
it is behind what was kept, as without a battery clock; then time goes on from what was kept, or from
what the relay says, until the wall clock is set. All seconds are real seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pydantic import TypeAdapter

SET_S: Final = 5.0
"""Disagreement up to here is a time server's slewing, which is followed; beyond it a clock was set."""

RELEASED_S: Final = 1_735_689_600.0
"""2025-01-01: no computer that runs this program has a true clock that shows less."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the computer's clocks show at one moment: Unix seconds, seconds since boot ``boot_id``."""

    wall_s: float
    boot_s: float
    boot_id: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """At the moment of ``seen`` our time was ``steady_s``, Unix seconds.

    ``unset``: the wall clock is known to be wrong, and our time goes on without it.
    """

    steady_s: float
    seen: Sight
    unset: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """``anchor`` to go on from. ``shift_s``: by how much our time was set; 0 when it only passed."""

    anchor: Anchor
    shift_s: float = 0.0


ANCHOR: Final[TypeAdapter[Anchor]] = TypeAdapter(Anchor)
"""Writes an anchor as JSON and reads it back checked."""


def first(seen: Sight) -> Anchor:
    """Begin with nothing kept: there is only the wall clock to believe."""
    return Anchor(seen.wall_s, seen, unset=seen.wall_s < RELEASED_S)


def passed(anchor: Anchor, seen: Sight) -> Anchor:
    """Return the anchor moved on to ``seen``, of the same boot, by the boot clock alone."""
    return replace(anchor, steady_s=anchor.steady_s + seen.boot_s - anchor.seen.boot_s, seen=seen)


def judge(anchor: Anchor, seen: Sight) -> Judged:
    """Judge what the clocks show now, ``anchor`` being what was kept last: just now or before a restart."""
    if seen.boot_id != anchor.seen.boot_id:
        if anchor.unset and anchor.seen.wall_s > anchor.steady_s + SET_S:
            # The relay had said that it is ahead. It may have been set since, or not: time goes on from what
            # was kept, so that nothing is done too early, and the next look takes it as a clock that was set.
            return Judged(Anchor(anchor.steady_s, seen, unset=True))
        # Deadlines that passed while the power was off are past: no shift.
        is_unset = seen.wall_s < max(anchor.steady_s - SET_S, RELEASED_S)
        return Judged(Anchor(max(seen.wall_s, anchor.steady_s), seen, unset=is_unset))
    expected = passed(anchor, seen)
    if anchor.unset and seen.wall_s < max(expected.steady_s - SET_S, RELEASED_S):
        return Judged(expected)
    shift_s = seen.wall_s - expected.steady_s
    there = Anchor(seen.wall_s, seen, unset=seen.wall_s < RELEASED_S)
    return Judged(there, shift_s if abs(shift_s) > SET_S else 0.0)


def judge_relay(anchor: Anchor, relay_s: float) -> Judged:
    """Judge the relay's time, heard at the moment of ``anchor``: it is believed before an unset clock."""
    shift_s = relay_s - anchor.steady_s
    if not anchor.unset or relay_s < RELEASED_S or abs(shift_s) <= SET_S:
        return Judged(anchor)
    return Judged(replace(anchor, steady_s=relay_s), shift_s)
