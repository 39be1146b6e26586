"""A witness beside the database of how far the journal was: it tells a restored database from the newest.

Whoever puts a backup in the database's place leaves this file as it was. Without it a page that was open
before would be told that it missed nothing, though its numbers stand for other events now. The relay finds
out by itself (``cloud_relay.ingest.order``); this is for pages in the room, and rooms without a relay.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from laundryd.wire.ids import Position

log = logging.getLogger("laundryd.edge.store")

WITNESS_EVERY_S: Final = 900.0
"""Real seconds between two notes while the room runs; one more when it is stopped, as before a restore."""


def witness_path(database: Path) -> Path:
    """Return where the witness of ``database`` lies."""
    return database.with_suffix(".seen")


def note(database: Path, head: Position) -> None:
    """Note that the journal of ``database`` reached ``head``; a disk that refuses is logged."""
    path = witness_path(database)
    draft = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(head.model_dump_json().encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        log.warning("%s cannot be written: %s", path.name, error)


def is_older(database: Path, head: Position) -> bool:
    """Say whether the journal of ``database`` was further than ``head`` before, or in another epoch.

    The same backup may be put back twice: then what was noted is of the epoch that began after the first.
    """
    try:
        seen = Position.model_validate_json(witness_path(database).read_bytes())
    except (OSError, ValidationError):
        return False  # none yet, or one that says nothing
    return seen.epoch != head.epoch or seen.offset > head.offset
