"""The tables of people. Times are RFC 3339 text in UTC, real time; codes are kept as digests only."""

from __future__ import annotations

from typing import Final

TABLES: Final = """
CREATE TABLE residents (
    resident TEXT PRIMARY KEY,
    lang TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- A token is good only while its device has a row here.
CREATE TABLE devices (
    device TEXT PRIMARY KEY,
    resident TEXT NOT NULL REFERENCES residents (resident) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX devices_of_resident ON devices (resident);

CREATE TABLE memberships (
    resident TEXT NOT NULL REFERENCES residents (resident) ON DELETE CASCADE,
    room TEXT NOT NULL,
    joined_at TEXT NOT NULL,
    PRIMARY KEY (resident, room)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_of_room ON memberships (room);

-- What a room's edge must refuse until the last token that names the device has run out.
CREATE TABLE revoked_devices (
    device TEXT NOT NULL,
    room TEXT NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (device, room)
) STRICT, WITHOUT ROWID;

-- One code a room: a new one takes the place of the old one.
CREATE TABLE join_codes (
    room TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    cap INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    made_at TEXT NOT NULL,
    expires_at TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE link_codes (
    digest TEXT PRIMARY KEY,
    resident TEXT NOT NULL REFERENCES residents (resident) ON DELETE CASCADE,
    device TEXT NOT NULL REFERENCES devices (device) ON DELETE CASCADE,
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriptions (
    id TEXT PRIMARY KEY,
    device TEXT NOT NULL REFERENCES devices (device) ON DELETE CASCADE,
    endpoint TEXT NOT NULL,
    p256dh TEXT NOT NULL,
    auth TEXT NOT NULL,
    created_at TEXT NOT NULL,
    sent_at TEXT,
    error_kind TEXT,
    error_at TEXT,
    UNIQUE (device, endpoint)
) STRICT;

-- The newest roster of each room; the digest says whether its content changed.
CREATE TABLE rosters (
    room TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    digest TEXT NOT NULL,
    jws TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

BELLS: Final = """
-- name: what the browser says that it is, NULL: as its device is called. seen_at: when its app last
-- started. expires_at: when the browser says that it ends.
ALTER TABLE subscriptions ADD COLUMN name TEXT;
ALTER TABLE subscriptions ADD COLUMN seen_at TEXT;
ALTER TABLE subscriptions ADD COLUMN expires_at TEXT;
UPDATE subscriptions SET seen_at = created_at;

-- What its push service has forgotten, or (kind 'removed') its owner has taken away on another device:
-- the endpoint's digest alone, so that the same one is not taken again, and what its owner reads of it.
CREATE TABLE lost_subscriptions (
    id TEXT PRIMARY KEY,
    device TEXT NOT NULL REFERENCES devices (device) ON DELETE CASCADE,
    name TEXT,
    digest TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    sent_at TEXT,
    kind TEXT NOT NULL,
    lost_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX lost_of_device ON lost_subscriptions (device);
"""

VAPID_KEYS: Final = """
-- The public key of ours that a subscription was made with; NULL: before that was kept.
ALTER TABLE subscriptions ADD COLUMN vapid_key TEXT;
"""

PREFERENCES: Final = """
-- What a resident wishes to be told, as the wire's JSON; no row: everything, by app and push.
CREATE TABLE preferences (
    resident TEXT PRIMARY KEY REFERENCES residents (resident) ON DELETE CASCADE,
    wishes TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

WAYS: Final = """
-- Who carries its pushes, web_push or fcm. By fcm the endpoint is the app's registration token; there are
-- no keys of the browser's then, and none of ours.
ALTER TABLE subscriptions ADD COLUMN way TEXT NOT NULL DEFAULT 'web_push';
"""
