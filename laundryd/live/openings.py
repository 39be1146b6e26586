"""Whether a page's position is of the past that a server's store goes on from. Pure.

A store that is restored from a backup with everything beside it gives out again the numbers that came
after the backup, and nothing in it says so. Pages do: each position names the run, the opening of the
store, in which it was taken. A run that the store does not know was opened after the backup; a position
past the head at which the next run opened was taken after it, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from laundryd.wire.ids import Offset, PagePosition, Run

OPENINGS_KEPT: Final = 64
"""Openings that a store remembers. A page that slept through more restarts takes the room whole."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening of the store, as it concerns one room.

    ``head``: where the room's journal, in its present epoch, ended when ``run`` began; None: nothing was
    written of the room in this run, so the next one says it as well.
    """

    run: Run
    head: Offset | None


def is_same_past(position: PagePosition, present: Run, openings: Iterable[Opening]) -> bool:
    """Say whether the journal went through ``position`` before it came to where it is.

    ``present`` is the run that answers; ``openings`` are those that the store remembers, oldest first.
    Whether the position's epoch is the journal's, and its offset within it, is not looked at here. A
    position without a run is believed.
    """
    if position.run in {None, present}:
        return True
    is_known = False
    for opening in openings:
        if is_known and opening.head is not None:
            return position.offset <= opening.head
        is_known = is_known or opening.run == position.run
    return is_known
