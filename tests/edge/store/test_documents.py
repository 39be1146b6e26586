from __future__ import annotations

from pathlib import Path

from edge.store.edge_store import EdgeStore


async def test_a_document_survives_a_restart_and_the_newest_wins(store_path: Path) -> None:
    store = await EdgeStore.open(store_path)
    assert await store.documents.get("roster") is None
    await store.documents.put("roster", '{"version": 1}')
    await store.documents.put("roster", '{"version": 2}')
    await store.close()

    store = await EdgeStore.open(store_path)
    assert await store.documents.get("roster") == '{"version": 2}'
    await store.documents.remove("roster")
    assert await store.documents.get("roster") is None
    await store.close()
