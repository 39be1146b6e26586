from __future__ import annotations

from datetime import timedelta

from laundryd.wire.topics import Topic
from laundryd.wire.uplink import UpEvents
from tests.cloud_relay.world import ME, entry, notice, relay


async def test_until_when_a_notice_is_useful_is_judged_in_the_relays_time() -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub-me")
        world.clock.forward(3600 + 12 * 3600 - 120)  # its own clock is an hour behind ours
        done = notice(1)
        ahead = UpEvents(entries=[entry(1, notices=[done])], caught_up=True, ahead_ms=3_600_000)
        await world.hear(Topic.UP_EVENTS, ahead)
        await world.push_due()
        assert await world.state_of(done.id) == "pushed", "without the hour it would have expired"
        [fate] = await world.planner.history_of(ME, 10)
        assert fate.card.useful_until == done.useful_until + timedelta(hours=1)
