"""The room on disk. One ``commit`` is one transaction: machines, entries, notices and answer together.

Only the room's writer calls what changes the journal, so ``head``, ``acked`` and ``dropped`` in memory
are those on disk; they move only after the transaction is on the disk. One thing else changes them: when
the shelf moves off the disk or back, or the store is full of what the relay has not acknowledged, a new
epoch begins between two transactions, and a commit that was numbered before is refused with
``EpochMovedError``: the writer numbers it anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

import aiosqlite
from pydantic import ValidationError

from edge.room.inputs import StaffOrder
from edge.room.journal import JournalHead
from edge.room.records import RECORD, MachineRecord
from edge.store.carrying import begin_epoch, bequest_of
from edge.store.commit import (
    INSERT_NOTICE,
    STAFF,
    Commit,
    KeptAnswer,
    KeptClock,
    notice_row,
    write,
    write_clock,
)
from edge.store.limits import KEPT_ACKNOWLEDGED, UNACKNOWLEDGED_MAX
from edge.store.rows import new_epoch_name
from edge.store.runs import begin_run, openings
from edge.store.shelf import Shelf
from laundryd.daemon.steady import ANCHOR, Anchor
from laundryd.live.openings import Opening, is_same_past
from laundryd.wire.commands import CommandAnswer, ResidentCommand, StaffCommand
from laundryd.wire.events import AckKind, Entry, PublicEvent
from laundryd.wire.ids import (
    CommandId,
    Epoch,
    NoticeId,
    Offset,
    PagePosition,
    Position,
    ResidentId,
    Run,
)
from laundryd.wire.notices import Notice, NoticeCard
from laundryd.wire.times import Moment, to_rfc3339

log = logging.getLogger("laundryd.edge.store")


class EpochMovedError(Exception):
    """The numbers of a commit are of an epoch that has ended; nothing was written, number it anew."""


@dataclass(frozen=True, slots=True)
class JournalLines:
    """Consecutive entries as their JSON, oldest first. ``run`` wrote the entry at ``after``.

    ``to_head``: there are no more.
    """

    after: Offset
    run: Run | None
    bodies: list[str]
    to_head: bool


class RoomStore:
    """Machines, journal, answers and notices of one room; open it with ``EdgeStore``."""

    def __init__(
        self,
        shelf: Shelf,
        head: JournalHead,
        *,
        acked: Offset,
        dropped: Offset,
        clock: Anchor | None,
        clock_shift: timedelta,
        openings: tuple[Opening, ...] = (),
    ) -> None:
        self._shelf = shelf
        self.head = head
        self.acked = acked
        """The relay keeps everything up to here."""
        self.dropped = dropped
        """Entries up to here are forgotten."""
        self.has_relay = True
        """False in a room that was never enrolled: no entry is kept for a relay that nobody has."""
        self.clock = clock
        """Where the clock stood when it was kept last; None: it never was."""
        self.clock_shift = clock_shift
        """By how much room time was set since the store began, in all: the sum of every ``shift``."""
        self._openings = openings
        self._taken_along: Offset = 0
        """Entries up to here began this epoch: another one would begin with the same, and win nothing."""
        self.on_head: Callable[[Position], object] = lambda _head: None
        """Hears of each commit that is on the disk, with the journal's end after it."""
        shelf.on_moved.append(self._moved)
        shelf.make_room = self._make_room

    @classmethod
    async def load(cls, shelf: Shelf, *, begins_run: bool = False) -> Self:
        """Read the journal's end; an empty database begins a new epoch.

        ``begins_run``: the room goes on here, in the shelf's run; false for who only looks in.
        """

        async def begin(db: aiosqlite.Connection) -> tuple[aiosqlite.Row, tuple[Opening, ...]]:
            await db.execute(
                "INSERT INTO meta (only_row, epoch, head, last_public, acked, dropped)"
                " VALUES (1, ?, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
                (new_epoch_name(),),
            )
            (row,) = await db.execute_fetchall("SELECT * FROM meta")
            if begins_run:
                await begin_run(db, shelf.run, row["head"])
            return row, await openings(db)

        row, known = await shelf.write(begin)
        return cls(
            shelf,
            JournalHead(row["epoch"], row["head"], row["last_public"]),
            acked=row["acked"],
            dropped=row["dropped"],
            clock=_anchor(row["clock"]),
            clock_shift=timedelta(milliseconds=row["clock_shift_ms"]),
            openings=known,
        )

    async def records(self) -> list[MachineRecord]:
        """Return all kept machines; one that cannot be read is logged and left out."""
        found: list[MachineRecord] = []
        for row in await self._shelf.read("SELECT machine, body FROM machines ORDER BY machine"):
            try:
                found.append(RECORD.validate_json(row["body"]))
            except ValidationError as error:
                log.error(  # noqa: TRY400 -- the finding is the message; what was found names residents
                    "the kept record cannot be read and is dropped: %s",
                    error.errors(include_input=False, include_url=False),
                    extra={"machine": row["machine"]},
                )
        return found

    def stamped(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return ``entries`` as they are kept: each names this opening of the store."""
        run = self._shelf.run
        return [one if one.run == run else one.model_copy(update={"run": run}) for one in entries]

    async def commit(self, work: Commit) -> None:
        """Write ``work`` in one transaction, and forget what is old enough.

        Raises:
            EpochMovedError: ``work`` is numbered in an epoch that has ended, maybe because more entries
                would wait for the relay than are kept; nothing was written.
            sqlite3.Error: nothing was written.

        """
        is_awaited = self.has_relay and work.head.epoch == self.head.epoch
        is_too_much = work.head.offset - self.acked > UNACKNOWLEDGED_MAX
        if is_awaited and work.entries and is_too_much and self._has_its_own:
            await self.new_epoch("more entries wait for the relay than are kept")
        stamped = replace(work, entries=tuple(self.stamped(work.entries)))

        async def commit(db: aiosqlite.Connection) -> Offset:
            if work.head.epoch != self.head.epoch:
                raise EpochMovedError(f"{work.head.epoch} ended, {self.head.epoch} began")
            needless = self.acked if self.has_relay else work.head.offset
            dropped = max(self.dropped, needless - KEPT_ACKNOWLEDGED)
            if work.clock is not None:  # first: what is too old is told in the new time
                await write_clock(db, work.clock, self.clock_shift + work.clock.shift)
            await write(db, stamped)
            # The one at ``dropped`` stays: it shows to which past the others belong.
            await db.execute("DELETE FROM journal WHERE offset < ?", (dropped,))
            await db.execute(
                "UPDATE meta SET head = ?, last_public = ?, dropped = ?",
                (work.head.offset, work.head.last_public, dropped),
            )
            return dropped

        self.dropped = await self._shelf.write(commit)
        self.head = work.head
        self.on_head(work.head.position)
        if work.clock is not None:
            self.clock = work.clock.anchor
            self.clock_shift += work.clock.shift

    async def keep_clock(self, clock: KeptClock) -> None:
        """Keep where the clock stands, when no commit has for long."""
        total = self.clock_shift + clock.shift
        await self._shelf.write(lambda db: write_clock(db, clock, total))
        self.clock, self.clock_shift = clock.anchor, total

    @property
    def run(self) -> Run:
        """Name this opening of the store."""
        return self._shelf.run

    def is_same_past(self, position: PagePosition) -> bool:
        """Say whether the journal, in its present epoch, went through ``position`` of a page."""
        return is_same_past(position, self._shelf.run, self._openings)

    async def answer_to(self, asker: str, command: CommandId) -> KeptAnswer | None:
        """Return what ``asker`` was answered to this command before; None when it is new.

        ``asker``: a resident's id, or a staff member as ``asker_and_id`` names them.
        """
        rows = await self._shelf.read(
            "SELECT command, answer FROM answers WHERE resident = ? AND id = ?", (asker, command)
        )
        if not rows:
            return None
        body, answer = rows[0]["command"], CommandAnswer.model_validate_json(rows[0]["answer"])
        user = asker.removeprefix(STAFF)
        if user == asker:
            return KeptAnswer(ResidentCommand.model_validate_json(body), answer)
        return KeptAnswer(StaffOrder(user, StaffCommand.model_validate_json(body)), answer)

    async def since(self, position: Position, limit: int) -> list[PublicEvent] | None:
        """Return all public events after ``position``, oldest first.

        None when they are not all here, or more than ``limit``: the asker needs a snapshot.
        """
        head = self.head
        if position.epoch != head.epoch or not self.dropped <= position.offset <= head.offset:
            return None
        rows = await self._shelf.read(
            "SELECT body FROM journal WHERE public AND offset > ? AND offset <= ?"
            " ORDER BY offset LIMIT ?",
            (position.offset, head.offset, limit + 1),
        )
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
        rows = await self._shelf.read(
            "SELECT body FROM journal WHERE offset > ? AND offset <= ? ORDER BY offset LIMIT ?",
            (offset, head.offset, limit),
        )
        if self.head.epoch != head.epoch or self.dropped > offset:
            return None
        return [Entry.model_validate_json(row["body"]) for row in rows]

    async def lines_after(self, offset: Offset, limit: int, max_bytes: int) -> JournalLines | None:
        """Return entries after ``offset`` of this epoch as JSON: ``limit`` and ``max_bytes`` at most.

        One at least, if there is any. None when some of them were dropped: the relay needs a snapshot.
        """
        head = self.head
        rows = await self._shelf.read(
            "SELECT offset, body FROM journal WHERE offset >= ? AND offset <= ?"
            " ORDER BY offset LIMIT ?",
            (offset, head.offset, limit + 1),
        )
        if self.head.epoch != head.epoch or self.dropped > offset:
            return None
        run = None
        if rows and rows[0]["offset"] == offset:
            run = Entry.model_validate_json(rows.pop(0)["body"]).run
        bodies: list[str] = []
        size = 0
        for row in rows[:limit]:
            size += len(row["body"].encode())
            if bodies and size > max_bytes:
                break
            bodies.append(row["body"])
        return JournalLines(offset, run, bodies, offset + len(bodies) >= head.offset)

    async def run_at(self, offset: Offset) -> Run | None:
        """Return which run wrote the entry at ``offset``; None when it is not kept, or does not say."""
        rows = await self._shelf.read("SELECT body FROM journal WHERE offset = ?", (offset,))
        return Entry.model_validate_json(rows[0]["body"]).run if rows else None

    async def acknowledge(self, epoch: Epoch, offset: Offset) -> bool:
        """Note that the relay keeps everything up to ``offset``; a lower one than before is stale.

        False, and nothing noted, for another epoch or an offset that this journal never reached: in the
        second case the store is older than the relay's memory and needs ``new_epoch``.
        """
        if epoch != self.head.epoch or offset > self.head.offset:
            return False
        if offset > self.acked:

            async def note(db: aiosqlite.Connection) -> None:
                await db.execute(
                    "UPDATE meta SET acked = max(acked, ?) WHERE epoch = ?", (offset, epoch)
                )

            await self._shelf.write(note)
            if epoch == self.head.epoch:
                self.acked = max(self.acked, offset)
        return True

    async def new_epoch(self, reason: str) -> Epoch:
        """Begin a new epoch: the machines stay, the relay needs a snapshot. Everybody hears of it.

        The journal empties but for what the relay was not told.
        """
        epoch, before = new_epoch_name(), self.head.epoch
        head = await self._shelf.write(lambda db: self._begin_epoch(db, epoch))
        log.warning("new epoch %s instead of %s: %s", epoch, before, reason)
        self._shelf.tell_moved(Position(epoch=epoch, offset=head))
        return epoch

    async def _begin_epoch(self, db: aiosqlite.Connection, epoch: Epoch) -> Offset:
        return await begin_epoch(db, epoch, self._shelf.run, await bequest_of(db))

    async def acknowledgeable(self, notice: NoticeId, resident: ResidentId, kind: AckKind) -> bool:
        """Say whether ``resident`` has this notice and has not said ``kind`` of it yet."""
        rows = await self._shelf.read(
            "SELECT shown, read FROM notices WHERE id = ? AND resident = ?", (notice, resident)
        )
        return bool(rows) and not rows[0]["shown" if kind is AckKind.SHOWN else "read"]

    async def pending_notices(self, resident: ResidentId, now: Moment) -> list[NoticeCard]:
        """Return what ``resident`` has neither seen nor read here and is still useful, oldest first."""
        rows = await self._shelf.read(
            "SELECT body FROM notices WHERE resident = ? AND useful_until > ?"
            " AND NOT shown AND NOT read ORDER BY rowid",
            (resident, to_rfc3339(now)),
        )
        return [Notice.model_validate_json(row["body"]).card() for row in rows]

    async def keep_notice(self, notice: Notice) -> bool:
        """Keep a notice that the relay originated, beside the journal; False when it is kept already."""

        async def keep(db: aiosqlite.Connection) -> bool:
            cursor = await db.execute(f"{INSERT_NOTICE} ON CONFLICT DO NOTHING", notice_row(notice))
            return cursor.rowcount == 1

        return await self._shelf.write(keep)

    async def told_elsewhere(self, notices: Sequence[NoticeId]) -> dict[NoticeId, ResidentId]:
        """Note that these were told at the relay or by push; return whose each is. No journal entry.

        Those that are not kept here are left out.
        """
        marks = ", ".join("?" * len(notices))

        async def note(db: aiosqlite.Connection) -> dict[NoticeId, ResidentId]:
            rows = await db.execute_fetchall(
                f"UPDATE notices SET shown = 1 WHERE id IN ({marks}) RETURNING id, resident",  # noqa: S608 -- marks only
                tuple(notices),
            )
            return {row["id"]: row["resident"] for row in rows}

        return await self._shelf.write(note)

    @property
    def _has_its_own(self) -> bool:
        """Whether this epoch has more than what it took along: then a new one makes room."""
        return self.head.offset > self._taken_along

    def _moved(self, head: Position) -> None:
        self.head = JournalHead(head.epoch, head.offset)
        self._openings = (Opening(self._shelf.run, head.offset),)
        self.acked, self.dropped = 0, 0
        self._taken_along = head.offset

    async def _make_room(self, db: aiosqlite.Connection) -> bool:
        """Forget the older half of journal and answers, and notices that were seen; True: a new epoch.

        One begins when the relay lacks entries of that half: what residents are still to be told goes over.
        If that is all that the journal has, it stays as it is.
        """
        middle = self.dropped + (self.head.offset - self.dropped) // 2
        relay_lacks = self.has_relay and middle > self.acked
        begins = relay_lacks and self._has_its_own
        if begins:
            await self._begin_epoch(db, new_epoch_name())
        elif not relay_lacks:
            await db.execute("DELETE FROM journal WHERE offset < ?", (middle,))
            await db.execute("UPDATE meta SET dropped = ?", (middle,))
            # Should the transaction fail after all, then more is called forgotten than is: nothing breaks.
            self.dropped = middle
        await db.execute(
            "DELETE FROM answers WHERE rowid <= (SELECT (min(rowid) + max(rowid)) / 2 FROM answers)"
        )
        await db.execute("DELETE FROM notices WHERE shown OR read")
        return begins


def _anchor(kept: str | None) -> Anchor | None:
    if kept is None:
        return None
    try:
        return ANCHOR.validate_json(kept)
    except ValidationError:
        log.exception("the kept clock cannot be read: what it was set by meanwhile is not known")
        return None
