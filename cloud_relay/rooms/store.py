"""Rooms in SQLite: the statements, and nothing that decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import aiosqlite
from pydantic import TypeAdapter

from cloud_relay.rooms.state import Change, RoomState
from laundryd.daemon.sqlite import Statement, execute_all
from laundryd.wire.events import PublicEvent, Waiting
from laundryd.wire.ids import Position, RoomKey
from laundryd.wire.machines import MachineView, Programme
from laundryd.wire.times import from_rfc3339, to_rfc3339
from laundryd.wire.uplink import UpPresence

_PROGRAMMES = TypeAdapter(tuple[Programme, ...])

JOURNAL_EVENTS_MAX = 5_000
"""Public events kept for each room: some days of a busy one; an older client gets a snapshot."""
JOURNAL_SLACK = 250
"""Events above the maximum before the oldest go: one deletion for many, not one for each."""


async def insert_room(db: aiosqlite.Connection, room: RoomKey, name: str, now: datetime) -> bool:
    """Enrol ``room``; False when it is enrolled already."""
    cursor = await db.execute(
        "INSERT INTO rooms (room, name, heard_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (room, name, to_rfc3339(now)),
    )
    return cursor.rowcount == 1


async def load_rooms(db: aiosqlite.Connection, room: RoomKey | None = None) -> list[RoomState]:
    """Read every room, or only ``room``."""
    where, values = ("WHERE room = ?", (room,)) if room is not None else ("", ())
    rows = await db.execute_fetchall(f"SELECT * FROM rooms {where}", values)  # noqa: S608 -- two fixed texts
    return [await _state(db, row) for row in rows]


async def _state(db: aiosqlite.Connection, row: aiosqlite.Row) -> RoomState:
    machines = await db.execute_fetchall(
        "SELECT machine, view, owner FROM room_machines WHERE room = ? ORDER BY place, machine",
        (row["room"],),
    )
    waiting = await db.execute_fetchall(
        "SELECT resident, waiting FROM room_waiting WHERE room = ? ORDER BY resident",
        (row["room"],),
    )
    heads = await db.execute_fetchall(
        "SELECT nth, head FROM room_runs WHERE room = ? ORDER BY nth", (row["room"],)
    )
    epoch = row["epoch"]
    return RoomState(
        room=row["room"],
        name=row["name"],
        heard_at=from_rfc3339(row["heard_at"]),
        position=Position(epoch=epoch, offset=row["position_offset"]) if epoch else None,
        run=row["run"],
        floor=row["journal_floor"],
        durable=bool(row["durable"]),
        local_url=row["local_url"],
        machines={m["machine"]: MachineView.model_validate_json(m["view"]) for m in machines},
        owners={m["machine"]: m["owner"] for m in machines if m["owner"] is not None},
        waiting={w["resident"]: Waiting.model_validate_json(w["waiting"]) for w in waiting},
        programmes=_PROGRAMMES.validate_json(row["programmes"]),
        run_heads=tuple((head["nth"], head["head"]) for head in heads),
    )


async def write_change(db: aiosqlite.Connection, before: RoomState, change: Change) -> RoomState:
    """Write what ``change`` did, inside the caller's transaction; return the state with its new floor."""
    after = change.state
    statements = [
        *(_replace(before, after) if change.replaced else ()),
        _machines(change),
        *_waiting(change),
        *_append(after.room, change.events),
    ]
    if _may_be_full(after):
        await execute_all(db, statements)
        after = await _trim(db, after)
        statements.clear()
    await execute_all(db, [*statements, _head(after)])
    return after


def _replace(before: RoomState, after: RoomState) -> Iterable[Statement]:
    old, new = before.position, after.position
    if old is not None and new is not None and old.epoch != new.epoch:
        yield (
            "INSERT OR IGNORE INTO room_past_epochs (room, epoch) VALUES (?, ?)",
            [(before.room, old.epoch)],
        )
    yield "DELETE FROM room_events WHERE room = ?", [(after.room,)]
    yield "DELETE FROM room_machines WHERE room = ?", [(after.room,)]


def _machines(change: Change) -> Statement:
    after = change.state
    changed = (
        list(after.machines)
        if change.replaced
        else list(dict.fromkeys(event.machine.machine for event in change.events))
    )
    places = {slug: place for place, slug in enumerate(after.machines)}
    sql = (
        "INSERT INTO room_machines (room, machine, place, view, owner) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (room, machine) DO UPDATE SET view = excluded.view, owner = excluded.owner"
    )
    return (
        sql,
        [
            (after.room, slug, places[slug], after.machines[slug].model_dump_json(),
             after.owners.get(slug))
            for slug in changed
        ],
    )  # fmt: skip


def _waiting(change: Change) -> Iterable[Statement]:
    room, waiting = change.state.room, change.state.waiting
    if not change.waiting:
        return
    yield (
        "DELETE FROM room_waiting WHERE room = ? AND resident = ?",
        [(room, resident) for resident in change.waiting],
    )
    yield (
        "INSERT INTO room_waiting (room, resident, waiting) VALUES (?, ?, ?)",
        [
            (room, resident, waiting[resident].model_dump_json())
            for resident in sorted(change.waiting)
            if resident in waiting
        ],
    )


async def write_head(db: aiosqlite.Connection, state: RoomState) -> None:
    """Write the room's own row, inside the caller's transaction."""
    await execute_all(db, [_head(state)])


async def write_heard(db: aiosqlite.Connection, heard: Mapping[RoomKey, datetime]) -> None:
    """Write when rooms were heard last, inside the caller's transaction."""
    rows = [(to_rfc3339(at), room) for room, at in heard.items()]
    await execute_all(db, [("UPDATE rooms SET heard_at = ? WHERE room = ?", rows)])


def _head(state: RoomState) -> Statement:
    position = state.position
    sql = (
        "UPDATE rooms SET name = ?, epoch = ?, position_offset = ?, run = ?, journal_floor = ?,"
        " durable = ?, local_url = ?, heard_at = ?, programmes = ? WHERE room = ?"
    )
    return (
        sql,
        [(state.name, position.epoch if position else None, position.offset if position else 0,
          state.run, state.floor, state.durable, state.local_url, to_rfc3339(state.heard_at),
          _PROGRAMMES.dump_json(state.programmes).decode(), state.room)],
    )  # fmt: skip


def _append(room: RoomKey, events: Iterable[PublicEvent]) -> Iterable[Statement]:
    rows = [(room, event.offset, event.model_dump_json()) for event in events]
    if rows:
        yield "INSERT INTO room_events (room, position_offset, event) VALUES (?, ?, ?)", rows


def _may_be_full(state: RoomState) -> bool:
    """Say whether the journal must be counted: it has no more events than numbers after its floor."""
    if state.position is None:
        return False
    return state.position.offset - state.floor > JOURNAL_EVENTS_MAX + JOURNAL_SLACK


async def _trim(db: aiosqlite.Connection, state: RoomState) -> RoomState:
    if await _nth_newest(db, state.room, JOURNAL_EVENTS_MAX + JOURNAL_SLACK) is None:
        return state
    floor = await _nth_newest(db, state.room, JOURNAL_EVENTS_MAX)
    if floor is None:
        return state
    await db.execute(
        "DELETE FROM room_events WHERE room = ? AND position_offset <= ?", (state.room, floor)
    )
    return replace(state, floor=floor)


async def _nth_newest(db: aiosqlite.Connection, room: RoomKey, nth: int) -> int | None:
    rows = await db.execute_fetchall(
        "SELECT position_offset FROM room_events WHERE room = ? ORDER BY position_offset DESC"
        " LIMIT 1 OFFSET ?",
        (room, nth),
    )
    return next((int(row["position_offset"]) for row in rows), None)


async def is_past_epoch(db: aiosqlite.Connection, room: RoomKey, epoch: str) -> bool:
    """Say whether ``room`` was in ``epoch`` and has left it."""
    rows = await db.execute_fetchall(
        "SELECT 1 FROM room_past_epochs WHERE room = ? AND epoch = ?", (room, epoch)
    )
    return bool(list(rows))


async def events_after(
    db: aiosqlite.Connection, room: RoomKey, after: int, limit: int
) -> list[PublicEvent]:
    """Read the first ``limit`` events with ``offset > after``, oldest first."""
    rows = await db.execute_fetchall(
        "SELECT event FROM room_events WHERE room = ? AND position_offset > ?"
        " ORDER BY position_offset LIMIT ?",
        (room, after, limit),
    )
    return [PublicEvent.model_validate_json(row["event"]) for row in rows]


async def write_presence(db: aiosqlite.Connection, room: RoomKey, presence: UpPresence) -> None:
    """Keep who is connected in ``room``, inside the caller's transaction."""
    await db.execute(
        "INSERT INTO room_presence (room, presence) VALUES (?, ?)"
        " ON CONFLICT (room) DO UPDATE SET presence = excluded.presence",
        (room, presence.model_dump_json()),
    )


async def load_presence(db: aiosqlite.Connection) -> dict[RoomKey, UpPresence]:
    """Read who was connected in each room when the relay last heard."""
    rows = await db.execute_fetchall("SELECT room, presence FROM room_presence")
    return {row["room"]: UpPresence.model_validate_json(row["presence"]) for row in rows}
