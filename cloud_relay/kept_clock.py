"""The stand of the relay's clock in its database, by which the next start tells whether it was set.

Within one start of the computer its boot clock tells it, however long the relay was off. Over a reboot the
computer's clock is believed: nobody knows how long that took, and a server's clock is set while it boots.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

import aiosqlite
from pydantic import ValidationError

from laundryd.daemon.clock import Clock
from laundryd.daemon.steady import ANCHOR, Anchor

log = logging.getLogger(__name__)

TABLE: Final = """
-- Where the clock stood when it was kept last (laundryd.daemon.steady), as JSON: one row.
CREATE TABLE clock (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    anchor TEXT NOT NULL
) STRICT;
"""


async def keep(db: aiosqlite.Connection, anchor: Anchor) -> None:
    """Keep where the clock stands, in the caller's transaction."""
    body = ANCHOR.dump_json(anchor).decode()
    await db.execute("INSERT OR REPLACE INTO clock VALUES (1, ?)", (body,))


async def begin(db: aiosqlite.Connection, clock: Clock) -> timedelta:
    """Let ``clock`` go on from what is kept; return by how much it was set meanwhile (room time).

    Zero when that cannot be told: at the first start, or after a reboot.
    """
    rows = list(await db.execute_fetchall("SELECT anchor FROM clock"))
    now = clock.anchor()
    if not rows or now is None:
        return timedelta()
    try:
        kept = ANCHOR.validate_json(rows[0]["anchor"])
    except ValidationError:
        log.exception("the kept clock cannot be read: whether it was set meanwhile is not known")
        return timedelta()
    return clock.begin(kept) if kept.seen.boot_id == now.seen.boot_id else timedelta()
