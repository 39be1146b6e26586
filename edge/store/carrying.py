"""What goes over into a new epoch: what the relay was not told, or may not have been told, of the old one.

A new epoch begins with a snapshot, and a snapshot shows how the room is, not whom to tell of it. So notices
that the relay has not acknowledged begin the new journal, under their old ids, and acknowledgements with
them: a resident who is away is told, once, and one who saw it in the room is not told again. What is carried
is bounded, well under what may wait for the relay, so that a new journal has room.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiosqlite
from pydantic import ValidationError

from edge.store.limits import ACKS_CARRIED_MAX, NOTICES_MAX
from edge.store.runs import begin_runs_anew
from laundryd.wire.events import Carried, Entry, NoticeAck
from laundryd.wire.ids import Epoch, NoticeId, Offset, Run
from laundryd.wire.notices import Notice
from laundryd.wire.times import Moment, from_rfc3339

log = logging.getLogger("laundryd.edge.store")


@dataclass(slots=True)
class Bequest:
    """Notices by id, oldest first, and acknowledgements in their order."""

    notices: dict[NoticeId, Carried] = field(default_factory=dict)
    acks: list[NoticeAck] = field(default_factory=list)

    def add(self, other: Bequest) -> None:
        """Take what ``other`` leaves as well; what both leave is taken once."""
        for notice_id, carried in other.notices.items():
            self.notices.setdefault(notice_id, carried)
        self.acks += [ack for ack in other.acks if ack not in self.acks]


async def bequest_of(db: aiosqlite.Connection) -> Bequest:
    """Read what the journal of ``db`` leaves; what cannot be read is logged and left out.

    Notices that the store has forgotten are useful no more, and those that something made moot neither. The
    others are as they are kept now: a clock that was set has moved them.
    """
    found = Bequest()
    try:
        kept = {
            row["id"]: (row["body"], from_rfc3339(row["useful_until"]))
            for row in await db.execute_fetchall("SELECT id, body, useful_until FROM notices")
        }
        rows = await db.execute_fetchall(
            "SELECT body FROM journal WHERE offset > (SELECT acked FROM meta)"
            # Few of many thousands have either: the others need not be read.
            " AND (body LIKE '%\"useful_until\"%' OR body LIKE '%\"notice_id\"%') ORDER BY offset"
        )
    except sqlite3.Error as error:
        log.error("what the relay was not told cannot be read: %s", error)  # noqa: TRY400 -- no news in it
        return found
    for row in rows:
        try:
            _take(found, Entry.model_validate_json(row["body"]), kept)
        except (
            ValidationError
        ) as error:  # its own text shows what was found, and that names residents
            log.error("a damaged entry is left out: %d wrong fields", error.error_count())  # noqa: TRY400
    return found


def _take(found: Bequest, entry: Entry, kept: Mapping[NoticeId, tuple[str, Moment]]) -> None:
    carried = [Carried(notice=one, cause=entry.position) for one in entry.notices]
    for one in (*carried, *([entry.carried] if entry.carried else [])):
        if one.notice.id not in kept:
            continue
        body, useful_until = kept[one.notice.id]
        now = Notice.model_validate_json(body)
        if useful_until >= now.useful_until:
            found.notices[now.id] = Carried(notice=now, cause=one.cause)
    if entry.ack is not None:
        found.acks.append(entry.ack)


async def begin_epoch(db: aiosqlite.Connection, epoch: Epoch, run: Run, bequest: Bequest) -> Offset:
    """Begin ``epoch`` with a journal that has ``bequest`` alone, written in ``run``; return its head.

    Call it inside a transaction.
    """
    await db.execute("DELETE FROM journal")
    await db.execute(
        "UPDATE meta SET epoch = ?, head = 0, last_public = 0, acked = 0, dropped = 0", (epoch,)
    )
    head = 0
    told: list[tuple[Carried | None, NoticeAck | None]] = [
        *((one, None) for one in list(bequest.notices.values())[-NOTICES_MAX:]),
        *((None, ack) for ack in bequest.acks[-ACKS_CARRIED_MAX:]),
    ]
    for carried, ack in told:
        head += 1
        entry = Entry(epoch=epoch, offset=head, carried=carried, ack=ack, run=run)
        await db.execute("INSERT INTO journal VALUES (?, 0, ?)", (head, entry.model_dump_json()))
    await db.execute("UPDATE meta SET head = ?", (head,))
    await begin_runs_anew(db, run, head)
    return head
