"""What residents wait for and do not want to hear: the part of the room's state that is no machine's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, Self

from pydantic import TypeAdapter

from laundryd.wire.events import Waiting
from laundryd.wire.ids import ResidentId, Slug
from laundryd.wire.machines import MachineKind
from laundryd.wire.times import Moment

WATCHES_MAX: Final = 200
"""Residents in the queue at most, as many as a room may have machines: a list against floods, no limit
that a real room meets."""
WATCH_KEPT_FOR: Final = timedelta(hours=12)
"""How long a watch is kept (room time): whoever still waits then has long washed elsewhere or slept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A resident who waits for a machine of ``kind`` since ``since``.

    ``told_until`` and ``told_machine`` are set together while it is their turn: that machine is free,
    and until then nobody else is told of it.
    """

    resident: ResidentId
    kind: MachineKind
    since: Moment
    told_until: Moment | None = None
    told_machine: Slug | None = None

    def is_over(self, now: Moment) -> bool:
        """Say whether its turn has passed unused, or it was kept for long enough."""
        return self.ends_at <= now

    @property
    def ends_at(self) -> Moment:
        """When it is off the list, if nothing happens before."""
        last = self.since + WATCH_KEPT_FOR
        return last if self.told_until is None else min(last, self.told_until)

    def waiting_again(self) -> Self:
        """Return it as one that was not told: the machine was taken within its turn."""
        return replace(self, told_until=None, told_machine=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """``watches`` in the order in which they are told; ``muted``: who takes no requests to collect.

    ``asked``: when each owner was asked to collect last; only requests that still limit the next.
    """

    watches: tuple[Watch, ...] = ()
    muted: frozenset[ResidentId] = frozenset()
    asked: Mapping[ResidentId, Moment] = field(default_factory=dict)

    def watching(self, resident: ResidentId, kind: MachineKind) -> bool:
        """Say whether ``resident`` waits for a machine of ``kind``."""
        return any(one.resident == resident and one.kind is kind for one in self.watches)

    def of(self, resident: ResidentId) -> Waiting:
        """Return everything that ``resident`` waits for, as the relay hears it."""
        return Waiting(
            resident=resident,
            watches={w.kind: w.told_until for w in self.watches if w.resident == resident},
            pickup_muted=resident in self.muted,
        )

    def residents(self) -> list[ResidentId]:
        """Return everybody of whom there is something to say, in a stable order."""
        return sorted({one.resident for one in self.watches} | self.muted)


WAITS: Final[TypeAdapter[Waits]] = TypeAdapter(Waits)
"""Writes them as JSON and reads them back checked."""
