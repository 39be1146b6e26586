"""What a finder remembers of one machine, JSON-able: all of it but what past cycles taught."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import ConfigDict

from edge.detect.course import Course
from edge.detect.expectation import Expectation
from edge.detect.floor import Floor
from edge.detect.rising import Rising


@dataclass(slots=True)
class FinderState:
    """What is remembered of one machine between samples. Unix seconds and watts; None: not so now.

    ``last_s``, ``last_w``: the last sample; ``held_s``: up to when it was counted as lasting. ``pace_s``:
    the usual time between samples; ``repeats``: the share of them that repeat the last value.
    ``gone_s``: since when the plug is known to be gone. ``rest_s``: for how long, seconds, the machine was
    seen at rest before the next load; it says whether the load was seen from its beginning. After a
    dryer's end what draws less than ``tumble_w`` until ``tumble_until_s`` is its tumbling. ``left_on_w``:
    something that is no load draws so much, watts, since a load was done.
    """

    # How a kept state is checked when it is read again.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(allow_inf_nan=False, extra="forbid")

    last_s: float | None = None
    last_w: float = 0.0
    held_s: float = 0.0
    pace_s: float = 10.0
    repeats: float = 0.0
    gone_s: float | None = None
    rest_s: float = 0.0
    left_on_w: float | None = None
    floor: Floor = field(default_factory=Floor)
    rising: Rising = field(default_factory=Rising)
    course: Course | None = None
    expectation: Expectation = field(default_factory=Expectation)
    tumble_until_s: float | None = None
    tumble_w: float = 0.0
