"""Whether a machine's plug can be believed: beside the phase, and it ends nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from edge.detect.rules import SILENT_AFTER_S
from laundryd.wire.phases import Sensor

SILENT_AFTER = timedelta(seconds=SILENT_AFTER_S)
"""So long without a reading, a plug is silent."""

AWAITED = timedelta(seconds=120.0)
"""So long may a plug take to speak when its word is waited for: it is asked after half a minute, or reports
once a minute by itself. Well under the five minutes after which a machine without power is released."""


def sensor_state(
    now: datetime,
    *,
    has_plug: bool,
    listening_since: datetime,
    last_reading_at: datetime | None,
    online: bool | None,
    awaited_since: datetime | None = None,
    at_rest: bool = False,
    before: Sensor = Sensor.OK,
) -> Sensor:
    """Judge a plug at ``now``. All moments are aware UTC.

    Args:
        now: the moment to judge at.
        has_plug: whether a plug is configured for the machine at all.
        listening_since: when the edge began to listen; a plug not heard since then has as long to speak
            as one that was heard then.
        last_reading_at: the last measurement; None: none yet.
        online: the plug's last birth or will; None: neither was heard. A measurement that came after a
            will must set this to True or None: it shows that the plug is back.
        awaited_since: since when a resident's word waits for the plug's; None: it does not. A plug that
            says nothing for ``AWAITED`` then vouches for nothing: not that the machine stands still.
        at_rest: whether no cycle runs. A plug that publishes on change says nothing all night beside a
            machine at rest; if it says that it is there, by its birth, that is no fault.
        before: what was judged last. It stands while a plug that was not heard yet has time to speak: one
            that never was is not believed before its first word.

    """
    if not has_plug:
        return Sensor.NONE
    if online is False:
        return Sensor.SILENT
    heard_at = listening_since if last_reading_at is None else last_reading_at
    if awaited_since is not None:
        awaited_since = max(awaited_since, listening_since)
        is_unheard = last_reading_at is None or last_reading_at < awaited_since
        if is_unheard and now - awaited_since > AWAITED:
            return Sensor.SILENT
    if at_rest and online and last_reading_at is not None:
        return Sensor.OK
    if now - heard_at > SILENT_AFTER:
        return Sensor.SILENT
    return Sensor.SILENT if last_reading_at is None and before is Sensor.SILENT else Sensor.OK
