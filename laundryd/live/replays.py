"""What clients missed, read and encoded once for all who missed the same.

When a server or a network comes back, a room's clients stand at the same few positions. The first who
asks reads the journal; who asks meanwhile waits for the same answer, and who comes later finds it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from laundryd.live.connection import Encoded, encode
from laundryd.live.resume import Resumption, decide, needs_history, since
from laundryd.wire import frames
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position, RoomKey

KEPT_EVENTS_MAX: Final = 5_000
"""Events kept ready, over all rooms; each costs about 3 KB, so 15 MB at most."""

Since = Callable[[RoomKey, Position, int], Awaitable[Sequence[PublicEvent] | None]]
"""Reads a room's journal: ``Desk.since``."""
_Key = tuple[RoomKey, str, int, int]


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer for one room, and the frames that bring a client to its ``floor``."""

    resumption: Resumption
    frames: tuple[Encoded, ...] = ()


class Replays:
    """Answers for positions, by room, epoch, position and head.

    An answer for a head stays right after the head has moved: whoever asks with the older head has been
    held the newer events since before it was read. So nothing needs to be invalidated; the longest
    unused answers go when there are too many events.
    """

    def __init__(self, since: Since, *, replay_max: int, batch_max: int) -> None:
        self._since = since
        self._replay_max = replay_max
        self._batch_max = batch_max
        self._kept: OrderedDict[_Key, Replay] = OrderedDict()
        self._kept_events = 0
        self._reading: dict[_Key, asyncio.Task[Replay]] = {}

    async def answer(
        self, room: RoomKey, named: Position | None, head: Position, not_before: datetime
    ) -> Replay:
        """Answer a client that stands at ``named``; its events are held, and ``head`` was read after that.

        Events from before ``not_before``, room time, are not replayed. Raises what the journal raises.
        """
        if named is None or not needs_history(named, head):
            return Replay(decide(named, head, None, self._replay_max))
        replay = await self._shared(room, named, head)
        missed = replay.resumption.replay
        if missed and since(missed, not_before) is None:
            return Replay(decide(named, head, None, self._replay_max))
        return replay

    async def _shared(self, room: RoomKey, named: Position, head: Position) -> Replay:
        key = (room, head.epoch, named.offset, head.offset)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        reading = self._reading.get(key)
        if reading is None:
            reading = asyncio.create_task(self._read(key, room, named, head), name="replay")
            self._reading[key] = reading
        # Several may wait for it: one whose connection ends does not end it for the others.
        return await asyncio.shield(reading)

    async def _read(self, key: _Key, room: RoomKey, named: Position, head: Position) -> Replay:
        try:
            # One more than is replayed, to see that there are more.
            missed = await self._since(room, named, self._replay_max + 1)
            found = decide(named, head, missed, self._replay_max)
            replay = Replay(found, tuple(encoded(found.replay, self._batch_max)))
            self._keep(key, replay)
            return replay
        finally:
            del self._reading[key]

    def _keep(self, key: _Key, replay: Replay) -> None:
        if not replay.frames:
            return  # too old, or too many: nothing to share
        self._kept[key] = replay
        self._kept_events += len(replay.resumption.replay)
        while self._kept_events > KEPT_EVENTS_MAX:
            _, oldest = self._kept.popitem(last=False)
            self._kept_events -= len(oldest.resumption.replay)


def encoded(events: Sequence[PublicEvent], batch_max: int) -> list[Encoded]:
    """Encode events in order, ``batch_max`` in a frame at most."""
    return [
        encode(frames.Batch(events=list(events[start : start + batch_max])))
        for start in range(0, len(events), batch_max)
    ]
