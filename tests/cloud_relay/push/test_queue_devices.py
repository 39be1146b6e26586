"""Several devices of a resident, and one that changes its subscription: told once, by whichever can."""

from __future__ import annotations

import pytest

from cloud_relay.push.outcomes import Outcome, Result
from laundryd.wire.delivery import DeliveryState
from laundryd.wire.events import AckKind
from laundryd.wire.phases import Cause
from tests.cloud_relay.world import ME, Postman, World, entry, notice, relay

DONE = notice(1)
MOZILLA = "updates.push.services.mozilla.com"


async def cause(world: World) -> None:
    await world.begin()
    await world.events(entry(1, notices=[DONE]))


async def test_a_device_whose_service_is_in_trouble_lets_no_page_tell_it_again() -> None:
    later = Result(Outcome.LATER, "http_503")
    postman = Postman({"laptop": [later, later]})
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "phone")
        world.subscribers.add(ME, "laptop", host=MOZILLA)
        await cause(world)
        await world.push_due()
        assert await world.state_of(DONE.id) == "pushed"
        assert [one.told for one in await world.planner.pending(ME)] == [True]
        for _ in range(2):
            world.clock.forward(10)
            await world.push_due()
        assert postman.sent.count((DONE.id, "laptop")) == 3, "and the laptop is told in the end"
        assert postman.sent.count((DONE.id, "phone")) == 1
        assert world.planner.counts["pushed"] == 1
        (fate,) = await world.planner.history_of(ME, 10)
        assert [step.state for step in fate.steps].count(DeliveryState.PUSHED) == 1


@pytest.mark.parametrize("end", ["shown", "over"])
async def test_what_one_device_was_told_reaches_no_other_after_it_was_seen_or_is_over(
    end: str,
) -> None:
    postman = Postman({"laptop": [Result(Outcome.LATER, "http_503")]})
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "phone")
        world.subscribers.add(ME, "laptop", host=MOZILLA)
        await cause(world)
        await world.push_due()
        if end == "shown":
            await world.planner.shown(ME, [DONE.id], AckKind.SHOWN)
        else:
            over = entry(2)
            assert over.event is not None
            event = over.event.model_copy(update={"cause": Cause.COLLECTED})
            await world.events(over.model_copy(update={"event": event}))
        world.clock.forward(600)
        await world.push_due()
        assert postman.sent == [(DONE.id, "phone"), (DONE.id, "laptop")]
        assert await world.state_of(DONE.id) == ("shown" if end == "shown" else "pushed")


async def test_a_subscription_that_takes_the_place_of_one_that_waits_is_told() -> None:
    later = Result(Outcome.LATER, "http_503")
    postman = Postman({"old": [later], "new": [later]})
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "old")
        await cause(world)
        await world.push_due()
        world.subscribers.of[ME].clear()
        world.subscribers.add(ME, "new")
        for _ in range(3):
            world.clock.forward(600)
            await world.push_due()
        assert postman.sent == [(DONE.id, one) for one in ("old", "new", "new")]
        assert await world.state_of(DONE.id) == "pushed"


async def test_a_subscription_that_is_gone_and_has_no_successor_ends_it() -> None:
    postman = Postman({"old": [Result(Outcome.LATER, "http_503")]})
    async with relay(None, sender=postman) as world:
        world.subscribers.add(ME, "old")
        await cause(world)
        await world.push_due()
        world.subscribers.of[ME].clear()
        world.clock.forward(600)
        await world.push_due()
        assert await world.state_of(DONE.id) == "unreachable"
