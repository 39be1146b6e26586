from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from laundryd.live.batcher import Batcher

WINDOW_S = 0.1
MAX = 5


@given(st.lists(st.floats(min_value=0, max_value=0.3), max_size=60))
def test_every_item_goes_out_once_in_order_within_the_window(pauses_s: list[float]) -> None:
    batcher: Batcher[int] = Batcher(WINDOW_S, MAX)
    added_s: dict[int, float] = {}
    sent: list[tuple[float, list[int]]] = []
    now_s = 100.0

    def flush_until(moment_s: float) -> None:
        due_s = batcher.due_s
        if due_s is not None and due_s <= moment_s:
            sent.append((due_s, batcher.take(due_s)))

    for item, pause_s in enumerate(pauses_s):
        now_s += pause_s
        flush_until(now_s)
        added_s[item] = now_s
        now = batcher.add(item, now_s)
        if now:
            sent.append((now_s, now))
    flush_until(now_s + WINDOW_S)

    assert [item for _, items in sent for item in items] == list(range(len(pauses_s)))
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
