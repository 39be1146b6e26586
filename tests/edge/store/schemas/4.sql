CREATE TABLE meta (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch TEXT NOT NULL,
    head INTEGER NOT NULL,            -- offset of the newest entry
    last_public INTEGER NOT NULL,     -- offset of the newest public event
    acked INTEGER NOT NULL,           -- the relay keeps everything up to here
    dropped INTEGER NOT NULL,         -- entries up to here were forgotten
    clock TEXT, clock_shift_ms INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE machines (
    machine TEXT PRIMARY KEY,
    body TEXT NOT NULL                -- MachineRecord
) STRICT;
CREATE TABLE journal (
    offset INTEGER PRIMARY KEY,       -- of the epoch in meta; another epoch empties the table
    public INTEGER NOT NULL,
    body TEXT NOT NULL                -- Entry
) STRICT;
CREATE TABLE answers (
    resident TEXT NOT NULL,
    id TEXT NOT NULL,
    at TEXT NOT NULL,                 -- room time
    command TEXT NOT NULL,            -- ResidentCommand
    answer TEXT NOT NULL,             -- CommandAnswer
    PRIMARY KEY (resident, id)
) STRICT;
CREATE INDEX answers_by_age ON answers (at);
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    resident TEXT NOT NULL,
    useful_until TEXT NOT NULL,       -- room time
    shown INTEGER NOT NULL DEFAULT 0,
    read INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL                -- Notice
) STRICT;
CREATE INDEX notices_by_resident ON notices (resident, useful_until);
CREATE INDEX notices_by_end ON notices (useful_until);
CREATE TABLE detectors (
    machine TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE documents (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE residents (
    id TEXT PRIMARY KEY,
    lang TEXT NOT NULL,
    created_at TEXT NOT NULL          -- real time, as all below
) STRICT;
CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    resident TEXT NOT NULL REFERENCES residents (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;
CREATE INDEX devices_by_resident ON devices (resident);
CREATE TABLE join_codes (
    digest TEXT PRIMARY KEY,
    cap INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    expires_at TEXT
) STRICT;
CREATE TABLE link_codes (
    digest TEXT PRIMARY KEY,
    resident TEXT NOT NULL REFERENCES residents (id) ON DELETE CASCADE,
    expires_at TEXT NOT NULL
) STRICT
;
CREATE TABLE learned (
    machine TEXT PRIMARY KEY,
    body TEXT NOT NULL                -- what its detector learned, JSON of its own
) STRICT
;
CREATE TABLE runs (
    nth INTEGER PRIMARY KEY,          -- oldest first
    run TEXT NOT NULL UNIQUE,         -- an opening of this store
    head INTEGER NOT NULL             -- where the journal ended then, in the epoch in meta
) STRICT
;
