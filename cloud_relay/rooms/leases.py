"""Until when each room's edge counts as there without another word from it; pure.

The broker's word is not enough: an edge that dies while the broker is down leaves its retained ``online``
behind for good.
"""

from __future__ import annotations

from typing import Final

from laundryd.wire.ids import RoomKey
from laundryd.wire.uplink import LEASE_S

FIRST_WORD_S: Final = 20.0
"""Real seconds for an edge to speak after the relay has connected or read a retained ``online``: it is
asked for a hello then, and asks by itself, more and more seldom, while it has no answer."""


class Leases:
    """Who was heard when. Times are real monotonic seconds."""

    def __init__(self) -> None:
        self._until_s: dict[RoomKey, float] = {}

    def heard(self, room: RoomKey, now_s: float, for_s: float = LEASE_S) -> None:
        """Let ``room`` be there for ``for_s`` more; a longer lease stands."""
        self._until_s[room] = max(now_s + for_s, self._until_s.get(room, now_s))

    def begin(self, room: RoomKey, now_s: float) -> None:
        """Give ``room`` until its first word, however long it was not heard: we did not listen."""
        self._until_s[room] = now_s + FIRST_WORD_S

    def gone(self, room: RoomKey) -> None:
        """End the lease of ``room``: it said goodbye, or its broker did for it."""
        self._until_s.pop(room, None)

    def lapsed(self, now_s: float) -> list[RoomKey]:
        """Return, once, the rooms whose lease has run out."""
        over = sorted(room for room, until_s in self._until_s.items() if until_s <= now_s)
        for room in over:
            del self._until_s[room]
        return over
