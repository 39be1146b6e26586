from __future__ import annotations

from dataclasses import fields

import pytest

from edge.detect.course import Course, Seam
from edge.detect.expectation import Expectation
from edge.detect.floor import Floor
from edge.detect.rising import Rising
from edge.detect.shifting import MOMENTS, shift_times
from edge.detect.state import FinderState

LENGTHS = {
    FinderState: {"pace_s", "rest_s"},
    Floor: {"s"},
    Rising: {"on_s"},
    Course: {"bin_s", "burst_on_s", "hole_s"},
    Seam: {"unheard_s"},
}
"""Seconds that are no moments."""


@pytest.mark.parametrize("part", [FinderState, Floor, Rising, Course, Seam, Expectation])
def test_every_field_in_seconds_is_known_to_be_a_moment_or_a_length(part: type) -> None:
    seconds = {
        field.name for field in fields(part) if field.name == "s" or field.name.endswith("_s")
    }
    assert seconds == set(MOMENTS.get(part, ())) | LENGTHS.get(part, set())


def test_every_moment_moves_and_nothing_else() -> None:
    state = FinderState(last_s=100.0, last_w=5.0, course=Course(50.0, 40.0, hole_s=7.0))
    assert state.course is not None
    state.course.seam = Seam(90.0, "unsure", is_told=True)
    shift_times(state, 3600)
    assert (state.last_s, state.last_w, state.pace_s, state.gone_s) == (3700, 5, 10, None)
    assert (state.course.started_s, state.course.grid_s, state.course.hole_s) == (3650, 3640, 7)
    assert (state.course.seam.ended_s, state.course.seam.resumed_s) == (3690, None)
