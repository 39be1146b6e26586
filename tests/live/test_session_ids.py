from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from laundryd.live.session_ids import SessionIds
from laundryd.wire.ids import ID_PATTERN

KEY = b"k" * 32
MADE = SessionIds(KEY).new("ann", "phone")
IDS = st.from_regex(ID_PATTERN, fullmatch=True)


@given(resident=IDS, device=IDS)
def test_an_id_is_recognised_by_another_life_of_the_server(resident: str, device: str) -> None:
    made = SessionIds(KEY).new(resident, device)
    assert re.fullmatch(ID_PATTERN, made)
    assert SessionIds(KEY).is_theirs(made, resident, device)
    assert not SessionIds(b"another key").is_theirs(made, resident, device)
    assert not SessionIds().is_theirs(made, resident, device)


@given(one=st.tuples(IDS, IDS), other=st.tuples(IDS, IDS))
def test_an_id_is_one_residents_on_one_device(one: tuple[str, str], other: tuple[str, str]) -> None:
    ids = SessionIds(KEY)
    assert ids.is_theirs(ids.new(*one), *other) == (one == other)


@given(guess=IDS)
def test_no_id_is_theirs_that_was_not_made_here(guess: str) -> None:
    assert not SessionIds(KEY).is_theirs(guess, "ann", "phone")


@given(data=st.data())
def test_an_id_that_was_changed_anywhere_is_not_theirs(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(MADE) - 1))
    other = data.draw(st.sampled_from("ABab09-_"))
    changed = MADE[:at] + other + MADE[at + 1 :]
    assert SessionIds(KEY).is_theirs(changed, "ann", "phone") == (changed == MADE)


def test_no_two_ids_are_the_same() -> None:
    ids = SessionIds(KEY)
    assert len({ids.new("ann", "phone") for _ in range(1_000)}) == 1_000
