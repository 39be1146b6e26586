"""The queue of pushes: one row for each notice and subscription. No endpoint and no key stands here."""

from __future__ import annotations

from typing import Final

TABLES: Final = """
-- outcome NULL: still to be sent, not before next_at_ms (real time, Unix milliseconds).
CREATE TABLE push_deliveries (
    notice_id TEXT NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    subscription TEXT NOT NULL,
    resident TEXT NOT NULL,
    service TEXT NOT NULL,
    card TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at_ms INTEGER NOT NULL,
    outcome TEXT,
    detail TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (notice_id, subscription)
) STRICT, WITHOUT ROWID;
CREATE INDEX push_deliveries_due ON push_deliveries (service, next_at_ms) WHERE outcome IS NULL;
"""
