"""Telling a bridge's measurements from its memory of them. Pure: time is an argument.

A bridge (Zigbee2MQTT) sends every plug's last values again when it starts, and half a minute after Home
Assistant's birth. Nothing marks those messages: they are not retained, and look like any other. What
tells them apart is what they say, when they come, and, if the bridge is set to write it, when the plug
itself last spoke (``Reading.said_at``).

- With ``said_at``: the plug spoke since the last message, or nothing is new. The first message of all has
  nothing to be compared with; it counts when the plug spoke within ``FRESH_S`` by our clock.
- Without: after a start the first message is from memory, whatever it says (the memory on the bridge's
  disk may be older than what was heard last). After that, for ``REPEATS_S``, and after a birth for as
  long, a message that says the same as the one before is a repeat.

So a plug that truly draws the same for that minute goes unheard for it, which a detector takes as a plug
that reports on change; the other way round a washer that was switched off would seem to run. What cannot
be known: a bridge that joins a fresh field (voltage) to remembered ones (power) in one message.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from edge.sources.reading import Reading, RepeatCause, RepeatsFollow

REPEATS_S: Final = 60.0
"""How long repeats may come, seconds: Zigbee2MQTT sends them 30 s after a birth, and a large house's plugs
one after the other."""
FRESH_S: Final = 60.0
"""How long ago a plug may have spoken, by the bridge's clock, for its first message to count, seconds."""


@dataclass(slots=True)
class _Memory:
    """What was heard last of one machine. None: nothing, or no repeats are awaited."""

    last: Reading | None = None
    repeats_until: datetime | None = None
    first_is_old: bool = False


class Repeats:
    """Remembers what each machine's plug said last. Not thread-safe."""

    def __init__(self) -> None:
        self._by_machine: dict[str, _Memory] = {}

    def expect(self, told: RepeatsFollow) -> None:
        """Take note that a bridge is about to send what it remembers."""
        memory = self._by_machine.setdefault(told.machine, _Memory())
        memory.repeats_until = told.at + timedelta(seconds=REPEATS_S)
        memory.first_is_old |= told.cause is RepeatCause.START

    def clock_set(self, shift: timedelta) -> None:
        """Move every moment that is remembered by what our clock was set by; the bridge's own stay."""
        for memory in self._by_machine.values():
            memory.repeats_until = memory.repeats_until and memory.repeats_until + shift
            memory.last = memory.last and replace(memory.last, at=memory.last.at + shift)

    def is_repeat(self, reading: Reading) -> bool:
        """Say whether ``reading`` is from a bridge's memory, and remember it."""
        memory = self._by_machine.setdefault(reading.machine, _Memory())
        awaited = memory.repeats_until is not None and _within(reading.at, memory.repeats_until)
        if not awaited:
            memory.first_is_old = False
        if reading.said_at is not None:
            repeated = _spoke_no_more(reading, reading.said_at, memory.last, awaited=awaited)
        else:
            repeated = awaited and (
                memory.first_is_old or memory.last is None or _says_the_same(reading, memory.last)
            )
        memory.first_is_old = False
        memory.last = reading
        return repeated


def _within(at: datetime, until: datetime) -> bool:
    """Say whether ``at`` is in the window that ends at ``until``; a clock set back ends the window."""
    return until - timedelta(seconds=REPEATS_S) <= at < until


def _spoke_no_more(
    reading: Reading, said_at: datetime, last: Reading | None, *, awaited: bool
) -> bool:
    if last is None or last.said_at is None:
        return (reading.at - said_at).total_seconds() > FRESH_S
    if awaited:
        return said_at < last.said_at or (said_at == last.said_at and _says_the_same(reading, last))
    # A bridge's clock may be set back: then the plug spoke at another time, though an earlier one.
    return said_at == last.said_at and _says_the_same(reading, last)


def _says_the_same(one: Reading, other: Reading) -> bool:
    return (one.power_w, one.energy_wh) == (other.power_w, other.energy_wh)
