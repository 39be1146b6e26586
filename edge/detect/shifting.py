"""Moving the times in a detector's state when the clock was set: which of its numbers are moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from types import MappingProxyType
from typing import Final

from edge.detect.course import Course, Seam
from edge.detect.expectation import Expectation
from edge.detect.rising import Rising
from edge.detect.state import FinderState

MOMENTS: Final[Mapping[type, tuple[str, ...]]] = MappingProxyType(
    {
        FinderState: ("last_s", "held_s", "gone_s", "tumble_until_s"),
        Rising: ("rising_s", "first_turn_s", "over_s", "asked_s"),
        Course: (
            "started_s",
            "grid_s",
            "over_s",
            "worked_s",
            "burst_s",
            "low_s",
            "idle_s",
            "still_s",
            "calm_s",
        ),
        Seam: ("ended_s", "resumed_s", "turned_s"),
        Expectation: ("ends_s", "said_s"),
    }
)
"""The fields that are Unix seconds; all others are lengths, powers and counts."""


def shift_times(state: object, delta_s: float) -> None:
    """Move every moment in ``state``, and in what it holds, by ``delta_s`` seconds."""
    moments = MOMENTS.get(type(state), ())
    for name in moments:
        moment_s = getattr(state, name)
        if moment_s is not None:
            setattr(state, name, moment_s + delta_s)
    for held in (getattr(state, name) for name in getattr(state, "__slots__", ())):
        if is_dataclass(held) and not isinstance(held, type):
            shift_times(held, delta_s)
