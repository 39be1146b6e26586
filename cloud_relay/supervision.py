"""Progress that the watchdog is fed from: the database takes transactions, the inbox is emptied."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import Final, NoReturn

import aiosqlite

from cloud_relay.ingest.uplink import Ingest
from laundryd.daemon.sqlite import transaction

log = logging.getLogger(__name__)

ROUND_S: Final = 5.0
"""Real seconds between two looks; a third of the watchdog's patience and less."""


async def supervise(
    db: aiosqlite.Connection, ingest: Ingest, beat: Callable[[str], None]
) -> NoReturn:
    """Beat for the database and for ingest as long as they move, for ever.

    A transaction that never ends, whoever holds it, lets ours never begin: everything that decides
    here writes through the same lock, so one beat stands for all of them.
    """
    taken = -1
    while True:
        try:
            async with transaction(db):
                beat("database")
        except sqlite3.Error as error:
            # Another process that holds the file, a copy being made say: if it goes on, the watchdog acts.
            log.warning("the database takes no transaction: %s", error)
        total = ingest.taken.total() + ingest.skipped.total()
        if ingest.waiting == 0 or total != taken:
            beat("ingest")
        taken = total
        await asyncio.sleep(ROUND_S)
