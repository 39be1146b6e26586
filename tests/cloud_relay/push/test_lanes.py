from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.push.lanes import PLACES, PLACES_ALL, Lane
from cloud_relay.push.outcomes import ANSWERS, Outcome, Result, result_of

SENT = Result(Outcome.SENT)
DOWN = result_of("http_503")


def test_an_outage_takes_all_places_but_one_and_its_end_gives_them_back() -> None:
    lane = Lane[str]()
    assert lane.free(0) == PLACES
    for _ in range(10):
        lane.judge(DOWN)
    assert lane.free(0) == 1
    assert lane.wanted() <= 2
    for _ in range(PLACES):
        lane.judge(SENT)
    assert lane.free(0) == PLACES


def test_one_browsers_full_mailbox_slows_nobody_else() -> None:
    lane = Lane[str]()
    for kind in ("http_429", "http_403", "http_410"):
        lane.judge(result_of(kind))
    assert lane.free(0) == PLACES


def test_with_everything_busy_each_service_still_has_one_place() -> None:
    lane = Lane[str]()
    assert lane.free(PLACES_ALL) == 1
    lane.in_flight = 1
    assert lane.free(PLACES_ALL) == 0


@given(st.lists(st.sampled_from(sorted(ANSWERS))), st.integers(0, PLACES), st.integers(0, 900))
def test_a_lane_never_closes_and_never_grows_past_its_places(
    kinds: list[str], in_flight: int, in_flight_all: int
) -> None:
    lane = Lane[str]()
    for kind in kinds:
        lane.judge(result_of(kind))
    assert lane.free(in_flight_all) >= 1
    lane.in_flight = in_flight
    assert 0 <= lane.free(in_flight_all) <= PLACES - in_flight or in_flight_all < PLACES_ALL
    assert lane.in_flight + lane.free(in_flight_all) <= max(PLACES, in_flight)
