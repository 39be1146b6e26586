from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from laundryd.live.batcher import Batcher

WINDOW_S = 0.1
MAX = 5
URGENT_MAX = 2


@given(st.lists(st.tuples(st.floats(min_value=0, max_value=0.3), st.booleans()), max_size=60))
def test_every_item_goes_out_once_in_order_within_the_window(
    steps: list[tuple[float, bool]],
) -> None:
    batcher: Batcher[int] = Batcher(WINDOW_S, MAX, URGENT_MAX)
    added_s: dict[int, float] = {}
    sent: list[tuple[float, list[int]]] = []
    now_s = 100.0

    def flush_until(moment_s: float) -> None:
        due_s = batcher.due_s
        if due_s is not None and due_s <= moment_s:
            sent.append((due_s, batcher.take(due_s)))

    for item, (pause_s, urgent) in enumerate(steps):
        now_s += pause_s
        flush_until(now_s)
        added_s[item] = now_s
        now = batcher.add(item, now_s, urgent=urgent)
        if now:
            sent.append((now_s, now))
    flush_until(now_s + WINDOW_S)

    assert [item for _, items in sent for item in items] == list(range(len(steps)))
    assert batcher.due_s is None
    for moment_s, items in sent:
        assert 0 < len(items) <= MAX
        for item in items:
            assert moment_s - added_s[item] <= WINDOW_S + 1e-9


@given(st.floats(min_value=WINDOW_S, max_value=1e6))
def test_an_item_after_a_quiet_window_goes_at_once(pause_s: float) -> None:
    batcher: Batcher[str] = Batcher(WINDOW_S, MAX)
    assert batcher.add("first", 0) == ["first"]
    assert batcher.add("second", pause_s) == ["second"]


def test_a_burst_makes_one_frame_a_window() -> None:
    batcher: Batcher[int] = Batcher(WINDOW_S, 100)
    assert batcher.add(0, 0) == [0]
    for item in range(1, 50):
        assert batcher.add(item, 0.05) == []
    assert batcher.due_s == WINDOW_S
    assert batcher.take(WINDOW_S) == list(range(1, 50))
    assert batcher.take(WINDOW_S) == []


def test_an_urgent_item_goes_at_once_with_what_waits_before_it() -> None:
    batcher: Batcher[str] = Batcher(WINDOW_S, 100, URGENT_MAX)
    assert batcher.add("first", 0) == ["first"]
    assert batcher.add("waits", 0.01) == []
    assert batcher.add("done", 0.02, urgent=True) == ["waits", "done"]
    assert batcher.due_s is None


@given(st.lists(st.floats(min_value=0, max_value=0.02), min_size=1, max_size=200))
def test_a_burst_of_urgent_items_makes_few_frames_a_window(pauses_s: list[float]) -> None:
    batcher: Batcher[int] = Batcher(WINDOW_S, 1_000, URGENT_MAX)
    now_s, sent_s = 0.0, []
    for item, pause_s in enumerate(pauses_s):
        now_s += pause_s
        due_s = batcher.due_s
        if due_s is not None and due_s <= now_s and batcher.take(due_s):
            sent_s.append(due_s)
        if batcher.add(item, now_s, urgent=True):
            sent_s.append(now_s)
    for begin_s in sent_s:
        within = [moment_s for moment_s in sent_s if begin_s <= moment_s < begin_s + WINDOW_S]
        # Two windows of the urgent ones may meet in one span, and a batch or a first one falls in each.
        assert len(within) <= 2 * (URGENT_MAX + 1)
