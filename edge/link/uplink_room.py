"""What the link needs of the room; ``edge.local.desk.LinkedRoom`` is it."""

from __future__ import annotations

from typing import Protocol

from edge.link.outbox import SnapshotReason
from edge.store.room_store import JournalLines
from laundryd.wire.commands import CommandAnswer, ResidentCommand
from laundryd.wire.ids import Offset, Position, Run
from laundryd.wire.notices import Notice
from laundryd.wire.uplink import DownAnnouncement, PresentSession, UpSnapshot


class Announced(Protocol):
    """Where the room shows what the relay wants shown; ``edge.local.announced`` is it."""

    async def take(self, message: DownAnnouncement) -> None:
        """Show what staff announces here now, in the place of what was shown before."""
        ...

    async def take_notice(self, notice: Notice) -> None:
        """Show somebody who is on the room's page a notice of the relay's own."""
        ...


class UplinkRoom(Protocol):
    """What the link needs of the room."""

    def head(self) -> Position:
        """Return the journal's newest position."""
        ...

    def run(self) -> Run:
        """Name this opening of the store."""
        ...

    def durable(self) -> bool:
        """Say whether the journal survives a power cut."""
        ...

    async def lines_after(self, offset: Offset, limit: int, max_bytes: int) -> JournalLines | None:
        """Return entries of the current epoch after ``offset``, oldest first.

        ``limit`` and ``max_bytes`` at most, one at least if there is any; None when some were dropped.
        """
        ...

    async def run_at(self, offset: Offset) -> Run | None:
        """Return which run of the store wrote the entry at ``offset``; None when that is not known."""
        ...

    async def acknowledge(self, position: Position) -> None:
        """Let go of everything up to ``position``: the relay keeps it. Another epoch's is ignored."""
        ...

    async def begin_epoch(self) -> None:
        """Begin new numbers, because the old numbers cannot be continued."""
        ...

    def up_snapshot(self, reason: SnapshotReason, after: Offset) -> UpSnapshot:
        """Return the whole room at ``after``, or at the oldest position that entries lead on from.

        Not at the newest: an entry that a snapshot stands for takes its notices with it.
        """
        ...

    async def command(self, command: ResidentCommand) -> CommandAnswer:
        """Carry out a resident's command, once for each id."""
        ...

    def sessions(self) -> list[PresentSession]:
        """Return everybody who is connected to the room's own page."""
        ...
