from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.push.outcomes import (
    ANSWERS,
    BACKOFF_CAP_S,
    BACKOFF_FIRST_S,
    RETRY_AFTER_MAX_S,
    Outcome,
    Result,
    answer_of,
    next_attempt,
    of_status,
    parse_retry_after,
    result_of,
)
from tests.cloud_relay.world import START


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.SENT), (201, Outcome.SENT), (202, Outcome.SENT),
        (404, Outcome.GONE), (410, Outcome.GONE),
        (400, Outcome.REFUSED), (401, Outcome.REFUSED), (403, Outcome.REFUSED),
        (413, Outcome.REFUSED), (301, Outcome.REFUSED), (307, Outcome.REFUSED),
        (418, Outcome.REFUSED),
        (429, Outcome.LATER), (500, Outcome.LATER), (502, Outcome.LATER), (503, Outcome.LATER),
    ],
)  # fmt: skip
def test_each_answer_has_its_meaning(status: int, outcome: Outcome) -> None:
    assert of_status(status, None, START).outcome is outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Mon, 23 Nov 2026 20:01:00 GMT", 60.0),
        ("Mon, 23 Nov 2026 19:00:00 GMT", 0.0),
        ("99999999999999", RETRY_AFTER_MAX_S),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(text: str | None, expected: float | None) -> None:
    assert parse_retry_after(text, START) == expected


@given(st.none() | st.text(max_size=40))
def test_no_retry_after_breaks_the_sender(text: str | None) -> None:
    wait_s = parse_retry_after(text, START)
    assert wait_s is None or 0 <= wait_s <= RETRY_AFTER_MAX_S


@given(st.integers(1, 200), st.floats(0, 1), st.none() | st.floats(0, RETRY_AFTER_MAX_S))
def test_the_next_attempt_keeps_the_services_wish_and_the_cap(
    attempts: int, jitter: float, retry_after_s: float | None
) -> None:
    result = Result(Outcome.LATER, retry_after_s=retry_after_s)
    at = next_attempt(result, attempts, START, jitter, left_s=float("inf"))
    assert at is not None
    wait = at - START
    if retry_after_s is None:
        assert timedelta(seconds=1) <= wait <= timedelta(seconds=BACKOFF_CAP_S)
    else:
        assert wait >= timedelta(seconds=retry_after_s) - timedelta(microseconds=1)


@given(st.integers(100, 599), st.none() | st.text(max_size=40))
def test_every_status_has_a_row_of_the_table_and_does_what_it_says(
    status: int, retry_after: str | None
) -> None:
    result = of_status(status, retry_after, START)
    row = answer_of(f"http_{status}")
    assert result.outcome is row.outcome
    assert (result.detail == "") == (row.outcome is Outcome.SENT)
    assert row.alert == (row.outcome is Outcome.REFUSED)
    assert not row.slows or row.outcome is Outcome.LATER
    assert (status >= 500) <= (row.outcome is Outcome.LATER), "an outage never ends a notice"
    assert (row.outcome is Outcome.GONE) == (status in {404, 410}), "nothing else deletes"


def test_only_an_answer_deletes_a_subscription_and_a_wish_to_wait_counts_for_retries_only() -> None:
    gone = {detail for detail, row in ANSWERS.items() if row.outcome is Outcome.GONE}
    assert {one for one in gone if not one.startswith("fcm_")} == {
        "http_404", "http_410", "subscription_deleted",
    }  # fmt: skip
    assert result_of("http_403", 5.0).retry_after_s is None
    assert result_of("http_429", 5.0).retry_after_s == 5.0


@given(
    st.integers(1, 200),
    st.floats(0, 1),
    st.none() | st.floats(0, RETRY_AFTER_MAX_S),
    st.floats(-10, 50_000),
)
def test_nothing_is_tried_again_when_it_would_be_of_no_use(
    attempts: int, jitter: float, retry_after_s: float | None, left_s: float
) -> None:
    result = Result(Outcome.LATER, retry_after_s=retry_after_s)
    ever = next_attempt(result, attempts, START, jitter, left_s=float("inf"))
    at = next_attempt(result, attempts, START, jitter, left_s=left_s)
    assert ever is not None
    if at is None:
        assert left_s <= (ever - START).total_seconds() + 1e-6
        assert retry_after_s is not None or left_s < BACKOFF_FIRST_S, "up to the end it is tried"
    elif at == ever:
        assert at < START + timedelta(seconds=left_s + 1e-6)
    else:
        assert retry_after_s is None, "a service's wish is never shortened"
        assert at - START >= timedelta(seconds=BACKOFF_FIRST_S / 2)
        assert at < START + timedelta(seconds=left_s) <= ever + timedelta(seconds=1e-6)
