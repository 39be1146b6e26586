from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from laundryd.live.follow import Step, step
from laundryd.live.resume import Joining, Outcome, decide, needs_history
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position
from tests.live.stage import EPOCH, make_event

LIMIT = 20


def journal(gaps: list[int], epoch: str = EPOCH) -> list[PublicEvent]:
    """Public events of one epoch; between them acknowledgements took offsets too."""
    events: list[PublicEvent] = []
    for gap in gaps:
        before = events[-1].offset if events else 0
        events.append(make_event(before + gap, follows=before, epoch=epoch))
    return events


GAPS = st.lists(st.integers(1, 3), max_size=30)


@given(GAPS, st.data())
def test_a_client_gets_every_event_once_in_order_or_is_told_to_take_a_snapshot(
    gaps: list[int], data: st.DataObject
) -> None:
    events = journal(gaps)
    tail = data.draw(st.integers(0, 3), label="acknowledgements at the end")
    ends = [event.offset for event in events]
    last = ends[-1] if ends else 0
    named = Position(epoch=EPOCH, offset=data.draw(st.integers(0, last + tail), label="named"))
    # The head is read when `before` events were kept; the history when `at_read` were; each event is
    # published, in order, at some time after it was kept: those of `held` before history was read.
    before = data.draw(st.integers(0, len(events)), label="kept at the head")
    at_read = data.draw(st.integers(before, len(events)), label="kept at the reading")
    published = data.draw(st.integers(0, before), label="published before joining")
    held_to = data.draw(st.integers(published, len(events)), label="published before settling")
    head_offset = ends[before - 1] if before else 0
    head = Position(epoch=EPOCH, offset=head_offset)
    missed = (
        [e for e in events[:at_read] if e.offset > named.offset][: LIMIT + 1]
        if needs_history(named, head)
        else None
    )
    joining = Joining(LIMIT * 10)
    assert joining.offer(events[published:held_to]) == ()
    resumption = decide(named, head, missed, LIMIT)
    received = list(resumption.replay)
    received += joining.settle(resumption.floor)
    for event in events[held_to:]:
        received += joining.offer([event])

    if resumption.recovered:
        wanted = [e for e in events if e.offset > named.offset]
        assert received == wanted
        position = named
    else:
        # A snapshot is taken after the welcome, at the head or later.
        assert received == [e for e in events if e.offset > head.offset]
        position = head
    for event in received:
        assert step(position, event) is Step.APPLY
        position = Position(epoch=event.epoch, offset=event.offset)


@given(GAPS, st.integers(0, 40))
def test_a_journal_that_lacks_an_event_recovers_nobody(gaps: list[int], lost: int) -> None:
    events = journal([1, *gaps, 1])
    del events[lost % (len(events) - 1)]
    named = Position(epoch=EPOCH, offset=0)
    head = Position(epoch=EPOCH, offset=events[-1].offset)
    found = decide(named, head, events, 1_000)
    assert found.outcome is Outcome.BROKEN_CHAIN
    assert found.replay == ()


def test_an_event_of_a_new_epoch_passes_while_joining() -> None:
    joining = Joining(LIMIT)
    old, new = make_event(5), make_event(1, follows=0, epoch="e2")
    joining.offer([old, new])
    assert list(joining.settle(Position(epoch=EPOCH, offset=5))) == [new]
    assert joining.passed


def test_holding_is_bounded() -> None:
    joining = Joining(3)
    for offset in range(1, 100):
        joining.offer([make_event(offset)])
    assert joining.overflown
    assert len(joining._held) == 4
