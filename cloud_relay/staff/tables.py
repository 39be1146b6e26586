"""The tables of staff. Times are RFC 3339 text in UTC, real time; secrets are kept as digests only."""

from __future__ import annotations

from typing import Final

TABLES: Final = """
CREATE TABLE staff (
    name TEXT PRIMARY KEY,
    added_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One unused sign-in link for each of them: a new one takes the place of the old one.
CREATE TABLE staff_links (
    name TEXT PRIMARY KEY REFERENCES staff (name) ON DELETE CASCADE,
    digest TEXT NOT NULL UNIQUE,
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE staff_sessions (
    digest TEXT PRIMARY KEY,
    name TEXT NOT NULL REFERENCES staff (name) ON DELETE CASCADE,
    signed_in_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX staff_sessions_of ON staff_sessions (name);
"""
