"""Where the relay's clock stood when an edge measured it, and by how much it was set since.

An edge judges by what it measured at its last hello. What it sent before it heard that the relay's clock was
set, or what a broker kept meanwhile, speaks of the clock of before: the mark that comes back with it says so.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from laundryd.daemon.clock import Clock
from laundryd.wire.uplink import ClockMark

BOOT_CHARS: Final = 16
"""Of the digest of a boot's name: enough to tell it from the next one."""


def mark_of(clock: Clock) -> ClockMark | None:
    """Return where ``clock`` stands; None for one that keeps nothing to tell it by."""
    anchor = clock.anchor()
    if anchor is None:
        return None
    boot = hashlib.sha256(anchor.seen.boot_id.encode()).hexdigest()[:BOOT_CHARS]
    return ClockMark(boot=boot, offset_ms=round((anchor.steady_s - anchor.seen.boot_s) * 1_000))


def set_since(mark: ClockMark | None, clock: Clock) -> timedelta:
    """Return by how much ``clock`` was set since ``mark`` (room time); zero when that cannot be told.

    Nobody knows it over a reboot, nor for an edge that gives no mark back.
    """
    now = mark_of(clock)
    if mark is None or now is None or mark.boot != now.boot:
        return timedelta()
    return timedelta(milliseconds=round((now.offset_ms - mark.offset_ms) * clock.speed))
