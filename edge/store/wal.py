"""Looks at a write-ahead log for damage, which SQLite takes in silence for the log's end.

A log ends where its chain of checksums breaks: that is how SQLite leaves out a transaction that a power cut
tore. The same rule leaves out everything behind a damaged page, and a young room lives wholly in its log.
What tells the two apart: of a torn tail at most one transaction was committed, because each is on the disk
before the next begins (``synchronous=FULL``). Pure, but for ``log_trouble``.

Source: https://www.sqlite.org/fileformat2.html#walformat
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HEAD: Final = struct.Struct(">8I")
"""Magic, version, page size, checkpoint number, two salts, checksum of the six before it."""
FRAME: Final = struct.Struct(">6I")
"""Page number, pages after a commit (0: no commit), two salts, checksum of all before and the page."""
MAGIC: Final = {0x377F0682: "<", 0x377F0683: ">"}
"""The log's first word -> the order in which its checksums read the words."""
VERSION_AT: Final = 60
"""Where a database's file keeps ``user_version``."""
GENERATIONS: Final = 1 << 20
"""The first salt counts how often the log began anew; further away than this no leftover frame is."""
_WORD: Final = 0xFFFF_FFFF
_TORN_COMMITS_MAX: Final = 1


@dataclass(frozen=True, slots=True)
class LogSight:
    """``commits``: transactions that SQLite reads from it. ``damage``: what is wrong; None: nothing."""

    commits: int
    damage: str | None = None


def look_at_log(log: bytes) -> LogSight:
    """Walk through a log's frames as SQLite does, and look at what lies behind the last that counts."""
    if len(log) < HEAD.size or not any(log):
        return LogSight(0)
    magic, _, page_bytes, _, *salts, first, second = HEAD.unpack_from(log)
    order = MAGIC.get(magic)
    if order is None or _checksum(order, log[:24], (0, 0)) != (first, second):
        return LogSight(0, "its log's head is damaged")
    size = FRAME.size + page_bytes
    chain, commits, at = (first, second), 0, HEAD.size
    while at + size <= len(log):
        _, pages, *frame_salts, first, second = FRAME.unpack_from(log, at)
        if frame_salts != salts:
            break
        chain = _checksum(order, log[at : at + 8], chain)
        chain = _checksum(order, log[at + FRAME.size : at + size], chain)
        if chain != (first, second):
            break
        commits += pages != 0
        at += size
    return LogSight(commits, _left_out(log, at, size, salts))


def _left_out(log: bytes, at: int, size: int, salts: list[int]) -> str | None:
    """Say what frames behind the log's end must have been more than a torn transaction; None: nothing."""
    lost = 0
    while at + size <= len(log):
        _, pages, *found, _, _ = FRAME.unpack_from(log, at)
        if found == salts:
            lost += pages != 0
        elif any(found) and not _is_older(found[0], salts[0]):
            # A torn sector leaves both salts, older ones or none: frames lie at multiples of 8 bytes.
            return "its log is overwritten"
        at += size
    if lost > _TORN_COMMITS_MAX:
        return f"its log is damaged before {lost} transactions"
    return None


def _is_older(salt: int, now: int) -> bool:
    # Either way: a log that begins anew while it is read has newer frames behind an older head.
    return min((now - salt) & _WORD, (salt - now) & _WORD) <= GENERATIONS


def _checksum(order: str, data: bytes, before: tuple[int, int]) -> tuple[int, int]:
    one, two = before
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & _WORD
        two = (two + second + one) & _WORD
    return one, two


def log_trouble(path: Path) -> str | None:
    """Say what is wrong with the log of the database at ``path``; None: nothing, or it has none.

    Raises:
        OSError: one of the two cannot be read.

    """
    side = path.with_name(path.name + "-wal")
    log = side.read_bytes() if side.exists() else b""
    if not log or not path.exists():
        return None
    seen = look_at_log(log)
    if seen.damage is None and seen.commits == 0 and not any(log):
        with path.open("rb") as file:
            head = file.read(VERSION_AT + 4)
        if not any(head[VERSION_AT:]):  # no schema in the file, and none in a log that was written
            return "its log is empty of all it held"
    return seen.damage
