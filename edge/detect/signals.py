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


Signal = CycleStarted | CycleFinished
"""Of one machine these alternate, beginning with a start, and their times never go back."""
