"""The join code of a room that was never enrolled."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge.errors import JoinCodeError
from edge.store.edge_store import EdgeStore
from edge.store.wal import log_trouble
from laundryd.daemon import codes

DATABASE: Final = "room.db"
CAP: Final = 500
"""Residents one code lets in: a large house; a code that leaked ends there."""


async def make_join_code(data_dir: Path) -> str:
    """Replace the room's join code and return the new one; only its digest is kept.

    Raises:
        JoinCodeError: the disk does not take it; the code before stands.
        sqlite3.Error, OSError: the database cannot be opened.

    """
    if (trouble := log_trouble(data_dir / DATABASE)) is not None:
        # Opened by us, what the log held would be gone without a word.
        raise JoinCodeError(
            f"the database in {data_dir} cannot be used: {trouble}; start the edge, which saves what "
            "can be read, then make a code"
        )
    store = await EdgeStore.open(data_dir / DATABASE)
    try:
        code = codes.new_code()
        await store.people.set_join_code(codes.digest(code), CAP, None)
        if not store.durable:
            raise JoinCodeError(
                f"the database in {data_dir} cannot keep a new join code: {store.trouble}; mend that, "
                "then make one"
            )
    finally:
        await store.close()
    return code
