"""Rooms as they are handed out, encoded once for everybody who asks until something changes.

A room's state is one immutable value with its position in it: what is encoded was true at that position,
never after it. It is replaced at every event, and with it what was encoded here.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Final

from cloud_relay.rooms.rooms import Rooms
from cloud_relay.rooms.state import RoomState
from laundryd.daemon.clock import Clock
from laundryd.wire.ids import RoomKey
from laundryd.wire.machines import EdgeStatus
from laundryd.wire.times import to_rfc3339

ROOMS_MAX: Final = 10_000
"""Some 5 KB each for a room of ten machines: 50 MB when all of them are asked for."""
KEEP_S: Final = 300.0
"""Bounds how long a fault of the cache could be seen; nothing that is kept becomes wrong by itself."""
_AT: Final = b',"at":"'
"""Before the one field that is never the same; the fields before it cannot contain a bare quote."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was encoded, without the moment between ``head`` and ``tail``. ``made_s``: monotonic seconds."""

    state: RoomState
    edge: EdgeStatus
    head: bytes
    tail: bytes
    made_s: float


class Snapshots:
    """The encoded rooms. ``counts``: answers by outcome, ``kept`` or ``made``."""

    def __init__(
        self, rooms: Rooms, clock: Clock, *, rooms_max: int = ROOMS_MAX, keep_s: float = KEEP_S
    ) -> None:
        self._rooms = rooms
        self._clock = clock
        self._rooms_max = rooms_max
        self._keep_s = keep_s
        self._kept: OrderedDict[RoomKey, _Kept] = OrderedDict()
        self.counts: Counter[str] = Counter()

    def encoded(self, room: RoomKey) -> bytes | None:
        """Return the ``RoomSnapshot`` of ``room`` as JSON; None when its edge was never heard."""
        now_s = self._clock.monotonic_s()
        looks = self._rooms.looks(room)
        kept = self._kept.get(room)
        if looks is None:
            return None
        state, edge = looks
        if (
            kept is None
            or kept.state is not state
            or kept.edge is not edge
            or now_s - kept.made_s >= self._keep_s
        ):
            kept = self._make(state, edge, now_s)
            if kept is None:
                return None
            self._kept[room] = kept
            self.counts["made"] += 1
        else:
            self.counts["kept"] += 1
        self._kept.move_to_end(room)
        while len(self._kept) > self._rooms_max:
            self._kept.popitem(last=False)
        return b"%b%b%b" % (kept.head, to_rfc3339(self._clock.now()).encode(), kept.tail)

    def _make(self, state: RoomState, edge: EdgeStatus, now_s: float) -> _Kept | None:
        at = self._clock.now()
        snapshot = state.snapshot(at, edge, self._rooms.own_run)
        if snapshot is None:
            return None
        before, mark, after = snapshot.model_dump_json().encode().partition(_AT)
        return _Kept(state, edge, before + mark, after.removeprefix(to_rfc3339(at).encode()), now_s)
