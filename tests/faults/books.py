"""The two journals as they stand on the disks: the room's own is the truth, the relay's must match it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path

from laundryd.wire.commands import CommandAnswer
from laundryd.wire.events import Entry, PublicEvent
from laundryd.wire.ids import NoticeId, Position, ResidentId, Slug
from laundryd.wire.notices import NOTICES, NoticeKind, notice_id
from laundryd.wire.phases import Cause
from tests.faults.judge import Accepted, DueNotice, Item, Saw, Snapshot, Told

NEED_NOT_BE_TOLD = frozenset({"app_only", "moot"})
"""States of a notice that waits for a page that may never come, or that later events made pointless."""
SETTLED = NEED_NOT_BE_TOLD | {"pushed", "shown", "read", "expired", "unreachable"}
"""States of a notice in which the relay has nothing left to do."""


DEEDS = frozenset({Cause.CLAIMED, Cause.RELEASED, Cause.STARTED, Cause.COLLECTED})
"""Causes of events that only a resident's wish has, in this town."""


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)


def behind(edge: Path, relay: Path) -> int:
    """Return how many entries the relay lacks of what stands on the room's disk.

    0 when it is in another epoch: the room left the disk and runs from memory.
    """
    with closing(_open(edge)) as db:
        ((epoch, head),) = db.execute("SELECT epoch, head FROM meta").fetchall()
    with closing(_open(relay)) as db:
        ((kept, offset),) = db.execute("SELECT epoch, position_offset FROM rooms").fetchall()
    return max(0, int(head) - int(offset)) if kept == epoch else 0


@dataclass(slots=True)
class EdgeBook:
    """The room's journal, read bit by bit, and what the room answered.

    ``unkept``: answered as durable, in an epoch that goes on, but not in the journal. ``undue``: done, but
    nobody was answered so, although everybody asks until they are answered: done twice.
    """

    path: Path
    events: set[Position] = field(default_factory=set)
    notices: dict[NoticeId, DueNotice] = field(default_factory=dict)
    entries: set[Position] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    unkept: list[Position] = field(default_factory=list)
    undue: list[Position] = field(default_factory=list)
    _last_read: str = ""
    _began_in: str = ""
    _before: dict[str, set[str]] = field(default_factory=dict)

    def read(self, answers: list[CommandAnswer]) -> None:
        """Read what is new in the journal, and take ``answers``, whose epochs were ``heard_of``."""
        with closing(_open(self.path)) as db:
            ((epoch,),) = db.execute("SELECT epoch FROM meta").fetchall()
            # Whatever else somebody was in has ended.
            self._before.setdefault(epoch, set()).update({*self._before} - {epoch})
            goes_on, self._last_read = epoch == self._last_read, epoch
            self.whole.add(epoch)
            last = max((one.offset for one in self.entries if one.epoch == epoch), default=0)
            rows = db.execute(
                "SELECT body FROM journal WHERE offset > ? ORDER BY offset", (last,)
            ).fetchall()
        answered = {answer.position for answer in answers}
        for (body,) in rows:
            entry = Entry.model_validate_json(body)
            self._take(entry)
            is_deed = entry.event is not None and entry.event.cause in DEEDS
            # A new epoch may have taken over what was answered in the one before.
            if goes_on and is_deed and entry.position not in answered:
                self.undue.append(entry.position)
        for answer in answers:
            position = answer.position
            if position is None or position in self.entries:
                continue
            if position.epoch == epoch and answer.durable:
                self.unkept.append(position)
            self.events.add(position)
        # Of an epoch that ended, what was never answered and not read before it ended is not known.
        self.whole.intersection_update({epoch})

    def take_ends(self, ends: Iterable[PublicEvent], owners: Mapping[Slug, ResidentId]) -> None:
        """Take the notices that ends of washes cause: a room in memory leaves no journal to read."""
        for end in ends:
            resident = owners[end.machine.machine]
            position = Position(epoch=end.epoch, offset=end.offset)
            name = notice_id(end.room, position, NoticeKind.DONE, resident)
            useful_until = end.at + NOTICES[NoticeKind.DONE].useful_for
            self.notices.setdefault(name, DueNotice(name, end.epoch, resident, useful_until))

    def moot(self) -> set[NoticeId]:
        """Return the notices of epochs that have ended that later events had made pointless before.

        The room takes none of them into its new epoch: a relay that was cut off until then never hears of
        them. Of the present epoch it hears all, and says itself which are moot.
        """
        with closing(_open(self.path)) as db:
            rows = db.execute(
                "SELECT id FROM notices WHERE useful_until < json_extract(body, '$.useful_until')"
            ).fetchall()
        now = self._last_read
        return {one for (one,) in rows if one in self.notices and self.notices[one].epoch != now}

    def head(self) -> Position:
        """Return where the journal on the disk ends."""
        with closing(_open(self.path)) as db:
            ((epoch, offset),) = db.execute("SELECT epoch, head FROM meta").fetchall()
        return Position(epoch=epoch, offset=offset)

    def last_public(self) -> Position:
        """Return where somebody stands who knows every event: entries after it are nobody's to see."""
        with closing(_open(self.path)) as db:
            ((epoch, offset),) = db.execute("SELECT epoch, last_public FROM meta").fetchall()
        return Position(epoch=epoch, offset=offset)

    def heard_of(self, epochs: Iterable[str]) -> None:
        """Take note of the epochs that somebody was in since ``next_round``, in their order."""
        before = self._began_in
        for epoch in epochs:
            if epoch != before:
                self._before.setdefault(epoch, set()).add(before)
            before = epoch

    def next_round(self) -> None:
        """Take note that everybody is in the newest epoch."""
        self._began_in = self._last_read

    @property
    def epochs(self) -> tuple[str, ...]:
        """Every epoch, in the order of their beginning, as everybody together went through them.

        Raises:
            graphlib.CycleError: somebody was led back into an epoch that had ended.

        """
        return tuple(TopologicalSorter(self._before).static_order())

    def accepted_beside(self, before: frozenset[Position], *, rewound: bool = False) -> Accepted:
        """Return what was accepted beside ``before``.

        ``rewound``: the room was restored from a backup, and until it heard so from the relay it may have
        given numbers anew; of an epoch that ended, a number then says nothing.
        """
        known = (one for one in self.events - before if not rewound or one.epoch in self.whole)
        return Accepted(tuple(known), self.epochs, frozenset(self.whole))

    def due_beside(self, told: Collection[NoticeId], *, rewound: bool = False) -> list[DueNotice]:
        """Return the notices beside ``told``; ``rewound``: not those of a past that was taken back."""
        return [
            one
            for one in self.notices.values()
            if one.id not in told and (not rewound or one.epoch in self.whole)
        ]

    def _take(self, entry: Entry) -> None:
        self.entries.add(entry.position)
        if entry.event is not None:
            self.events.add(entry.position)
        for notice in entry.notices:
            self.notices[notice.id] = DueNotice(
                notice.id, entry.epoch, notice.resident, notice.useful_until
            )


@dataclass(slots=True)
class RelayBook:
    """The relay's journal as a reader of the room: what it keeps, and where snapshots stood for events."""

    path: Path
    items: list[Item] = field(default_factory=list)
    at: Position | None = None
    """Where it stood when it was read last."""

    def unsettled(self) -> list[str]:
        """Return the notices that the relay still has to do something with, and their states."""
        return [f"{one} {state}" for one, state in self._states().items() if state not in SETTLED]

    def excused(self) -> set[NoticeId]:
        """Return the notices that need not have been told."""
        return {one for one, state in self._states().items() if state in NEED_NOT_BE_TOLD}

    def _states(self) -> dict[NoticeId, str]:
        with closing(_open(self.path)) as db:
            return dict(db.execute("SELECT id, state FROM notices").fetchall())

    def read(self) -> None:
        """Read what is new."""
        before = self.at
        with closing(_open(self.path)) as db:
            db.execute("BEGIN")
            ((epoch, head, floor),) = db.execute(
                "SELECT epoch, position_offset, journal_floor FROM rooms"
            ).fetchall()
            after = before.offset if before is not None and before.epoch == epoch else 0
            rows = db.execute(
                "SELECT position_offset FROM room_events WHERE position_offset > ?"
                " ORDER BY position_offset",
                (after,),
            ).fetchall()
        if before is None or before.epoch != epoch or floor > before.offset:
            # The room was replaced by a snapshot, as the relay asked or the room said.
            whole = Position(epoch=epoch, offset=floor)
            self.items += [Told(whole), Snapshot(whole)]
        self.items += [Saw(Position(epoch=epoch, offset=offset)) for (offset,) in rows]
        self.at = Position(epoch=epoch, offset=head)
