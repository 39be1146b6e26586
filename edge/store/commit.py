"""What one decision leaves behind, and how it is written: inside the caller's one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import aiosqlite

from edge.room.journal import JournalHead
from edge.room.records import RECORD, MachineRecord
from edge.store.limits import ANSWERS_KEPT_FOR, ANSWERS_MAX, NOTICES_KEPT_FOR
from laundryd.wire.commands import CommandAnswer, ResidentCommand
from laundryd.wire.events import AckKind, Entry, NoticeAck
from laundryd.wire.ids import Slug
from laundryd.wire.times import Moment, to_rfc3339


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A command that was answered, and the answer it gets again."""

    command: ResidentCommand
    answer: CommandAnswer


@dataclass(frozen=True, slots=True)
class DetectorState:
    """What the detector of ``machine`` knows, as JSON of its own."""

    machine: Slug
    body: str


@dataclass(frozen=True, slots=True)
class Document:
    """A named JSON text that is kept with the decision (see ``edge.store.documents``)."""

    name: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Everything that one decision leaves behind. ``head`` is the journal's end after ``entries``.

    ``snapshot_due``: something changed that no entry tells, so the relay needs the whole room.
    """

    at: Moment
    head: JournalHead
    records: tuple[MachineRecord, ...] = ()
    entries: tuple[Entry, ...] = ()
    answer: KeptAnswer | None = None
    detector: DetectorState | None = None
    removed: tuple[Slug, ...] = ()
    documents: tuple[Document, ...] = ()
    snapshot_due: bool = False


async def write(db: aiosqlite.Connection, work: Commit) -> None:
    """Write everything but the journal's end; call it inside a transaction."""
    await db.executemany(
        "INSERT OR REPLACE INTO machines VALUES (?, ?)",
        [(record.machine, RECORD.dump_json(record).decode()) for record in work.records],
    )
    await db.executemany(
        "DELETE FROM machines WHERE machine = ?", [(name,) for name in work.removed]
    )
    await _write_entries(db, work.entries)
    if work.detector is not None:
        await db.execute(
            "INSERT OR REPLACE INTO detectors VALUES (?, ?)",
            (work.detector.machine, work.detector.body),
        )
    await db.executemany(
        "INSERT OR REPLACE INTO documents VALUES (?, ?)",
        [(one.name, one.body) for one in work.documents],
    )
    if work.answer is not None:
        await _write_answer(db, work.answer, work.at)
    await db.execute(
        "DELETE FROM notices WHERE useful_until < ?", (to_rfc3339(work.at - NOTICES_KEPT_FOR),)
    )


async def _write_entries(db: aiosqlite.Connection, entries: Iterable[Entry]) -> None:
    for entry in entries:
        await db.execute(
            "INSERT INTO journal VALUES (?, ?, ?)",
            (entry.offset, entry.event is not None, entry.model_dump_json()),
        )
        for notice in entry.notices:
            await db.execute(
                "INSERT INTO notices (id, resident, useful_until, body) VALUES (?, ?, ?, ?)",
                (
                    notice.id,
                    notice.resident,
                    to_rfc3339(notice.useful_until),
                    notice.model_dump_json(),
                ),
            )
        if entry.ack is not None:
            await _mark(db, entry.ack)


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
            kept.command.resident,
            kept.command.id,
            to_rfc3339(at),
            kept.command.model_dump_json(),
            kept.answer.model_dump_json(),
        ),
    )
    await db.execute(
        "DELETE FROM answers WHERE at < ? OR rowid <= (SELECT max(rowid) FROM answers) - ?",
        (to_rfc3339(at - ANSWERS_KEPT_FOR), ANSWERS_MAX),
    )
