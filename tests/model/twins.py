"""A course of events that a mechanism survives, and that is lost without it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.model.promises import check_all
from tests.model.world import World

Course = Callable[[World], None]
Switch = Callable[[pytest.MonkeyPatch], None]


def survives(course: Course) -> None:
    """Play ``course``, and let all promises hold after it."""
    with World() as world:
        course(world)
        check_all(world)


def loses(course: Course, switch: Switch, *, found: str) -> None:
    """Play ``course`` with the mechanism switched off, and be told of the loss as ``found``."""
    with pytest.MonkeyPatch.context() as patch:
        switch(patch)
        with pytest.raises(AssertionError, match=found):
            survives(course)
