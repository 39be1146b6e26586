"""What a detector says of one machine. All moments are aware UTC, in whole milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CycleStarted:
    """A cycle runs. ``at``: when that was known; ``started_at``: when it began, set back to the truth."""

    at: datetime
    started_at: datetime


@dataclass(frozen=True, slots=True)
class CycleFinished:
    """The cycle that began at ``started_at`` is done.

    ``at``: when that was known; ``ended_at``: the last moment the machine was seen at work.
    """

    at: datetime
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class CycleResumed:
    """The cycle that was called finished goes on with the same load: a long soak, a resident's pause.

    ``at``: when that was known; ``started_at``: the start that was told of it; ``ended_at``: the end that
    was told and is taken back.
    """

    at: datetime
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class MinutesLeft:
    """What the cycles of this plug's past say about the end of the running one; about once a minute.

    ``ends_at``: the expected end, always after ``at``. ``confidence``: how sure, 0 to 1. Nothing is said
    when nothing is known.
    """

    at: datetime
    started_at: datetime
    ends_at: datetime
    confidence: float


@dataclass(frozen=True, slots=True)
class EndingSoon:
    """The end is about five minutes away; at most once a cycle, and again after it was resumed."""

    at: datetime
    started_at: datetime
    ends_at: datetime
    confidence: float


Signal = CycleStarted | CycleFinished | CycleResumed | MinutesLeft | EndingSoon
"""Of one machine starts and ends alternate, beginning with a start; a resumption stands for a start after
the end that it takes back; the other two come only while a cycle runs. ``at`` never goes back."""
