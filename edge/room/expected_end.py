"""What a plug's past cycles say about the end: when that is news, and when it is soon.

A detector speaks about once a minute. Told each time it would be an event a minute and machine; told
never the residents would see a wrong time. The rules of ``is_news`` lie between.
"""

from __future__ import annotations

import math
from bisect import bisect
from dataclasses import replace
from datetime import timedelta
from typing import Final

from edge.room.decision import Change, change, told
from edge.room.inputs import EndExpected
from edge.room.records import MachineRecord
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Cause, Sensor
from laundryd.wire.times import Moment

MINUTE: Final = timedelta(minutes=1)
NEWS_SHIFT: Final = timedelta(minutes=2)
"""How far the expected end moves before that is told: less is not seen in "about 20 minutes"."""
CONFIDENCE_STEPS: Final = (0.5, 0.8)
"""Where a page says it differently: a guess, about, nearly certain."""
CONFIDENCE_SLACK: Final = 0.1
"""How far the confidence moves at least before a step counts, so that none is told back and forth."""


def is_news(record: MachineRecord, expected: EndExpected, now: Moment) -> bool:
    """Say whether ``expected`` changes what residents were told of the end enough to be told."""
    if record.ends_at is None or record.ends_confidence is None:
        return True
    if abs(expected.ends_at - record.ends_at) >= NEWS_SHIFT:
        return True
    if record.ends_at - now <= MINUTE and expected.ends_at > record.ends_at:
        return True  # what was told is about to pass, and it goes on
    moved = abs(expected.confidence - record.ends_confidence) >= CONFIDENCE_SLACK
    return moved and _step(expected.confidence) != _step(record.ends_confidence)


def _step(confidence: float) -> int:
    return bisect(CONFIDENCE_STEPS, confidence)


def expect_end(record: MachineRecord, expected: EndExpected, now: Moment) -> tuple[Change, ...]:
    """Take what the plug of a running machine expects; nothing when that is no news."""
    if expected.ends_at <= now:
        return ()  # it came too late to be of use
    # A plug that is silent rules no more: its last word is a timer's.
    confidence = expected.confidence if record.sensor is Sensor.OK else None
    after = replace(record, ends_at=expected.ends_at, ends_confidence=confidence)
    if expected.is_soon and not record.ending_soon_told:
        return (ending_soon(record, after, expected.ends_at, now),)
    if is_news(record, expected, now):
        return (change(record, Cause.END_EXPECTED, after),)
    return ()


def ending_soon(
    before: MachineRecord, after: MachineRecord, ends_at: Moment, now: Moment
) -> Change:
    """Tell the owner that ``ends_at``, after ``now``, is near; once a cycle."""
    minutes = math.ceil((ends_at - now) / MINUTE)
    notices = told(before, NoticeKind.ENDING_SOON, minutes=minutes)
    return change(before, Cause.ENDING_SOON, replace(after, ending_soon_told=True), *notices)


def end_passed(record: MachineRecord) -> Change:
    """Take back an expected end that passed while the plug saw the machine run on: nobody knows now."""
    return change(record, Cause.END_EXPECTED, replace(record, ends_at=None, ends_confidence=None))
