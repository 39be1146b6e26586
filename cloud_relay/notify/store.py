"""Notices in SQLite: the statements, and nothing that decides. All run in the caller's transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import aiosqlite
from pydantic import TypeAdapter

from cloud_relay.notify.plan import PENDING, PLANNED, PUSH_ENDED, TOLD, UNSEEN, Plan
from laundryd.daemon.sqlite import execute_all
from laundryd.wire.delivery import DeliveryState, DeliveryStep, Why
from laundryd.wire.events import AckKind
from laundryd.wire.frames import NoticeFrame
from laundryd.wire.ids import NoticeId, ResidentId, RoomKey
from laundryd.wire.notices import NOTICES, Notice, NoticeCard, Origin

PENDING_MAX = 100
"""Notices given to a session that comes; more than that no page can show."""
KEPT_FOR = timedelta(days=30)
"""How long one can ask what became of a notice; longer than any of them is useful."""
PUT_OFF_MAX = timedelta(minutes=1)
"""How old a notice may be, real time, for a returning session to put its push off once more."""
DUE_BATCH_MAX = 200
"""Notices planned in one transaction, so that the loop and the database stay free for others."""


def _texts(words: Collection[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


_PLANNED: Final = _texts(PLANNED)
_UNSEEN: Final = _texts(UNSEEN)
_PENDING: Final = _texts(PENDING)
_UNENDED: Final = _texts(UNSEEN - PUSH_ENDED)
_PUSH_ENDED: Final = _texts(PUSH_ENDED)
_TOLD: Final = _texts(TOLD)
OURS: Final = frozenset(kind for kind, row in NOTICES.items() if row.origin is Origin.RELAY)
"""Kinds that the relay originates."""
_OURS: Final = _texts(OURS)


STEPS_MAX: Final = 50
"""Steps kept of one notice: its way has some six; a session that comes and goes must not fill the disk."""
_STEP: Final = (
    f"steps = CASE WHEN json_array_length(steps) < {STEPS_MAX}"
    " THEN json_insert(steps, '$[#]', json_array(?, ?, ?)) ELSE steps END"
)
"""Adds a step: real time in milliseconds, state, why."""
_STEPS: Final = TypeAdapter(list[tuple[int, DeliveryState, str]])


def to_ms(moment: datetime) -> int:
    """Return ``moment`` as Unix milliseconds."""
    return round(moment.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """Return the UTC moment of Unix milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """One notice as it is kept."""

    card: NoticeCard
    resident: ResidentId
    state: DeliveryState
    socket_tried: bool
    kept_at: datetime


async def insert(
    db: aiosqlite.Connection, notice: Notice, plan: Plan, *, kept_at: datetime
) -> bool:
    """Keep a new notice with its plan; False when it is kept already."""
    cursor = await db.execute(
        "INSERT INTO notices (id, resident, room, card, caused_at_ms, useful_until_ms, state,"
        " socket_tried, due_at_ms, kept_at_ms, steps) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " json_array(json_array(?, ?, ?))) ON CONFLICT DO NOTHING",
        (notice.id, notice.resident, notice.room, notice.card().model_dump_json(),
         to_ms(notice.caused_at), to_ms(notice.useful_until), plan.state, plan.socket,
         to_ms(plan.due_at) if plan.due_at else None, to_ms(kept_at),
         to_ms(kept_at), plan.state, plan.why or ""),
    )  # fmt: skip
    return cursor.rowcount == 1


async def replan(db: aiosqlite.Connection, notice_id: NoticeId, plan: Plan, now: datetime) -> None:
    """Keep a new plan for a notice, made at real time ``now``."""
    await db.execute(
        "UPDATE notices SET state = ?, due_at_ms = ?, socket_tried = max(socket_tried, ?),"  # noqa: S608 -- our own text
        f" {_STEP} WHERE id = ?",
        (plan.state, to_ms(plan.due_at) if plan.due_at else None, plan.socket,
         to_ms(now), plan.state, plan.why or "", notice_id),
    )  # fmt: skip


async def finish(
    db: aiosqlite.Connection, notice_id: NoticeId, state: DeliveryState, why: str, now: datetime
) -> None:
    """Note how the push of a notice ended, unless the resident saw it meanwhile."""
    await finish_all(db, [(notice_id, state, why)], now)


async def finish_all(
    db: aiosqlite.Connection, ended: Sequence[tuple[NoticeId, DeliveryState, str]], now: datetime
) -> None:
    """Note how the pushes of several notices ended, unless the resident saw them meanwhile."""
    sql = (
        "UPDATE notices SET"  # noqa: S608 -- our own states
        f" state = CASE WHEN state IN ({_UNSEEN}) THEN ? ELSE state END,"
        " due_at_ms = NULL, pushed_at_ms = CASE WHEN ? = 'pushed' THEN ? ELSE pushed_at_ms END,"
        f" {_STEP} WHERE id = ?"
    )
    at_ms = to_ms(now)
    rows = [(state, state, at_ms, at_ms, state, why, one) for one, state, why in ended]
    await execute_all(db, [(sql, rows)])


async def due(db: aiosqlite.Connection, real_now: datetime) -> list[Kept]:
    """Read the notices to decide on now: in the order of their deadlines, then of their causes."""
    rows = await db.execute_fetchall(
        "SELECT card, resident, state, socket_tried, kept_at_ms FROM notices"  # noqa: S608 -- our own states
        f" WHERE due_at_ms <= ? AND state IN ({_PLANNED})"
        " ORDER BY due_at_ms, caused_at_ms, id LIMIT ?",
        (to_ms(real_now), DUE_BATCH_MAX),
    )
    return [_kept(row) for row in rows]


async def next_due(db: aiosqlite.Connection) -> datetime | None:
    """Return the next deadline; None when nothing waits."""
    rows = await db.execute_fetchall(
        "SELECT min(due_at_ms) AS due_at_ms FROM notices WHERE due_at_ms IS NOT NULL"
    )
    ms = next(iter(rows))["due_at_ms"]
    return None if ms is None else from_ms(ms)


async def release_held(db: aiosqlite.Connection, room: RoomKey, real_now: datetime) -> None:
    """Let the held notices of ``room`` be decided on now."""
    await db.execute(
        "UPDATE notices SET due_at_ms = ? WHERE room = ? AND state = 'held'",
        (to_ms(real_now), room),
    )


async def release_quiet(db: aiosqlite.Connection, resident: ResidentId, real_now: datetime) -> None:
    """Let what waits for the end of a resident's quiet hours be decided on now."""
    await db.execute(
        "UPDATE notices SET due_at_ms = ? WHERE resident = ? AND state = 'quiet'",
        (to_ms(real_now), resident),
    )


async def acknowledge(
    db: aiosqlite.Connection,
    resident: ResidentId,
    notice_id: NoticeId,
    kind: AckKind,
    now: datetime,
    *,
    room: RoomKey | None,
) -> Kept | None:
    """Note an acknowledgement; return the notice as it was, None for one that is not this resident's.

    ``room``: the notice must be of that room, or one that the relay originates, which goes to the page of
    every room that its resident has open and has joined; None: of any.

    A notice that was read stays read, whatever comes late.
    """
    rows = await db.execute_fetchall(
        "SELECT card, resident, state, socket_tried, kept_at_ms FROM notices"  # noqa: S608 -- our own kinds
        " WHERE id = ?1 AND resident = ?2 AND (room = coalesce(?3, room) OR ("
        f" json_extract(card, '$.kind') IN ({_OURS}) AND EXISTS (SELECT 1 FROM memberships m"
        " WHERE m.resident = notices.resident AND m.room = ?3)))",
        (notice_id, resident, room),
    )
    before = next((_kept(row) for row in rows), None)
    if before is None:
        return None
    where = Why.AT_RELAY if room is None else Why.AT_ROOM
    column = "read_at_ms" if kind is AckKind.READ else "shown_at_ms"
    after = DeliveryState.READ if kind is AckKind.READ else DeliveryState.SHOWN
    if before.state is DeliveryState.READ:
        after = before.state
    await db.execute(
        f"UPDATE notices SET state = ?, due_at_ms = NULL, {column} = coalesce({column}, ?),"  # noqa: S608 -- two fixed names
        f" {_STEP} WHERE id = ?",
        (after, to_ms(now), to_ms(now), after, where, notice_id),
    )
    return before


@dataclass(frozen=True, slots=True)
class Fate:
    """One notice with what became of it, oldest step first."""

    card: NoticeCard
    state: DeliveryState
    steps: list[DeliveryStep]


async def of_resident(db: aiosqlite.Connection, resident: ResidentId, limit: int) -> list[Fate]:
    """Read the resident's newest notices, newest first, with what became of each."""
    rows = await db.execute_fetchall(
        "SELECT card, state, steps FROM notices WHERE resident = ?"
        " ORDER BY caused_at_ms DESC, id LIMIT ?",
        (resident, limit),
    )
    return [
        Fate(
            NoticeCard.model_validate_json(row["card"]),
            DeliveryState(row["state"]),
            [_step(*step) for step in _STEPS.validate_json(row["steps"])],
        )
        for row in rows
    ]


def _step(at_ms: int, state: DeliveryState, why: str) -> DeliveryStep:
    return DeliveryStep(at=from_ms(at_ms), state=state, why=why)


async def forget_in(db: aiosqlite.Connection, resident: ResidentId) -> None:
    """Delete what a resident was, or was to be, told; their pushes go with it."""
    await db.execute("DELETE FROM notices WHERE resident = ?", (resident,))


async def pending(
    db: aiosqlite.Connection, residents: Sequence[ResidentId], room_now: datetime
) -> dict[ResidentId, list[NoticeFrame]]:
    """Read what no app of each has acknowledged and is still useful, oldest first; never held ones.

    What a push told is marked so, and is left out first where there is too much. Who has nothing is
    left out.
    """
    rows = await db.execute_fetchall(
        "SELECT resident, card, told FROM (SELECT resident, card, caused_at_ms, id,"  # noqa: S608 -- our own states
        " state = 'pushed' AS told, row_number() OVER (PARTITION BY resident"
        " ORDER BY state = 'pushed', caused_at_ms, id) AS place FROM notices"
        " WHERE resident IN (SELECT value FROM json_each(?)) AND useful_until_ms > ?"
        f" AND state IN ({_PENDING})) WHERE place <= ? ORDER BY resident, caused_at_ms, id",
        (json.dumps(residents), to_ms(room_now), PENDING_MAX),
    )
    found: defaultdict[ResidentId, list[NoticeFrame]] = defaultdict(list)
    for row in rows:
        notice = NoticeFrame.model_validate_json(row["card"])
        found[row["resident"]].append(notice.model_copy(update={"told": bool(row["told"])}))
    return dict(found)


@dataclass(frozen=True, slots=True)
class Unseen:
    """A notice that no app has acknowledged. ``ended``: a push told it, or none could."""

    card: NoticeCard
    resident: ResidentId
    ended: bool


async def unseen_of_room(
    db: aiosqlite.Connection, room: RoomKey, room_now: datetime
) -> list[Unseen]:
    """Read the notices of ``room`` that may yet be told, and those ended that a page would show."""
    rows = await db.execute_fetchall(
        f"{_UNSEEN_OF} room = ? ORDER BY caused_at_ms, id", (to_ms(room_now), room)
    )
    return [_unseen(row) for row in rows]


async def unseen_among(
    db: aiosqlite.Connection, notice_ids: Sequence[NoticeId], room_now: datetime
) -> list[Unseen]:
    """Read those of ``notice_ids`` that may yet be told, and those ended that a page would show."""
    rows = await db.execute_fetchall(
        f"{_UNSEEN_OF} id IN (SELECT value FROM json_each(?)) ORDER BY caused_at_ms, id",  # noqa: S608 -- our own states
        (to_ms(room_now), json.dumps(list(notice_ids))),
    )
    return [_unseen(row) for row in rows]


_UNSEEN_OF: Final = (
    f"SELECT card, resident, state IN ({_PUSH_ENDED}) AS ended FROM notices"  # noqa: S608 -- our own states
    f" WHERE (state IN ({_UNENDED}) OR state IN ({_PUSH_ENDED}) AND useful_until_ms > ?) AND"
)


def _unseen(row: aiosqlite.Row) -> Unseen:
    return Unseen(NoticeCard.model_validate_json(row["card"]), row["resident"], bool(row["ended"]))


async def untold_of(
    db: aiosqlite.Connection, residents: Sequence[ResidentId]
) -> dict[ResidentId, int]:
    """Count the kept notices of each that should have reached them and did not; none: left out."""
    rows = await db.execute_fetchall(
        "SELECT resident, count(*) AS count FROM notices"
        " WHERE resident IN (SELECT value FROM json_each(?)) AND state IN (?, ?) GROUP BY resident",
        (json.dumps(list(residents)), DeliveryState.EXPIRED, DeliveryState.UNREACHABLE),
    )
    return {row["resident"]: row["count"] for row in rows}


async def end_use(db: aiosqlite.Connection, notice_id: NoticeId, room_now: datetime) -> None:
    """Let no page show a notice whose push has ended: what happened since made it pointless or untrue."""
    await db.execute(
        "UPDATE notices SET useful_until_ms = min(useful_until_ms, ?) WHERE id = ?",
        (to_ms(room_now), notice_id),
    )


async def pages_of(
    db: aiosqlite.Connection, cards: Sequence[NoticeCard]
) -> dict[RoomKey, list[NoticeId]]:
    """Return the rooms whose own pages may have each of ``cards``, by room.

    A room's notice is on its own pages alone. One that the relay originates was on the page of any room that
    its resident has joined.
    """
    found: defaultdict[RoomKey, list[NoticeId]] = defaultdict(list)
    ours = [card.id for card in cards if card.kind in OURS]
    if ours:
        rows = await db.execute_fetchall(
            "SELECT id, m.room FROM notices JOIN memberships m USING (resident)"
            " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY m.room, id",
            (json.dumps(ours),),
        )
        for row in rows:
            found[row["room"]].append(row["id"])
    for card in cards:
        if card.id not in found[card.room]:
            found[card.room].append(card.id)
    return dict(found)


async def told_of_room(
    db: aiosqlite.Connection, room: RoomKey, room_now: datetime, limit: int
) -> dict[NoticeId, bool]:
    """Read the newest notices of ``room`` that were told and would still be useful: which were read."""
    rows = await db.execute_fetchall(
        "SELECT id, state = 'read' AS is_read FROM notices"  # noqa: S608 -- our own states
        " WHERE room = ? AND useful_until_ms > ?"
        f" AND state IN ({_TOLD}) ORDER BY caused_at_ms DESC LIMIT ?",
        (room, to_ms(room_now), limit),
    )
    return {row["id"]: bool(row["is_read"]) for row in rows}


async def prune(db: aiosqlite.Connection, room_now: datetime) -> int:
    """Forget notices caused longer ago than ``KEPT_FOR``, and their pushes; return how many."""
    cursor = await db.execute(
        "DELETE FROM notices WHERE caused_at_ms < ?", (to_ms(room_now - KEPT_FOR),)
    )
    return cursor.rowcount


async def given_to_session(
    db: aiosqlite.Connection, notice_ids: Sequence[NoticeId], now: datetime, deadline: datetime
) -> None:
    """Note that notices were given to an attentive session that came: their push waits for it.

    A notice that went to a socket before waits again only while it is young: a connection that comes
    and goes may put a push off, not away.
    """
    await db.executemany(
        "UPDATE notices SET socket_tried = 1, state = 'waiting', due_at_ms = max(due_at_ms, ?),"  # noqa: S608 -- our own text
        f" {_STEP}"
        " WHERE id = ? AND state IN ('waiting', 'due') AND (socket_tried = 0 OR kept_at_ms > ?)",
        [
            (to_ms(deadline), to_ms(now), DeliveryState.WAITING, Why.CAME_BACK,
             notice_id, to_ms(now - PUT_OFF_MAX))
            for notice_id in notice_ids
        ],
    )  # fmt: skip


async def move(db: aiosqlite.Connection, *, room_time: timedelta, real_time: timedelta) -> None:
    """Move what is still to be decided, in the caller's transaction: the clock was set by that much.

    Not the end of quiet hours, which is a time of day.
    """
    room_ms, real_ms = (round(one / timedelta(milliseconds=1)) for one in (room_time, real_time))
    await db.execute(
        "UPDATE notices SET due_at_ms = due_at_ms + iif(state = 'quiet', 0, ?1),"  # noqa: S608 -- our own states
        " kept_at_ms = kept_at_ms + ?1, useful_until_ms = useful_until_ms + ?2,"
        " card = json_set(card, '$.useful_until',"
        " strftime('%Y-%m-%dT%H:%M:%fZ', (useful_until_ms + ?2) / 1000.0, 'unixepoch'))"
        f" WHERE state IN ({_UNSEEN})",
        (real_ms, room_ms),
    )


def _kept(row: aiosqlite.Row) -> Kept:
    return Kept(
        card=NoticeCard.model_validate_json(row["card"]),
        resident=row["resident"],
        state=DeliveryState(row["state"]),
        socket_tried=bool(row["socket_tried"]),
        kept_at=from_ms(row["kept_at_ms"]),
    )
