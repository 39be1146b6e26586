from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.ingest.order import decide
from laundryd.wire.events import Entry
from laundryd.wire.ids import Position
from laundryd.wire.uplink import DownAck

EPOCH = "e1"


def plain(offset: int, epoch: str = EPOCH) -> Entry:
    return Entry(epoch=epoch, offset=offset)


def at(offset: int, epoch: str = EPOCH) -> Position:
    return Position(epoch=epoch, offset=offset)


def test_entries_that_follow_are_taken_and_acknowledged() -> None:
    decision = decide(at(2), [plain(3), plain(4)])
    assert [e.offset for e in decision.take] == [3, 4]
    assert decision.answer == DownAck(epoch=EPOCH, offset=4)


def test_duplicates_take_no_effect_and_are_acknowledged_again() -> None:
    decision = decide(at(4), [plain(3), plain(4)])
    assert decision.take == ()
    assert decision.answer == DownAck(epoch=EPOCH, offset=4)


def test_a_gap_is_asked_for() -> None:
    decision = decide(at(2), [plain(3), plain(5)])
    assert [e.offset for e in decision.take] == [3]
    assert decision.answer == DownAck(epoch=EPOCH, offset=3, send_from=4)


def test_an_unknown_epoch_begins_with_a_snapshot() -> None:
    for kept in (None, at(7, "e0")):
        decision = decide(kept, [plain(8)])
        assert decision.take == ()
        assert decision.answer == DownAck(epoch=EPOCH, offset=0, snapshot=True)


def test_an_empty_batch_is_answered_with_what_is_kept() -> None:
    assert decide(at(7), []).answer == DownAck(epoch=EPOCH, offset=7)
    assert decide(None, []).answer is None


@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 8), st.randoms()), max_size=30),
)
def test_each_entry_takes_effect_once_in_order_through_any_loss_doubling_and_reordering(
    head: int, batches: list[tuple[int, int, object]]
) -> None:
    """The network gives any batches; the edge resends from where the last answer says."""
    kept, effects = at(0), list[int]()

    def arrive(offsets: list[int]) -> DownAck | None:
        nonlocal kept
        decision = decide(kept, [plain(offset) for offset in offsets])
        effects.extend(e.offset for e in decision.take)
        kept = at(effects[-1]) if effects else kept
        answer = decision.answer
        assert answer is None or answer.offset == kept.offset
        return answer

    for first, length, random in batches:
        offsets = [n for n in range(first, first + length) if n <= head]
        random.shuffle(offsets)  # type: ignore[attr-defined]  # hypothesis' Random, drawn as object
        answer = arrive(offsets)
        if answer is not None and answer.send_from is not None:
            assert answer.send_from == kept.offset + 1
    while kept.offset < head:
        arrive(list(range(kept.offset + 1, min(kept.offset + 10, head) + 1)))
    assert effects == list(range(1, head + 1))
