from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.push.outcomes import (
    BACKOFF_CAP_S,
    RETRY_AFTER_MAX_S,
    Outcome,
    Result,
    next_attempt,
    of_status,
    parse_retry_after,
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
    wait = next_attempt(result, attempts, START, jitter) - START
    if retry_after_s is None:
        assert timedelta(seconds=1) <= wait <= timedelta(seconds=BACKOFF_CAP_S)
    else:
        assert wait >= timedelta(seconds=retry_after_s) - timedelta(microseconds=1)
