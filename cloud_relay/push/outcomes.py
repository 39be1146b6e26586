"""What each answer of a push service means for the delivery and for the subscription: one table; pure.

``python -m cloud_relay.push.answers_page`` makes ``docs/pushes.md`` from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
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
class Answer:
    """What one kind of answer does.

    ``alert``: staff are told, since it is ours to mend. ``slows``: the service itself is in trouble, so
    fewer pushes at a time go there. ``about``: what it is, for the page. ``asked``: a push service was
    asked, so it says something of the subscription.
    """

    outcome: Outcome
    about: str
    alert: bool = False
    slows: bool = False
    asked: bool = True


def _ours(about: str) -> Answer:
    return Answer(Outcome.REFUSED, about, alert=True)


def _theirs(about: str) -> Answer:
    return Answer(Outcome.LATER, about, slows=True)


ANSWERS: Final[dict[str, Answer]] = {
    # RFC 8030 section 5, and what services do beyond it.
    "http_200": Answer(Outcome.SENT, "The service took it."),
    "http_201": Answer(Outcome.SENT, "The service took it (RFC 8030, section 5)."),
    "http_202": Answer(Outcome.SENT, "The service took it."),
    "http_204": Answer(Outcome.SENT, "The service took it."),
    "http_400": _ours("The request is malformed, or its VAPID token is."),
    "http_401": _ours("The VAPID token is not good: the key, or the clock of this computer."),
    "http_403": _ours("The VAPID key or contact is not the one the subscription was made for."),
    "http_404": Answer(Outcome.GONE, "The service does not know the subscription."),
    "http_408": _theirs("The service waited too long for us."),
    "http_410": Answer(Outcome.GONE, "The subscription is over (RFC 8030, section 7.3)."),
    "http_413": _ours("The message is too large (RFC 8030, section 7.2)."),
    "http_429": Answer(Outcome.LATER, "Too many pushes, of ours or to this browser."),
    "http_3xx": _ours("A redirect. It is not followed: it could lead anywhere."),
    "http_5xx": _theirs("The service is in trouble."),
    "http_other": _ours("A status that no push service should send."),
    # FCM's own words: https://firebase.google.com/docs/cloud-messaging/error-codes
    "fcm_unregistered": Answer(
        Outcome.GONE, "FCM does not know the app's token any more (UNREGISTERED, 404)."
    ),
    "fcm_quota_exceeded": Answer(
        Outcome.LATER, "Too many messages, of ours or to this device (QUOTA_EXCEEDED, 429)."
    ),
    "fcm_unavailable": _theirs("FCM is in trouble (UNAVAILABLE, 503)."),
    "fcm_internal": _theirs("FCM is in trouble (INTERNAL, 500)."),
    "fcm_invalid_argument": _ours("FCM takes the message for malformed (INVALID_ARGUMENT, 400)."),
    "fcm_sender_id_mismatch": _ours(
        "The token belongs to another Firebase project than the service account"
        " (SENDER_ID_MISMATCH, 403)."
    ),
    "fcm_third_party_auth_error": _ours(
        "The browser's own push service refuses the project's web push certificate"
        " (THIRD_PARTY_AUTH_ERROR, 401)."
    ),
    "fcm_unauthenticated": _ours("FCM does not believe who we are (UNAUTHENTICATED, 401)."),
    "fcm_permission_denied": _ours(
        "The service account may not send, or the project's messaging API is switched off"
        " (PERMISSION_DENIED, 403)."
    ),
    "fcm_credentials": _ours(
        "Google refuses the service account: it or its key was deleted, or the clock of this"
        " computer is wrong."
    ),
    "fcm_other": _ours("An answer that FCM should not give, such as a project it does not know."),
    "fcm_off": _ours(
        "The relay has no FCM configuration any more; the app changes over to Web Push at its next"
        " start."
    ),
    # Attempts without an answer.
    "timeout": _theirs("No answer within ten seconds."),
    "tls": _theirs("No trustworthy TLS connection."),
    "dns": _theirs("The service's name does not resolve."),
    "connection": _theirs("The connection was refused or lost."),
    "not_http": _theirs("What came back is no HTTP."),
    "private_address": _ours("The service's name leads to an address that is not public."),
    "endpoint_refused": _ours("The address is none of a known push service any more."),
    "unusable_keys": _ours("The browser's keys are no keys."),
    "internal": _ours("A fault of our own code; the log has its kind."),
    "subscription_deleted": Answer(
        Outcome.GONE, "The bell was switched off meanwhile.", asked=False
    ),
    "not_useful": Answer(
        Outcome.EXPIRED, "The notice was not useful any more before its turn.", asked=False
    ),
    "quiet_hours": Answer(
        Outcome.LATER,
        "It waited for its push service into the resident's quiet hours, and waits for their end.",
        asked=False,
    ),
    "not_wished": Answer(
        Outcome.EXPIRED, "The resident wishes no push of this kind any more.", asked=False
    ),
}
"""Kind of answer -> what it does. ``http_5xx`` and ``http_3xx`` stand for their hundred."""


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt: ``detail`` names the kind of error for staff, ``retry_after_s`` the service's wish."""

    outcome: Outcome
    detail: str = ""
    retry_after_s: float | None = None


SENT: Final = Result(Outcome.SENT)


def answer_of(detail: str) -> Answer:
    """Return the row of a result's ``detail``: ``http_503`` is found under ``http_5xx``."""
    row = ANSWERS.get(detail)
    if row is None and detail.startswith("http_"):
        row = ANSWERS.get(f"{detail[:6]}xx", ANSWERS["http_other"])
    return row if row is not None else ANSWERS["internal"]


def result_of(detail: str, retry_after_s: float | None = None) -> Result:
    """Return what the table says of an answer or an error; a wish to wait counts for retries only."""
    outcome = answer_of(detail).outcome
    if outcome is Outcome.SENT:
        return SENT
    return Result(outcome, detail, retry_after_s if outcome is Outcome.LATER else None)


def of_status(status: int, retry_after: str | None, now: datetime) -> Result:
    """Judge an answer; ``retry_after`` is the header's value, ``now`` real time."""
    return result_of(f"http_{status}", parse_retry_after(retry_after, now))


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


def next_attempt(
    result: Result, attempts: int, now: datetime, jitter: float, *, left_s: float
) -> datetime | None:
    """Return when to try again after ``attempts`` attempts; None: the notice is of no use by then.

    ``jitter`` is from 0 to 1, ``left_s`` for how many real seconds the notice is still useful. The
    service's own wish is never shortened; otherwise the pause doubles from ``BACKOFF_FIRST_S`` to
    ``BACKOFF_CAP_S``, and lies between its half and its whole. One that would reach beyond the notice's use
    is half of what is left: an outage may end just before.
    """
    pause_s = min(BACKOFF_CAP_S, BACKOFF_FIRST_S * 2.0 ** min(attempts - 1, 20))
    wait_s = pause_s * (0.5 + jitter / 2)
    if result.retry_after_s is not None:
        wait_s = result.retry_after_s + jitter
    elif wait_s >= left_s >= BACKOFF_FIRST_S:
        wait_s = left_s / 2
    return now + timedelta(seconds=wait_s) if wait_s < left_s else None
