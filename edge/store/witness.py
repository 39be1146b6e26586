"""A witness beside the database of how far the journal was: it tells a restored database from the newest.

Whoever puts a backup in the database's place leaves this file as it was. Without it a page that was open
before would be told that it missed nothing, though its numbers stand for other events now. The relay finds
out by itself (``cloud_relay.ingest.order``); this is for pages in the room, and rooms without a relay.

It is written after each commit, in place and without waiting for the disk: a kill takes nothing of it, and a
power cut the half minute that the kernel keeps back. It costs the card a page in that time while the room is
busy, and never says more than the database, whose commit waited for the disk, has.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from laundryd.wire.ids import Position

log = logging.getLogger("laundryd.edge.store")

_BYTES: Final = 128
"""Each note covers the one before; less than a disk's sector, which is written whole or not."""


def witness_path(database: Path) -> Path:
    """Return where the witness of ``database`` lies."""
    return database.with_suffix(".seen")


class Witness:
    """Notes how far the journal of ``database`` is. A disk that refuses is logged once, until it takes."""

    def __init__(self, database: Path) -> None:
        self._path = witness_path(database)
        self._noted: Position | None = None
        self._is_refused = False

    def note(self, head: Position, *, at_rest: bool = False) -> None:
        """Note that the journal reached ``head``. ``at_rest``: wait for the disk, nothing more will come."""
        is_new_epoch = self._noted is None or self._noted.epoch != head.epoch
        if head == self._noted and not at_rest:
            return
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(descriptor, head.model_dump_json().encode().ljust(_BYTES), 0)
                if at_rest or is_new_epoch:
                    # One that names an epoch that has ended would begin another at the next start.
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            if not self._is_refused:
                log.warning("%s cannot be written: %s", self._path.name, error)
            self._is_refused = True
            return
        self._noted, self._is_refused = head, False


def is_older(database: Path, head: Position) -> bool:
    """Say whether the journal of ``database`` was further than ``head`` before, or in another epoch.

    The same backup may be put back twice: then what was noted is of the epoch that began after the first.
    """
    try:
        seen = Position.model_validate_json(witness_path(database).read_bytes())
    except (OSError, ValidationError):
        return False  # none yet, or one that says nothing
    return seen.epoch != head.epoch or seen.offset > head.offset
