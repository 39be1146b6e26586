"""The table of notices. ``due_at_ms`` is real time, ``useful_until_ms`` room time, both Unix milliseconds."""

from __future__ import annotations

from typing import Final

TABLES: Final = """
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    resident TEXT NOT NULL,
    room TEXT NOT NULL,
    card TEXT NOT NULL,
    caused_at_ms INTEGER NOT NULL,
    useful_until_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL DEFAULT '',
    socket_tried INTEGER NOT NULL DEFAULT 0,
    due_at_ms INTEGER,
    kept_at_ms INTEGER NOT NULL,
    shown_at_ms INTEGER,
    read_at_ms INTEGER,
    pushed_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_due ON notices (due_at_ms) WHERE due_at_ms IS NOT NULL;
CREATE INDEX notices_by_age ON notices (caused_at_ms);
CREATE INDEX notices_of_room ON notices (room, useful_until_ms);
CREATE INDEX notices_of_resident ON notices (resident, caused_at_ms);
"""

STEPS: Final = """
-- What happened to a notice: a JSON array of [real time in ms, state, why].
ALTER TABLE notices ADD COLUMN steps TEXT NOT NULL DEFAULT '[]';
"""

BELL_WARNINGS: Final = """
-- Ends of push subscriptions that were told, real time as RFC 3339; a renewed one ends at another time.
CREATE TABLE bell_warnings (
    subscription TEXT PRIMARY KEY,
    expires_at TEXT NOT NULL,
    notice_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriptions_by_end ON subscriptions (expires_at) WHERE expires_at IS NOT NULL;
"""

OUTAGES: Final = """
-- Rooms that are not heard: since_ms is room time, told 1 when it was planned for those it concerns.
CREATE TABLE room_outages (
    room TEXT PRIMARY KEY REFERENCES rooms (room) ON DELETE CASCADE,
    since_ms INTEGER NOT NULL,
    told INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
"""
