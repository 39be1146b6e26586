"""The resident's wishes are looked at just before sending: a push may have waited for hours."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cloud_relay.push.outcomes import Outcome, Result
from laundryd.wire.notices import NoticeKind
from laundryd.wire.preferences import Choice, NoticePreferences, QuietHours
from tests.cloud_relay.world import ME, HandClock, Postman, World, entry, notice, relay

DONE = notice(1)
MOZILLA = "updates.push.services.mozilla.com"


async def cause(world: World) -> None:
    await world.begin()
    await world.events(entry(1, notices=[DONE]))


def quiet_from(clock: HandClock, *, hours: int) -> NoticePreferences:
    """Return wishes by which it is quiet from now on."""
    end = clock.moment + timedelta(hours=hours)
    hours_of_rest = QuietHours(begin=f"{clock.moment:%H:%M}", end=f"{end:%H:%M}", zone="UTC")
    return NoticePreferences(quiet=hours_of_rest)


async def test_an_outage_that_ends_in_quiet_hours_wakes_nobody() -> None:
    postman = Postman({"sub": [Result(Outcome.LATER, "http_503")]})
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "sub")
        await cause(world)
        await world.push_due()
        world.wishes.kept[ME] = quiet_from(world.clock, hours=2)
        for _ in range(11):
            world.clock.forward(600)
            await world.push_due()
        assert len(postman.sent) == 1
        assert world.subscribers.errors == [("sub", "http_503")], (
            "it says nothing of the subscription"
        )
        world.clock.forward(601)
        await world.push_due()
        assert len(postman.sent) == 2
        assert await world.state_of(DONE.id) == "pushed"


async def test_quiet_hours_that_are_given_up_hold_nothing_back() -> None:
    later = Result(Outcome.LATER, "http_503")
    postman, second = Postman({"sub": [later]}), notice(2)
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "sub")
        await cause(world)
        await world.push_due()
        world.wishes.kept[ME] = quiet_from(world.clock, hours=2)
        await world.events(entry(2, notices=[second]))
        world.clock.forward(60)
        await world.push_due()
        assert await world.state_of(second.id) == "quiet"
        world.wishes.kept.clear()
        await world.planner.wishes_changed(ME)
        await world.push_due()
        assert sorted(postman.sent[1:]) == sorted([(DONE.id, "sub"), (second.id, "sub")])


@pytest.mark.parametrize("choice", [Choice.APP_ONLY, Choice.NOTHING])
async def test_a_kind_that_is_turned_off_meanwhile_is_not_pushed(choice: Choice) -> None:
    postman = Postman({"sub": [Result(Outcome.LATER, "http_503")]})
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "sub")
        await cause(world)
        await world.push_due()
        world.wishes.kept[ME] = NoticePreferences(choices={NoticeKind.DONE: choice})
        world.clock.forward(60)
        await world.push_due()
        assert len(postman.sent) == 1
        assert await world.state_of(DONE.id) == "app_only"
