"""The room on disk. One ``commit`` is one transaction: machines, entries, notices and answer together.

Only the room's writer calls what changes the journal, so ``head``, ``acked`` and ``dropped`` in memory
are those on disk; they move only after the transaction is on the disk.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Self

import aiosqlite
from pydantic import ValidationError

from edge.room.journal import JournalHead
from edge.room.records import RECORD, MachineRecord
from edge.store.commit import Commit, KeptAnswer, write
from edge.store.limits import KEPT_ACKNOWLEDGED, UNACKNOWLEDGED_MAX
from laundryd.daemon.sqlite import transaction
from laundryd.wire.commands import CommandAnswer, ResidentCommand
from laundryd.wire.events import AckKind, Entry, PublicEvent
from laundryd.wire.ids import CommandId, Epoch, NoticeId, Offset, Position, ResidentId
from laundryd.wire.notices import Notice, NoticeCard
from laundryd.wire.times import Moment, to_rfc3339

log = logging.getLogger("laundryd.edge.store")


class RoomStore:
    """Machines, journal, answers and notices of one room; open it with ``EdgeStore``."""

    def __init__(
        self,
        db: aiosqlite.Connection,
        head: JournalHead,
        *,
        acked: Offset,
        dropped: Offset,
        snapshot_due: bool,
    ) -> None:
        self._db = db
        self.head = head
        self.acked = acked
        """The relay keeps everything up to here."""
        self.dropped = dropped
        """Entries up to here are forgotten."""
        self._snapshot_due = snapshot_due

    @classmethod
    async def load(cls, db: aiosqlite.Connection) -> Self:
        """Read the journal's end from ``db``; an empty database begins a new epoch."""
        async with transaction(db):
            await db.execute(
                "INSERT INTO meta VALUES (1, ?, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
                (new_epoch_name(),),
            )
        async with db.execute("SELECT * FROM meta") as cursor:
            row = await cursor.fetchone()
        assert row is not None  # noqa: S101 -- inserted above
        head = JournalHead(row["epoch"], row["head"], row["last_public"])
        return cls(
            db,
            head,
            acked=row["acked"],
            dropped=row["dropped"],
            snapshot_due=bool(row["snapshot_due"]),
        )

    @property
    def overflow(self) -> bool:
        """Entries were dropped that the relay has not acknowledged."""
        return self.dropped > self.acked

    @property
    def snapshot_due(self) -> bool:
        """The relay needs the whole room: entries were dropped, or no entry tells what is new.

        That is a new epoch, a machine that is gone, another list of programmes.
        """
        return self._snapshot_due or self.overflow

    async def records(self) -> list[MachineRecord]:
        """Return all kept machines; one that cannot be read is logged and left out."""
        async with self._db.execute("SELECT machine, body FROM machines ORDER BY machine") as rows:
            found: list[MachineRecord] = []
            async for row in rows:
                try:
                    found.append(RECORD.validate_json(row["body"]))
                except ValidationError as error:
                    log.error(  # noqa: TRY400 -- the finding is the message; the trace says nothing
                        "the kept record cannot be read and is dropped: %s",
                        error,
                        extra={"machine": row["machine"]},
                    )
        return found

    async def commit(self, work: Commit) -> None:
        """Write ``work`` in one transaction, and forget what is old enough.

        Raises:
            sqlite3.Error: nothing was written.

        """
        dropped = max(
            self.dropped, self.acked - KEPT_ACKNOWLEDGED, work.head.offset - UNACKNOWLEDGED_MAX
        )
        due = self._snapshot_due or work.snapshot_due or bool(work.removed)
        async with transaction(self._db):
            await write(self._db, work)
            await self._db.execute("DELETE FROM journal WHERE offset <= ?", (dropped,))
            await self._db.execute(
                "UPDATE meta SET head = ?, last_public = ?, dropped = ?, snapshot_due = ?",
                (work.head.offset, work.head.last_public, dropped, due),
            )
        was_overflown = self.overflow
        self.head, self.dropped, self._snapshot_due = work.head, dropped, due
        # Once, not at every commit: a room without a relay is in that state for good.
        if self.overflow and not was_overflown:
            log.warning("more entries wait for the relay than are kept: a snapshot stands for them")

    async def answer_to(self, resident: ResidentId, command: CommandId) -> KeptAnswer | None:
        """Return what was answered to this resident's command before; None when it is new."""
        async with self._db.execute(
            "SELECT command, answer FROM answers WHERE resident = ? AND id = ?",
            (resident, command),
        ) as cursor:
            row = await cursor.fetchone()
        if row is None:
            return None
        return KeptAnswer(
            ResidentCommand.model_validate_json(row["command"]),
            CommandAnswer.model_validate_json(row["answer"]),
        )

    async def since(self, position: Position, limit: int) -> list[PublicEvent] | None:
        """Return all public events after ``position``, oldest first.

        None when they are not all here, or more than ``limit``: the asker needs a snapshot.
        """
        head = self.head
        if position.epoch != head.epoch or not self.dropped <= position.offset <= head.offset:
            return None
        async with self._db.execute(
            "SELECT body FROM journal WHERE public AND offset > ? AND offset <= ?"
            " ORDER BY offset LIMIT ?",
            (position.offset, head.offset, limit + 1),
        ) as cursor:
            rows = list(await cursor.fetchall())
        # The journal may have moved on while it was read.
        if len(rows) > limit or self.head.epoch != head.epoch or self.dropped > position.offset:
            return None
        entries = (Entry.model_validate_json(row["body"]) for row in rows)
        return [entry.event for entry in entries if entry.event is not None]

    async def entries_after(self, offset: Offset, limit: int) -> list[Entry] | None:
        """Return at most ``limit`` entries after ``offset`` of this epoch, oldest first.

        None when some of them were dropped: the relay needs a snapshot.
        """
        head = self.head
        async with self._db.execute(
            "SELECT body FROM journal WHERE offset > ? AND offset <= ? ORDER BY offset LIMIT ?",
            (offset, head.offset, limit),
        ) as cursor:
            rows = await cursor.fetchall()
        if self.head.epoch != head.epoch or self.dropped > offset:
            return None
        return [Entry.model_validate_json(row["body"]) for row in rows]

    async def acknowledge(self, epoch: Epoch, offset: Offset) -> bool:
        """Note that the relay keeps everything up to ``offset``; a lower one than before is stale.

        False, and nothing noted, for another epoch or an offset that this journal never reached: in the
        second case the store is older than the relay's memory and needs ``new_epoch``.
        """
        if epoch != self.head.epoch or offset > self.head.offset:
            return False
        if offset > self.acked:
            async with transaction(self._db):
                await self._db.execute(
                    "UPDATE meta SET acked = max(acked, ?) WHERE epoch = ?", (offset, epoch)
                )
            if epoch == self.head.epoch:
                self.acked = max(self.acked, offset)
        return True

    async def snapshot_taken(self) -> None:
        """Note that the relay keeps the whole room. Dropped entries need their acknowledgement too."""
        if self._snapshot_due:
            async with transaction(self._db):
                await self._db.execute("UPDATE meta SET snapshot_due = 0")
            self._snapshot_due = False

    async def new_epoch(self, reason: str) -> Epoch:
        """Begin a new epoch: the journal empties, the machines stay, the relay needs a snapshot."""
        head = JournalHead(new_epoch_name())
        async with transaction(self._db):
            await self._db.execute("DELETE FROM journal")
            await self._db.execute(
                "UPDATE meta SET epoch = ?, head = 0, last_public = 0, acked = 0, dropped = 0,"
                " snapshot_due = 1",
                (head.epoch,),
            )
        log.warning("new epoch %s instead of %s: %s", head.epoch, self.head.epoch, reason)
        self.head, self.acked, self.dropped, self._snapshot_due = head, 0, 0, True
        return head.epoch

    async def acknowledgeable(self, notice: NoticeId, resident: ResidentId, kind: AckKind) -> bool:
        """Say whether ``resident`` has this notice and has not said ``kind`` of it yet."""
        async with self._db.execute(
            "SELECT shown, read FROM notices WHERE id = ? AND resident = ?", (notice, resident)
        ) as cursor:
            row = await cursor.fetchone()
        return row is not None and not row["shown" if kind is AckKind.SHOWN else "read"]

    async def pending_notices(self, resident: ResidentId, now: Moment) -> list[NoticeCard]:
        """Return what ``resident`` has neither seen nor read here and is still useful, oldest first."""
        async with self._db.execute(
            "SELECT body FROM notices WHERE resident = ? AND useful_until > ?"
            " AND NOT shown AND NOT read ORDER BY rowid",
            (resident, to_rfc3339(now)),
        ) as cursor:
            rows = await cursor.fetchall()
        return [Notice.model_validate_json(row["body"]).card() for row in rows]

    async def told_elsewhere(self, notices: Sequence[NoticeId]) -> list[ResidentId]:
        """Note that these were told at the relay or by push; return whose they are. No journal entry."""
        marks = ", ".join("?" * len(notices))
        async with (
            transaction(self._db),
            self._db.execute(
                f"UPDATE notices SET shown = 1 WHERE id IN ({marks}) RETURNING resident",  # noqa: S608 -- marks only
                tuple(notices),
            ) as cursor,
        ):
            rows = await cursor.fetchall()
        return sorted({row["resident"] for row in rows})


def new_epoch_name() -> Epoch:
    """Make a name that no other epoch of any room has."""
    return secrets.token_hex(8)
