from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from laundryd.live.misdeeds import Misdeeds

ERRORS_MAX = 3
WINDOW_S = 60.0
SHUT_OUT_S = 100.0


def make() -> Misdeeds:
    return Misdeeds(errors_max=ERRORS_MAX, window_s=WINDOW_S, shut_out_s=SHUT_OUT_S)


def test_the_error_after_the_last_allowed_one_shuts_out_for_the_stated_time() -> None:
    misdeeds = make()
    assert [misdeeds.count("ann", now_s) for now_s in (0, 1, 2, 3)] == [False, False, False, True]
    assert misdeeds.shut_out_for_s("ann", 3) == SHUT_OUT_S
    assert misdeeds.shut_out_for_s("ann", 3 + SHUT_OUT_S) == 0
    assert misdeeds.shut_out_for_s("ben", 3) == 0
    misdeeds.sweep(3 + SHUT_OUT_S)
    assert len(misdeeds) == 0
    assert not misdeeds.count("ann", 3 + SHUT_OUT_S)


def test_a_connection_that_is_still_open_errs_on_at_its_residents_cost() -> None:
    misdeeds = make()
    for now_s in range(4):
        misdeeds.count("ann", now_s)
    assert misdeeds.count("ann", 50)
    assert misdeeds.shut_out_for_s("ann", 50) == SHUT_OUT_S


@given(st.lists(st.floats(WINDOW_S / ERRORS_MAX + 0.001, 1_000), max_size=50))
def test_who_errs_slowly_is_never_shut_out(pauses_s: list[float]) -> None:
    misdeeds, now_s = make(), 0.0
    for pause_s in pauses_s:
        assert not misdeeds.count("ann", now_s)
        now_s += pause_s
    assert misdeeds.shut_out_for_s("ann", now_s) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30)), max_size=60))
def test_nobody_is_counted_for_another_and_all_is_forgotten(steps: list[tuple[str, float]]) -> None:
    together, now_s = make(), 0.0
    alone = {resident: make() for resident in "abc"}
    for resident, pause_s in steps:
        now_s += pause_s
        together.sweep(now_s)
        assert together.count(resident, now_s) == alone[resident].count(resident, now_s)
        for one in "abc":
            assert together.shut_out_for_s(one, now_s) == alone[one].shut_out_for_s(one, now_s)
    together.sweep(now_s + WINDOW_S + SHUT_OUT_S)
    assert len(together) == 0
