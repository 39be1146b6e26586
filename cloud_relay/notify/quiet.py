"""Whether it is quiet for a resident, and until when; pure, in real time and their own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from laundryd.wire.preferences import QuietHours


def quiet_until(quiet: QuietHours | None, at: datetime) -> datetime | None:
    """Return when the quiet hours that ``at`` falls into end, UTC; None: it is not quiet.

    A night in which the clocks change is an hour longer or shorter, as it is for whoever sleeps. A time
    that the clocks skip comes as much later as they skip; one that they show twice comes the first time.
    """
    if quiet is None:
        return None
    zone = ZoneInfo(quiet.zone)
    local = at.astimezone(zone)
    begin, end = time.fromisoformat(quiet.begin), time.fromisoformat(quiet.end)
    for day in (local.date() - timedelta(days=1), local.date()):
        begins_at = datetime.combine(day, begin, zone).astimezone(UTC)
        end_day = day if begin < end else day + timedelta(days=1)
        ends_at = datetime.combine(end_day, end, zone).astimezone(UTC)
        if begins_at <= at < ends_at:
            return ends_at
    return None
