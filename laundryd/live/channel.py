"""One room's listeners: batches are encoded once and shared by all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from laundryd.live.batcher import Batcher
from laundryd.live.connection import Connection, Encoded, encode
from laundryd.live.metrics import Counts
from laundryd.live.resume import Joining
from laundryd.live.settings import LiveSettings
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position
from laundryd.wire.phases import URGENT


class Channel:
    """Who listens to one room: those who get everything, and those who are still joining."""

    def __init__(self, settings: LiveSettings, counts: Counts) -> None:
        self._settings = settings
        self._counts = counts
        self._batcher: Batcher[PublicEvent] = Batcher(
            settings.batch_s, settings.batch_max, settings.urgent_max
        )
        self._given_s: list[float] = []
        # Dictionaries for their order: whoever came first is told first.
        self._live: dict[Connection, None] = {}
        self._joining: dict[Connection, Joining] = {}

    @property
    def due_s(self) -> float | None:
        """When ``flush`` should be called; None while nothing waits."""
        return self._batcher.due_s

    @property
    def empty(self) -> bool:
        """Nobody listens."""
        return not self._live and not self._joining

    def listeners(self) -> list[Connection]:
        """Everybody who listens or is about to."""
        return [*self._live, *self._joining]

    def join(self, connection: Connection) -> None:
        """Begin to hold this room's events for ``connection``; call before the journal is read."""
        self._joining[connection] = Joining(self._settings.replay_max)

    def settle(self, connection: Connection, floor: Position | None) -> Sequence[PublicEvent]:
        """End holding and return the held events after ``floor``; None lets all later ones through.

        Whoever left or overflowed in between gets nothing.
        """
        joining = self._joining.get(connection)
        if joining is None:
            return ()
        if floor is None:
            self._promote(connection)
            return ()
        released = joining.settle(floor)
        if joining.passed:
            self._promote(connection)
        return released

    def leave(self, connection: Connection) -> None:
        """Send nothing more to ``connection``."""
        self._live.pop(connection, None)
        self._joining.pop(connection, None)

    def publish(self, event: PublicEvent, now_s: float) -> None:
        """Send ``event``, now or with those of the next 100 ms."""
        self._given_s.append(now_s)
        self._send(self._batcher.add(event, now_s, urgent=event.cause in URGENT))

    def flush(self, now_s: float) -> None:
        """Send what waits."""
        self._send(self._batcher.take(now_s))

    def tell(self, message: Encoded) -> int:
        """Give an encoded frame to everybody who was welcomed; return how many took it."""
        told = sum(connection.deliver(message) for connection in self._live)
        welcomed = (c for c in self._joining if c.session_id is not None)
        return told + sum(connection.deliver(message) for connection in welcomed)

    def _send(self, events: Sequence[PublicEvent]) -> None:
        if not events:
            return
        whole = encode(frames.Batch(events=list(events)))
        sent = 0
        for connection in self._live:
            sent += connection.deliver(whole)
        for connection, joining in list(self._joining.items()):
            newer = joining.offer(events)
            if newer:
                part = (
                    whole if len(newer) == len(events) else encode(frames.Batch(events=list(newer)))
                )
                sent += connection.deliver(part)
            if joining.passed:
                self._promote(connection)
            elif joining.overflown:
                connection.close(CloseCode.STARVED)
        self._counts.frames("batch", sent)
        # All that waits goes together, so these are the moments of ``events``.
        given_s, self._given_s = self._given_s, []
        if sent:
            self._counts.delivered(given_s, asyncio.get_running_loop().time())

    def _promote(self, connection: Connection) -> None:
        del self._joining[connection]
        self._live[connection] = None
