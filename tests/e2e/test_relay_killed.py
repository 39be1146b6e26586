"""The relay killed with SIGKILL and started again in mid-story loses nothing and tells nobody twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from laundryd.demo.people import Resident, live_in
from laundryd.demo.sightings import Sightings
from laundryd.demo.story import CAST, MACHINE_OF, PROGRAMME_MINUTES, Step, Story
from laundryd.demo.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PATIENCE_S = 45.0
"""The relay's start, the clients' way back, an edge that catches up: each has seconds of its own."""


async def just_told(_story: Story) -> None:
    """At once after the last ``ending_soon`` was seen."""


async def just_before_the_end(story: Story) -> None:
    """When all programmes have ended and the edge is about to notice: five minutes of rest make an end."""
    assert story.ends_at is not None
    await story.town.clock.sleep_until(story.ends_at + timedelta(minutes=4))


async def before_anybody_is_told(story: Story) -> None:
    """A minute before ``ending_soon``: it comes while nobody hears the room."""
    assert story.ends_at is not None
    warned = timedelta(minutes=PROGRAMME_MINUTES - 6)
    await story.town.clock.sleep_until(story.ends_at - timedelta(minutes=PROGRAMME_MINUTES) + warned)


@pytest.mark.parametrize(
    ("after", "moment"),
    [
        pytest.param("ending_soon", just_told, id="once ending_soon was told"),
        pytest.param("ending_soon", just_before_the_end, id="just before done"),
        pytest.param("running", before_anybody_is_told, id="just before ending_soon"),
    ],
)
@pytest.mark.parametrize("away_s", [0.0, 4.0], ids=["started at once", "started after 4 s"])
async def test_a_killed_relay_loses_nothing_and_tells_nobody_twice(
    after: str, moment: object, away_s: float
) -> None: ...
