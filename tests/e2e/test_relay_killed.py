"""The relay killed with SIGKILL and started again in mid-story loses nothing and tells nobody twice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from laundryd.demo.people import live_in
from laundryd.demo.sightings import Sighting, Sightings
from laundryd.demo.story import CAST, MACHINE_OF, PROGRAMME_MINUTES, Story
from laundryd.demo.town import Town
from laundryd.wire.notices import NOTICES, Channel, NoticeKind
from laundryd.wire.phases import Cause

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PATIENCE_S = 45.0
"""The relay's start, the clients' way back, an edge that catches up: each has seconds of its own."""
TOLD_AND_KEPT = {"shown": 4, "pushed": 1}
"""The relay's count when two were shown the start, all three were told the end, and it is written down."""


async def relay_is_back(story: Story) -> None:
    """Start the relay; the open page comes back at once, as one does that hears it is online again.

    With the backoff alone it may come later than the five seconds after which the relay rightly pushes.
    """
    await story.town.start_relay()
    story.residents[1].client.try_now()


@asynccontextmanager
async def a_story(speed: float) -> AsyncIterator[Story]:
    async with Town(speed=speed) as town:
        sightings = Sightings()
        async with live_in(town, sightings, CAST) as residents:
            yield Story(town, residents, sightings, patience_s=PATIENCE_S)


async def play(story: Story, after: str, befalls: Callable[[Story], Awaitable[None]]) -> None:
    """Play the story; once everybody has seen the step ``after``, something befalls the town."""
    async for step in story.play():
        assert step.missing == []
        assert step.doubled == []
        if (step.step, step.resident) == (after, CAST[-1][0]):
            await befalls(story)


async def assert_nothing_was_lost_or_told_twice(story: Story) -> None:
    assert await story.afterwards() == []
    seen = story.sightings.all
    notices = sorted((one.who, one.machine, one.kind) for one in seen if one.what == "notice")
    of_machines = [
        (who, machine, kind.value)
        for who, machine in MACHINE_OF.items()
        for kind in (NoticeKind.STARTED, NoticeKind.ENDING_SOON, NoticeKind.DONE)
        if who != "away" or NOTICES[kind].channel is not Channel.APP
    ]
    announced = [(who, "", NoticeKind.ANNOUNCEMENT.value) for who in MACHINE_OF]
    assert notices == sorted([*of_machines, *announced])
    assert len(story.town.push.posts) == 3, "one push a notice, and only to who was away"
    at_edge, at_relay = (offsets(seen, who) for who in ("room", "remote"))
    assert at_relay == at_edge, "who came back got exactly what they missed, in order"
    remote = story.residents[1]
    assert remote.client.connections == 2
    assert remote.snapshots == 1, "the first one; the rest was resumed from the journal"


def offsets(seen: list[Sighting], who: str) -> list[str]:
    """The story's events in the order in which somebody saw them."""
    return [
        one.subject
        for one in seen
        if one.who == who and one.what == "event" and one.kind != Cause.SENSOR_CHANGED
    ]


async def told_and_kept(town: Town) -> None:
    """Wait until the relay has written down that all were told: before, a crash may tell again."""
    found: dict[str, int] = {}
    while found != TOLD_AND_KEPT:
        async with town.http.get(f"{town.relay_url}/metrics") as answer:
            lines = re.findall(
                r'^laundryd_relay_notices_total\{outcome="(shown|pushed)"\} (\d+)',
                await answer.text(),
                re.MULTILINE,
            )
        found = {outcome: int(count) for outcome, count in lines}
        await asyncio.sleep(0.05)  # a counter has no event


async def test_killed_when_all_were_told_that_it_ends_soon() -> None:
    async def killed(story: Story) -> None:
        await told_and_kept(story.town)
        await story.town.kill_relay()
        await relay_is_back(story)

    async with a_story(speed=60) as story:
        await play(story, "ending_soon", killed)
        await assert_nothing_was_lost_or_told_twice(story)


async def test_killed_just_before_the_end_and_away_while_it_ends() -> None:
    async def killed(story: Story) -> None:
        assert story.ends_at is not None
        await told_and_kept(story.town)
        # Five minutes of rest make an end: it will be noticed within two seconds.
        await story.town.clock.sleep_until(story.ends_at + timedelta(minutes=3))
        await story.town.kill_relay()

        def all_done() -> bool:
            done = [one for one in story.sightings.all if one.kind == Cause.FINISHED]
            return {one.machine for one in done if one.who == "room"} == {*MACHINE_OF.values()}

        assert await story.sightings.until(all_done, PATIENCE_S), "the room works without the relay"
        await relay_is_back(story)

    async with a_story(speed=60) as story:
        await play(story, "ending_soon", killed)
        await assert_nothing_was_lost_or_told_twice(story)


async def test_killed_just_before_it_ends_soon() -> None:
    async def killed(story: Story) -> None:
        assert story.ends_at is not None
        warned_at = story.ends_at - timedelta(minutes=5)
        await story.town.clock.sleep_until(warned_at - timedelta(seconds=30))
        await story.town.kill_relay()
        await relay_is_back(story)

    # Half as fast: "ending soon" is worth telling for ten minutes, here 20 seconds of real time.
    async with a_story(speed=30) as story:
        assert PROGRAMME_MINUTES > 5
        await play(story, "running", killed)
        await assert_nothing_was_lost_or_told_twice(story)
