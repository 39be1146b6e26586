"""A store that is restored again and again, and pages that stood in every past of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laundryd.live.openings import Opening, is_same_past
from laundryd.wire.ids import PagePosition

EPOCH = "e1"


@dataclass
class Store:
    """Entries by what is in them. ``is_sparse``: as the relay notes it, at a run's first entry alone."""

    is_sparse: bool
    entries: list[int] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    runs: int = 0

    def open(self) -> None:
        self.runs += 1
        head = None if self.is_sparse else len(self.entries)
        self.openings.append(Opening(f"r{self.runs}", head))

    def write(self, entry: int) -> None:
        run, head = self.openings[-1].run, self.openings[-1].head
        self.openings[-1] = Opening(run, len(self.entries) if head is None else head)
        self.entries.append(entry)

    def position(self) -> PagePosition:
        return PagePosition(epoch=EPOCH, offset=len(self.entries), run=self.openings[-1].run)


STEPS = st.lists(st.sampled_from(["write", "open", "back up", "restore", "stand"]), max_size=40)


@given(steps=STEPS, is_sparse=st.booleans())
def test_a_page_goes_on_exactly_where_the_store_went_through_where_it_stands(
    *, steps: list[str], is_sparse: bool
) -> None:
    store = Store(is_sparse)
    store.open()
    backup: tuple[list[int], list[Opening]] = (list(store.entries), list(store.openings))
    stood: list[tuple[PagePosition, list[int]]] = []
    for number, step in enumerate(steps):
        match step:
            case "write":
                store.write(number)
            case "open":
                store.open()
            case "back up":
                backup = (list(store.entries), list(store.openings))
            case "restore":
                store.entries, store.openings = list(backup[0]), list(backup[1])
                store.open()
            case _:
                stood.append((store.position(), list(store.entries)))
    known = {opening.run for opening in store.openings}
    for position, seen in stood:
        is_taken = is_same_past(position, store.openings[-1].run, store.openings)
        is_prefix = store.entries[: position.offset] == seen
        if position.offset <= len(store.entries):  # beyond the head is another matter
            assert not is_taken or is_prefix, "a page goes on over entries that it never saw"
        if position.run in known and is_prefix:
            assert is_taken, "a page takes the room whole, and need not"


@pytest.mark.parametrize(
    ("run", "offset", "expected"),
    [
        (None, 99, True),  # names none: as it was before there were any
        ("r1", 5, True),
        ("r1", 6, False),  # r2 began at 5
        ("r2", 8, True),  # nothing was written in r3; r4 began at 8
        ("r2", 9, False),
        ("r3", 8, True),
        ("r4", 99, True),  # this one; whether that is beyond the head is not asked here
        ("r9", 1, False),
    ],
)
def test_where_the_next_run_began(run: str | None, offset: int, *, expected: bool) -> None:
    openings = [Opening("r1", 3), Opening("r2", 5), Opening("r3", None), Opening("r4", 8)]
    position = PagePosition(epoch=EPOCH, offset=offset, run=run)
    assert is_same_past(position, "r4", openings) is expected
