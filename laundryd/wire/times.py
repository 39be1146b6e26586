"""Moments on the wire: RFC 3339, UTC, milliseconds, ending in ``Z``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, PlainSerializer


def to_rfc3339(moment: datetime) -> str:
    """Write an aware ``moment`` as RFC 3339 in UTC with milliseconds, ``2026-11-23T20:15:00.000Z``.

    Raises:
        ValueError: ``moment`` has no time zone.

    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone: times on the wire are UTC")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 moment as an aware UTC datetime.

    Raises:
        ValueError: ``text`` is no such moment, or names no zone.

    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone: times on the wire are UTC")
    return moment.astimezone(UTC)


def whole_milliseconds(moment: datetime) -> datetime:
    """Return ``moment`` in UTC, cut to the precision of the wire, so that what is kept is what is sent."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    surplus = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - surplus) if surplus else utc


Moment = Annotated[
    AwareDatetime,
    AfterValidator(whole_milliseconds),
    PlainSerializer(to_rfc3339, return_type=str, when_used="json"),
]
"""An aware UTC datetime; on the wire RFC 3339 with milliseconds."""
