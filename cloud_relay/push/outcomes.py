"""What an answer of a push service means for the delivery and for the subscription; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Final

RETRY_AFTER_MAX_S: Final = 3_600.0
"""A service that asks for more is asked again after an hour; the notice may be useful for twelve."""
BACKOFF_FIRST_S: Final = 2.0
BACKOFF_CAP_S: Final = 300.0
"""Five minutes: an outage's end is noticed while the laundry is still wet."""


class Outcome(StrEnum):
    """How one attempt ended."""

    SENT = "sent"
    GONE = "gone"
    """The service does not know the subscription: delete it."""
    REFUSED = "refused"
    """Something of ours is wrong; the subscription is kept and the error counted."""
    LATER = "later"
    """The service cannot now: again after a while, as long as the notice is useful."""
    EXPIRED = "expired"
    """The notice was not useful any more before the service took it."""
    CANCELLED = "cancelled"
    """The resident saw it meanwhile."""


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt: ``detail`` names the kind of error for staff, ``retry_after_s`` the service's wish."""

    outcome: Outcome
    detail: str = ""
    retry_after_s: float | None = None


STATUS: Final[dict[int, Outcome]] = {
    HTTPStatus.OK: Outcome.SENT,
    HTTPStatus.CREATED: Outcome.SENT,
    HTTPStatus.ACCEPTED: Outcome.SENT,
    HTTPStatus.NO_CONTENT: Outcome.SENT,
    HTTPStatus.NOT_FOUND: Outcome.GONE,
    HTTPStatus.GONE: Outcome.GONE,
    HTTPStatus.BAD_REQUEST: Outcome.REFUSED,
    HTTPStatus.UNAUTHORIZED: Outcome.REFUSED,
    HTTPStatus.FORBIDDEN: Outcome.REFUSED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Outcome.REFUSED,
    HTTPStatus.REQUEST_TIMEOUT: Outcome.LATER,
    HTTPStatus.TOO_MANY_REQUESTS: Outcome.LATER,
}
"""Statuses with a meaning of their own; 5xx is ``LATER``, all others, redirects too, are ``REFUSED``."""


def of_status(status: int, retry_after: str | None, now: datetime) -> Result:
    """Judge an answer; ``retry_after`` is the header's value, ``now`` real time."""
    outcome = STATUS.get(status)
    if outcome is None:
        is_theirs = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        outcome = Outcome.LATER if is_theirs else Outcome.REFUSED
    detail = "" if outcome is Outcome.SENT else f"http_{status}"
    wait_s = parse_retry_after(retry_after, now) if outcome is Outcome.LATER else None
    return Result(outcome, detail, wait_s)


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Read ``Retry-After`` (RFC 9110 section 10.2.3), seconds or a date; None if absent or unreadable."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), RETRY_AFTER_MAX_S)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), RETRY_AFTER_MAX_S)


def next_attempt(result: Result, attempts: int, now: datetime, jitter: float) -> datetime:
    """Return when to try again after ``attempts`` attempts; ``jitter`` is from 0 to 1.

    The service's own wish is never shortened; otherwise the pause doubles from ``BACKOFF_FIRST_S`` to
    ``BACKOFF_CAP_S``, and lies between its half and its whole.
    """
    pause_s = min(BACKOFF_CAP_S, BACKOFF_FIRST_S * 2.0 ** min(attempts - 1, 20))
    wait_s = pause_s * (0.5 + jitter / 2)
    if result.retry_after_s is not None:
        wait_s = result.retry_after_s + jitter
    return now + timedelta(seconds=wait_s)
