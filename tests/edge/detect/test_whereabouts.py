from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detect.library import PastCycle
from edge.detect.profile import UNKNOWN, level_of
from edge.detect.rules import BIN_S
from edge.detect.whereabouts import Whereabouts

IDLE, TURNS, HEATS, SPINS = (level_of(watts) for watts in (1, 90, 2000, 400))
SHORT = [TURNS] * 4 + [HEATS] * 10 + [TURNS] * 30 + [SPINS] * 8
LONG = [TURNS] * 4 + [HEATS] * 25 + [TURNS] * 90 + [SPINS] * 8


def past(levels: list[int]) -> PastCycle:
    return PastCycle(bytes(levels), len(levels) * BIN_S)


def after(levels: list[int], *cycles: list[int]) -> Whereabouts:
    belief = Whereabouts([past(one) for one in cycles])
    for level in levels:
        belief.step(level)
    return belief


def test_nothing_is_known_without_past_cycles() -> None:
    belief = after(SHORT, *())
    assert belief.outlook() is None
    assert belief.over == 0
    assert belief.rest_left_s() == 0


def test_two_programmes_that_begin_alike_are_told_apart_when_they_part() -> None:
    for done, whole in ((SHORT[:20], SHORT), (LONG[:30], LONG)):
        outlook = after(done, SHORT, LONG).outlook()
        assert outlook is not None
        assert outlook.left_s == pytest.approx((len(whole) - len(done)) * BIN_S, abs=150)
        assert outlook.least_s <= outlook.left_s <= outlook.most_s


def test_a_heating_that_takes_longer_moves_the_end() -> None:
    cold = SHORT[:4] + [HEATS] * 16 + SHORT[14:40]
    outlook = after(cold, SHORT, SHORT).outlook()
    assert outlook is not None
    assert outlook.left_s == pytest.approx((len(SHORT) - 40) * BIN_S, abs=150)


def test_it_is_over_after_its_end_and_not_in_a_pause() -> None:
    assert after([*SHORT, *[IDLE] * 4], SHORT).over > 0.8
    assert after([*SHORT[:20], *[IDLE] * 20], SHORT).over < 0.2


def test_after_a_pause_it_goes_on_from_where_it_was() -> None:
    outlook = after([*SHORT[:25], *[IDLE] * 20, *SHORT[25:45]], SHORT).outlook()
    assert outlook is not None
    assert outlook.left_s == pytest.approx((len(SHORT) - 45) * BIN_S, abs=150)


def test_a_rest_that_past_cycles_had_here_is_known() -> None:
    soaks = [*SHORT[:20], *[IDLE] * 20, *SHORT[20:]]
    assert after(soaks[:24], soaks, soaks).rest_left_s() >= 14 * BIN_S
    assert after(SHORT[:24], soaks, soaks).rest_left_s() == 0


def test_another_load_begins_anew_and_the_rest_of_this_one_does_not() -> None:
    second = [*SHORT, *[IDLE] * 8, *SHORT[:20]]
    assert after(second, SHORT).begins_anew(second, len(SHORT) + 8)
    paused = [*SHORT[:20], *[IDLE] * 8, *SHORT[20:40]]
    assert not after(paused, SHORT).begins_anew(paused, 28)


@given(
    st.lists(st.integers(0, UNKNOWN), min_size=1, max_size=60),
    st.lists(st.lists(st.integers(0, UNKNOWN), min_size=1, max_size=40), max_size=4),
)
def test_whatever_it_sees_its_chances_are_chances(
    levels: list[int], cycles: list[list[int]]
) -> None:
    belief = Whereabouts([past(one) for one in cycles])
    for level in levels:
        belief.step(level)
        assert 0 <= belief.over <= 1 + 1e-9
        assert 0 <= belief.fit <= 1
        outlook = belief.outlook()
        if outlook is not None:
            assert 0 <= outlook.least_s <= outlook.left_s <= outlook.most_s
