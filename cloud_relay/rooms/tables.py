"""The tables of rooms. Views, events and sessions are the wire's JSON; times are RFC 3339 in UTC."""

from __future__ import annotations

from typing import Final

TABLES: Final = """
-- epoch NULL: the room is enrolled, its edge has not been heard yet.
-- position_offset: the newest entry that took effect; journal_floor: the position that the journal
-- begins after, within the same epoch.
CREATE TABLE rooms (
    room TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    epoch TEXT,
    position_offset INTEGER NOT NULL DEFAULT 0,
    journal_floor INTEGER NOT NULL DEFAULT 0,
    durable INTEGER NOT NULL DEFAULT 1,
    local_url TEXT,
    heard_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE room_machines (
    room TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    machine TEXT NOT NULL,
    place INTEGER NOT NULL,
    view TEXT NOT NULL,
    owner TEXT,
    PRIMARY KEY (room, machine)
) STRICT, WITHOUT ROWID;

-- Public events of the room's current epoch only: a new epoch begins with a snapshot.
CREATE TABLE room_events (
    room TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    position_offset INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (room, position_offset)
) STRICT, WITHOUT ROWID;

-- Epochs that a room has left: a late snapshot of one of them must not take the room back.
CREATE TABLE room_past_epochs (
    room TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    epoch TEXT NOT NULL,
    PRIMARY KEY (room, epoch)
) STRICT, WITHOUT ROWID;

-- Who was connected in the room, so that a restart of the relay forgets no attentive resident.
CREATE TABLE room_presence (
    room TEXT PRIMARY KEY REFERENCES rooms (room) ON DELETE CASCADE,
    presence TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

WAITING: Final = """
-- What residents wait for in a room, and who takes no requests to collect; the wire's JSON.
CREATE TABLE room_waiting (
    room TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    resident TEXT NOT NULL,
    waiting TEXT NOT NULL,
    PRIMARY KEY (room, resident)
) STRICT, WITHOUT ROWID;
-- The programmes that residents may choose from, as the newest snapshot listed them.
ALTER TABLE rooms ADD COLUMN programmes TEXT NOT NULL DEFAULT '[]';
"""

OPENINGS: Final = """
-- Each opening of this database by a relay that serves, oldest first: pages name it with a position.
CREATE TABLE store_runs (
    nth INTEGER PRIMARY KEY,
    run TEXT NOT NULL UNIQUE
) STRICT;
-- Where a room's journal stood, in the room's epoch, when opening nth first wrote to it.
CREATE TABLE room_runs (
    room TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    nth INTEGER NOT NULL,
    head INTEGER NOT NULL,
    PRIMARY KEY (room, nth)
) STRICT, WITHOUT ROWID;
"""

RUNS: Final = """
-- Which run of the edge's store wrote the entry at position_offset; NULL: not known.
ALTER TABLE rooms ADD COLUMN run TEXT;
"""
