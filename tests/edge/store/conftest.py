from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.store.edge_store import EdgeStore


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return tmp_path / "edge.db"


@pytest.fixture
async def edge_store(store_path: Path) -> AsyncIterator[EdgeStore]:
    store = await EdgeStore.open(store_path)
    yield store
    await store.close()
