"""From an MQTT message to what it tells of the room's machines, with a count of what was skipped."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from edge.sources import payload as payloads
from edge.sources.reading import Heard, Reading, RepeatsFollow, Skip, SkipReason, Told
from edge.sources.repeats import Repeats
from edge.sources.source import Ask, Source

LOG_EVERY: Final = timedelta(seconds=60)
"""At most one log line a reason in this time: a plug that babbles must not fill the disk."""

_log = logging.getLogger("laundryd.edge.sources")


class Router:
    """Knows which machine listens to which topic. Several machines may share a plug's topic.

    Not thread-safe; it does no I/O but logging, and takes the time as an argument.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = tuple(sources)
        self._by_topic: dict[str, tuple[Source, ...]] = {}
        for source in self._sources:
            for topic in source.filters():
                self._by_topic[topic] = (*self._by_topic.get(topic, ()), source)
        self._repeats = Repeats()
        self._counts: Counter[SkipReason] = Counter()
        self._unlogged: Counter[SkipReason] = Counter()
        self._logged_at: dict[SkipReason, datetime] = {}

    def filters(self) -> tuple[str, ...]:
        """Topics to subscribe to, each once, in the order of the machines."""
        return tuple(self._by_topic)

    def asks(self) -> dict[Ask, tuple[str, ...]]:
        """Say what to publish so that plugs say their values at once, and which machines each measures."""
        found: dict[Ask, tuple[str, ...]] = {}
        for source in self._sources:
            for ask in source.asks():
                found[ask] = (*found.get(ask, ()), source.machine)
        return found

    @property
    def skipped(self) -> Mapping[SkipReason, int]:
        """How many messages were skipped since the start, by reason; a shared topic counts by machine."""
        return MappingProxyType(self._counts)

    def clock_set(self, shift: timedelta) -> None:
        """Move every moment that is remembered by what the clock was set by."""
        self._repeats.clock_set(shift)

    def take(
        self, topic: str, payload: bytes, at: datetime, *, retained: bool = False
    ) -> list[Heard]:
        """Say what a message that came at ``at`` (aware UTC) tells; empty when it was skipped.

        ``retained``: the broker sent it from its memory. A will is meant that way; a measurement is of
        unknown age then, and skipped. Never raises for what came over the wire.
        """
        sources = self._by_topic.get(topic)
        if sources is None:
            self._skip(payloads.skip(SkipReason.UNKNOWN_TOPIC, topic), topic, "", at)
            return []
        too_big = payloads.oversized(payload)
        if too_big is not None:
            self._skip(too_big, topic, sources[0].machine, at)
            return []
        heard: list[Heard] = []
        for source in sources:
            found = source.parse(topic, payload, at)
            if isinstance(found, Skip):
                self._skip(found, topic, source.machine, at)
            elif retained and any(isinstance(one, Reading) for one in found):
                stale = payloads.skip(SkipReason.RETAINED, "a kept measurement of unknown age")
                self._skip(stale, topic, source.machine, at)
            else:
                heard.extend(self._measured(source, found, topic, at, retained=retained))
        return heard

    def _measured(
        self, source: Source, found: Sequence[Told], topic: str, at: datetime, *, retained: bool
    ) -> Iterator[Heard]:
        """Leave out what a bridge only remembers, and count what was of no use beside the rest."""
        for one in found:
            if isinstance(one, Skip):
                self._skip(one, topic, source.machine, at)
            elif isinstance(one, RepeatsFollow):
                # The broker's memory of a bridge's start or a birth: it was long ago.
                if not retained:
                    self._repeats.expect(one)
            elif isinstance(one, Reading) and self._repeats.is_repeat(one):
                again = payloads.skip(SkipReason.REPEATED, "a bridge sent again what it remembers")
                self._skip(again, topic, one.machine, one.at)
            else:
                yield one

    def _skip(self, skipped: Skip, topic: str, machine: str, at: datetime) -> None:
        reason = skipped.reason
        self._counts[reason] += 1
        last = self._logged_at.get(reason)
        if last is not None and timedelta(0) <= at - last < LOG_EVERY:
            self._unlogged[reason] += 1
            return
        self._logged_at[reason] = at
        _log.warning(
            "skipped a plug message on %s: %s (%s); %d more of that kind since the last such line",
            payloads.skip(reason, topic).detail,
            reason.value,
            skipped.detail,
            self._unlogged.pop(reason, 0),
            extra={"machine": machine or None},
        )
