"""The order of a room's epochs is put together from what everybody went through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from graphlib import CycleError
from itertools import permutations
from pathlib import Path

import pytest

from edge.room.decision import Accepted
from edge.room.journal import journalled
from edge.store.commit import Commit
from edge.store.edge_store import EdgeStore
from tests.edge.room.driver import RoomDriver
from tests.faults.books import EdgeBook


@pytest.mark.parametrize("order", list(permutations(["ac", "abc", "abcd", "bd"])))
def test_epochs_are_ordered_whoever_is_heard_first(order: tuple[str, ...]) -> None:
    book = EdgeBook(Path())
    book._began_in = "a"
    for one in order:
        book.heard_of(one)
    assert book.epochs == ("a", "b", "c", "d")


def test_to_be_led_back_into_an_epoch_that_ended_is_an_error() -> None:
    book = EdgeBook(Path())
    book._began_in = "a"
    book.heard_of("abc")
    book.heard_of("bca")
    with pytest.raises(CycleError):
        _ = book.epochs


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[EdgeStore]:
    store = await EdgeStore.open(path)
    try:
        yield store
    finally:
        await store.close()


async def test_moot_is_what_later_events_made_pointless_before_the_epoch_ended(
    tmp_path: Path,
) -> None:
    path, room = tmp_path / "room.db", RoomDriver()
    book = EdgeBook(path)
    async with opened(path) as store:

        async def keep(decision: object) -> None:
            assert isinstance(decision, Accepted)
            head, name = store.room.head, "maple-hall.basement"
            entries, after = journalled(decision, room=name, head=head, at=room.now)
            await store.room.commit(Commit(at=room.now, head=after, entries=tuple(entries)))

        def read() -> None:
            book.heard_of([store.room.head.epoch])
            book.read([])

        await keep(room.say("anna", "start", "bare", 30))
        await keep(room.say("bob", "start", "w1", 30))
        await keep(room.tick(31))
        await keep(room.say("anna", "collect", "bare"))
        read()
        assert book.moot() == set(), "the relay hears that it was collected, and says so itself"
        await store.room.new_epoch("a test")
        read()
    assert {book.notices[one].resident for one in book.moot()} == {"anna"}
