"""When an announcement goes, pure: its body and the moment it was last due -> the next moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from laundryd.wire.announcements import AnnouncementBody, Repeat

DAYS: Final = {Repeat.DAILY: 1, Repeat.WEEKLY: 7}
"""Days from one occurrence to the next."""


@dataclass(frozen=True, slots=True)
class Going:
    """What is due. ``at``: the moment it was due. ``missed``: its end has passed, nobody is told.

    ``next_at``: when it goes again; None: not any more.
    """

    at: datetime
    missed: bool
    next_at: datetime | None


def next_after(body: AnnouncementBody, last: datetime) -> datetime | None:
    """Return when an announcement that was due at ``last`` is due again, UTC; None: never.

    It keeps its time of day by the clocks of its zone. A time that the clocks skip comes as much later
    as they skip; one that they show twice comes the first time: once on each of its days.
    """
    if body.repeat is None or body.zone is None:
        return None
    zone = ZoneInfo(body.zone)
    first = (body.at or last).astimezone(zone)
    days = DAYS[body.repeat]
    # A time that was skipped moved that one occurrence, which may have reached into the next day.
    gone = (last.astimezone(zone).date() - first.date()).days // days
    for step in (gone, gone + 1, gone + 2):
        day = first.date() + timedelta(days=step * days)
        # Its time alone: that the first day showed it twice says nothing of the others.
        at = datetime.combine(day, first.time().replace(fold=0), zone).astimezone(UTC)
        if at > last:
            is_over = body.repeat_until is not None and at > body.repeat_until
            return None if is_over else at
    raise AssertionError(f"no day of {body.repeat} lies after {last}")


def going(body: AnnouncementBody, next_at: datetime, now: datetime) -> Going | None:
    """Say what goes now of an announcement that is due at ``next_at``; None: nothing yet.

    A relay that was away for days tells the newest of a repeated one, never a row of old ones.
    """
    if now < next_at:
        return None
    at, after = next_at, next_after(body, next_at)
    while after is not None and after <= now:
        at, after = after, next_after(body, after)
    return Going(at=at, missed=at + body.shown_for <= now, next_at=after)
