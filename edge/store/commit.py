"""What one decision leaves behind, and how it is written: inside the caller's one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import aiosqlite

from edge.room.inputs import StaffOrder
from edge.room.journal import JournalHead
from edge.room.records import RECORD, MachineRecord
from edge.store.limits import ANSWERS_KEPT_FOR, ANSWERS_MAX, NOTICES_KEPT_FOR, NOTICES_MAX
from laundryd.daemon.steady import ANCHOR, Anchor
from laundryd.wire.commands import CommandAnswer, ResidentCommand, StaffCommand
from laundryd.wire.events import AckKind, Carried, Entry, NoticeAck, PublicEvent
from laundryd.wire.ids import Slug
from laundryd.wire.notices import MOOT_BY, Notice
from laundryd.wire.times import Moment, from_rfc3339, to_rfc3339

Asked = ResidentCommand | StaffOrder
"""What is answered, and answered again when it is repeated. A staff order needs an id here."""


STAFF: Final = "staff/"
"""Stands before the name of a staff member who asked. No resident's id has a slash in it."""


def asker_and_id(asked: Asked) -> tuple[str, str]:
    """Name who asked, and their wish."""
    if isinstance(asked, StaffOrder):
        return STAFF + asked.user, asked.command.id or ""
    return asked.resident, asked.id


def body_of(asked: Asked) -> ResidentCommand | StaffCommand:
    """Return the command as its sender wrote it."""
    return asked.command if isinstance(asked, StaffOrder) else asked


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A command that was answered, and the answer it gets again."""

    command: Asked
    answer: CommandAnswer


@dataclass(frozen=True, slots=True)
class DetectorState:
    """What the detector of ``machine`` knows, as JSON of its own."""

    machine: Slug
    body: str


@dataclass(frozen=True, slots=True)
class LearnedState:
    """What the detector of ``machine`` has learned from past cycles, as JSON of its own.

    Apart from ``DetectorState`` because it is large, up to some 200 KB, and changes once a cycle.
    """

    machine: Slug
    body: str


@dataclass(frozen=True, slots=True)
class KeptClock:
    """Where the clock stood (``laundryd.daemon.steady``), to tell after a restart whether it was set.

    ``shift``: by how much it was set just now; the notices are moved with it.
    """

    anchor: Anchor
    shift: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Document:
    """A named JSON text that is kept with the decision (see ``edge.store.documents``)."""

    name: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Everything that one decision leaves behind. ``head`` is the journal's end after ``entries``."""

    at: Moment
    head: JournalHead
    records: tuple[MachineRecord, ...] = ()
    entries: tuple[Entry, ...] = ()
    answer: KeptAnswer | None = None
    detector: DetectorState | None = None
    learned: LearnedState | None = None
    clock: KeptClock | None = None
    removed: tuple[Slug, ...] = ()
    documents: tuple[Document, ...] = ()


async def write(db: aiosqlite.Connection, work: Commit) -> None:
    """Write everything but the journal's end and the clock; call it inside a transaction."""
    await db.executemany(
        "INSERT OR REPLACE INTO machines VALUES (?, ?)",
        [(record.machine, RECORD.dump_json(record).decode()) for record in work.records],
    )
    await db.executemany(
        "DELETE FROM machines WHERE machine = ?", [(name,) for name in work.removed]
    )
    await _write_entries(db, work.entries)
    if work.detector is not None:
        await write_detector(db, work.detector)
    if work.learned is not None:
        await write_learned(db, work.learned)
    await db.executemany(
        "INSERT OR REPLACE INTO documents VALUES (?, ?)",
        [(one.name, one.body) for one in work.documents],
    )
    if work.answer is not None:
        await _write_answer(db, work.answer, work.at)
    await db.execute(
        "DELETE FROM notices WHERE useful_until < ?"
        " OR rowid <= (SELECT max(rowid) FROM notices) - ?",
        (to_rfc3339(work.at - NOTICES_KEPT_FOR), NOTICES_MAX),
    )


async def write_detector(db: aiosqlite.Connection, state: DetectorState) -> None:
    """Write a detector's state; call it inside a transaction."""
    await db.execute("INSERT OR REPLACE INTO detectors VALUES (?, ?)", (state.machine, state.body))


async def write_learned(db: aiosqlite.Connection, learned: LearnedState) -> None:
    """Write what a detector learned; call it inside a transaction."""
    await db.execute(
        "INSERT OR REPLACE INTO learned VALUES (?, ?)", (learned.machine, learned.body)
    )


async def write_clock(db: aiosqlite.Connection, clock: KeptClock, total: timedelta) -> None:
    """Write where the clock stands and by how much it was set in all; move what waits by its ``shift``.

    What waits are notices: for residents who come to the room's page, and for the relay. Call it inside
    a transaction.
    """
    await db.execute(
        "UPDATE meta SET clock = ?, clock_shift_ms = ?",
        (ANCHOR.dump_json(clock.anchor).decode(), total // timedelta(milliseconds=1)),
    )
    if not clock.shift:
        return
    for row in await db.execute_fetchall("SELECT id, useful_until, body FROM notices"):
        notice = _moved(Notice.model_validate_json(row["body"]), clock.shift)
        # The column may be earlier than the body: when something made it moot.
        until = from_rfc3339(row["useful_until"]) + clock.shift
        await db.execute(
            "UPDATE notices SET useful_until = ?, body = ? WHERE id = ?",
            (to_rfc3339(until), notice.model_dump_json(), row["id"]),
        )
    for row in await db.execute_fetchall(
        "SELECT offset, body FROM journal WHERE offset > (SELECT acked FROM meta)"
        " AND body LIKE '%\"useful_until\"%'"
    ):
        entry = Entry.model_validate_json(row["body"])
        moved = entry.model_copy(
            update={
                "notices": [_moved(one, clock.shift) for one in entry.notices],
                "carried": entry.carried and _carried(entry.carried, clock.shift),
            }
        )
        await db.execute(
            "UPDATE journal SET body = ? WHERE offset = ?", (moved.model_dump_json(), row["offset"])
        )


def _moved(notice: Notice, shift: timedelta) -> Notice:
    return notice.model_copy(update={"useful_until": notice.useful_until + shift})


def _carried(carried: Carried, shift: timedelta) -> Carried:
    return carried.model_copy(update={"notice": _moved(carried.notice, shift)})


INSERT_NOTICE: Final = "INSERT INTO notices (id, resident, useful_until, body) VALUES (?, ?, ?, ?)"


def notice_row(notice: Notice) -> tuple[str, str, str, str]:
    """Return the values for ``INSERT_NOTICE``."""
    until = to_rfc3339(notice.useful_until)
    return notice.id, notice.resident, until, notice.model_dump_json()


async def _write_entries(db: aiosqlite.Connection, entries: Iterable[Entry]) -> None:
    for entry in entries:
        await db.execute(
            "INSERT INTO journal VALUES (?, ?, ?)",
            (entry.offset, entry.event is not None, entry.model_dump_json()),
        )
        if entry.event is not None:
            await _moot(db, entry.event)
        for notice in entry.notices:
            await db.execute(INSERT_NOTICE, notice_row(notice))
        if entry.ack is not None:
            await _mark(db, entry.ack)


async def _moot(db: aiosqlite.Connection, event: PublicEvent) -> None:
    """End the use of what nobody saw yet and the event makes pointless to tell, or untrue.

    It is kept, so that an acknowledgement that is under way still finds it.
    """
    kinds = MOOT_BY.get(event.cause, ())
    if not kinds:
        return
    marks = ", ".join("?" * len(kinds))
    at = to_rfc3339(event.at)
    await db.execute(
        "UPDATE notices SET useful_until = ? WHERE useful_until > ? AND NOT shown AND NOT read"  # noqa: S608 -- marks only
        f" AND json_extract(body, '$.machine') = ? AND json_extract(body, '$.kind') IN ({marks})",
        (at, at, event.machine.machine, *kinds),
    )


async def _mark(db: aiosqlite.Connection, ack: NoticeAck) -> None:
    column = "shown" if ack.kind is AckKind.SHOWN else "read"
    await db.execute(
        f"UPDATE notices SET {column} = 1 WHERE id = ?",  # noqa: S608 -- one of two words above
        (ack.notice_id,),
    )


async def _write_answer(db: aiosqlite.Connection, kept: KeptAnswer, at: Moment) -> None:
    await db.execute(
        "INSERT INTO answers VALUES (?, ?, ?, ?, ?)",
        (
            *asker_and_id(kept.command),
            to_rfc3339(at),
            body_of(kept.command).model_dump_json(),
            kept.answer.model_dump_json(),
        ),
    )
    await db.execute(
        "DELETE FROM answers WHERE at < ? OR rowid <= (SELECT max(rowid) FROM answers) - ?",
        (to_rfc3339(at - ANSWERS_KEPT_FOR), ANSWERS_MAX),
    )
