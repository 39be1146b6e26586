"""What happens later in a room makes a notice moot: later in its journal, whatever its clock showed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from laundryd.wire.delivery import DeliveryState
from laundryd.wire.events import Entry
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Cause
from laundryd.wire.preferences import Choice, NoticePreferences
from tests.cloud_relay.world import ME, World, entry, notice, relay

HOUR = timedelta(hours=1)


def collected(offset: int, after: timedelta, done_at: int | None = None) -> Entry:
    """Return the entry of a collection, ``after`` the start by the room's clock."""
    one = entry(offset, notices=[] if done_at is None else [notice(done_at)])
    assert one.event is not None
    more = {"cause": Cause.COLLECTED, "at": one.event.at + after}
    return one.model_copy(update={"event": one.event.model_copy(update=more)})


async def begin(world: World) -> None:
    """Let the notice wait in the list of somebody who is away."""
    await world.begin()
    world.wishes.kept[ME] = NoticePreferences(choices={NoticeKind.DONE: Choice.APP_ONLY})


@pytest.mark.parametrize("after", [-HOUR, timedelta(), HOUR])
async def test_a_collection_makes_it_moot_though_the_rooms_clock_was_set(after: timedelta) -> None:
    async with relay(None) as world:
        await begin(world)
        await world.events(entry(1, notices=[notice(1)]))
        await world.events(collected(2, after))
        assert await world.state_of(notice(1).id) == DeliveryState.MOOT
        assert await world.planner.pending(ME) == []


@pytest.mark.parametrize("after", [-HOUR, timedelta(), HOUR])
async def test_in_one_batch_only_what_came_before_is_moot(after: timedelta) -> None:
    async with relay(None) as world:
        await begin(world)
        earlier, later = notice(1), notice(3)
        done, again = entry(1, notices=[earlier]), entry(3, notices=[later])
        await world.events(done, collected(2, after), again)
        assert await world.state_of(earlier.id) == DeliveryState.MOOT
        assert [one.id for one in await world.planner.pending(ME)] == [later.id]


async def test_no_change_makes_its_own_notice_moot() -> None:
    async with relay(None) as world:
        await begin(world)
        await world.events(collected(1, HOUR, done_at=1))
        assert [one.id for one in await world.planner.pending(ME)] == [notice(1).id]


async def test_that_nobody_could_be_told_stays_to_be_read() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.events(entry(1, notices=[notice(1)]))
        await world.push_due()
        assert [one.id for one in await world.planner.pending(ME)] == [notice(1).id]
        await world.events(collected(2, HOUR))
        assert await world.state_of(notice(1).id) == DeliveryState.UNREACHABLE
        assert await world.planner.untold_of([ME]) == {ME: 1}
        assert await world.planner.pending(ME) == [], "but no page that comes is told it"
