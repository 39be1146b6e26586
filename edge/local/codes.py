"""The join code of a room that was never enrolled."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge.store.edge_store import EdgeStore
from laundryd.daemon import codes

DATABASE: Final = "room.db"
CAP: Final = 500
"""Residents one code lets in: a large house; a code that leaked ends there."""


async def make_join_code(data_dir: Path) -> str:
    """Replace the room's join code and return the new one; only its digest is kept.

    Raises:
        sqlite3.Error, OSError: the database cannot be opened.

    """
    store = await EdgeStore.open(data_dir / DATABASE)
    try:
        code = codes.new_code()
        await store.people.set_join_code(codes.digest(code), CAP, None)
    finally:
        await store.close()
    return code
