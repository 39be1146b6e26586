"""The tables of announcements. Times are room time, Unix milliseconds."""

from __future__ import annotations

from typing import Final

TABLES: Final = """
-- next_at_ms: when it goes, or goes again; NULL: not any more.
CREATE TABLE announcements (
    announcement TEXT PRIMARY KEY,
    author TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    next_at_ms INTEGER,
    cancelled INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX announcements_due ON announcements (next_at_ms) WHERE next_at_ms IS NOT NULL;

-- What has gone, each once: its row, its residents' notices and the next moment are one transaction.
CREATE TABLE occurrences (
    occurrence TEXT PRIMARY KEY,
    announcement TEXT NOT NULL REFERENCES announcements (announcement) ON DELETE CASCADE,
    due_at_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    missed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX occurrences_of ON occurrences (announcement, due_at_ms);
CREATE INDEX occurrences_shown ON occurrences (until_ms);

CREATE TABLE occurrence_notices (
    notice TEXT PRIMARY KEY REFERENCES notices (id) ON DELETE CASCADE,
    occurrence TEXT NOT NULL REFERENCES occurrences (occurrence) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_of_occurrence ON occurrence_notices (occurrence);
"""
