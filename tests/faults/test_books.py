"""The order of a room's epochs is put together from what everybody went through."""

from __future__ import annotations

from graphlib import CycleError
from itertools import permutations
from pathlib import Path

import pytest

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
