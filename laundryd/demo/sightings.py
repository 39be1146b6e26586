"""What simulated residents see, written down in the order in which it came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from typing_extensions import override

from laundryd.wire.ids import Slug
from laundryd.wire.machines import MachineView


class How(StrEnum):
    """The ways in which a resident is told."""

    EDGE = "socket at the edge"
    RELAY = "socket at the relay"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somebody saw something.

    ``kind`` is a public event's cause or a notice's kind. ``machine`` is empty for a notice about none.
    ``subject`` is the same for the same event or
    notice, whoever sees it. ``seen_s`` is real time, Unix seconds; ``caused_at`` room time, None for a
    push, which does not say it. ``text`` is what a notice said, ``view`` the
    machine after an event.
    """

    who: str
    how: How
    what: Literal["event", "notice"]
    kind: str
    machine: Slug | Literal[""]
    subject: str
    seen_s: float
    caused_at: datetime | None = None
    text: str = ""
    view: MachineView | None = None

    @override
    def __str__(self) -> str:
        """Say it in a line, without the time."""
        return f"{self.who}: {self.what} {self.kind} of {self.machine} ({self.how})"


class Sightings:
    """All that was seen; ``on_new`` hears of each."""

    def __init__(self, on_new: Callable[[Sighting], None] = lambda _sighting: None) -> None:
        self.all: list[Sighting] = []
        self._on_new = on_new
        self._changed = asyncio.Event()

    def add(self, sighting: Sighting) -> None:
        """Write one down."""
        self.all.append(sighting)
        self._on_new(sighting)
        self.wake()

    def wake(self) -> None:
        """Let those who wait look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until ``condition`` holds; False when it did not within ``timeout_s``, real time."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True
