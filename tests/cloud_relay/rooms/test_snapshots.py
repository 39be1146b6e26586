"""Rooms kept encoded: what is handed out is always what the room is now."""

from __future__ import annotations

import asyncio
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from cloud_relay.rooms.snapshots import Snapshots
from laundryd.wire.ids import RoomRef
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.phases import Phase
from laundryd.wire.topics import Topic
from tests.cloud_relay.world import (
    ROOM,
    HandClock,
    World,
    entry,
    hello,
    machine,
    relay,
    snapshot,
    waiting_entry,
)

NASTY: Final = 'Cellar ","at":"'
"""A name that looks like the field that is filled in."""


class Stopwatch(HandClock):
    """Monotonic seconds move by hand, too."""

    @override
    def monotonic_s(self) -> float:
        return self.moment.timestamp()


def read(encoded: bytes | None) -> RoomSnapshot | None:
    return None if encoded is None else RoomSnapshot.model_validate_json(encoded)


async def test_a_room_is_encoded_once_until_something_happens() -> None:
    async with relay(None) as world:
        await world.begin()
        kept = Snapshots(world.rooms, world.clock)
        first = kept.encoded(ROOM)
        assert kept.encoded(ROOM) == first
        assert dict(kept.counts) == {"made": 1, "kept": 1}
        await world.events(entry(1, view=machine("w1", Phase.IN_USE)))
        after = read(kept.encoded(ROOM))
        assert after == world.rooms.snapshot(ROOM)
        assert after is not None
        assert after.position.offset == 1
        assert kept.counts["made"] == 2


async def test_a_sign_of_life_makes_nobody_encode_a_room_again() -> None:
    async with relay(None) as world:
        await world.begin()
        kept = Snapshots(world.rooms, world.clock)
        kept.encoded(ROOM)
        await world.hear(Topic.UP_HELLO, hello(0, renewal=True))
        kept.encoded(ROOM)
        assert dict(kept.counts) == {"made": 1, "kept": 1}
        await world.hear(Topic.UP_HELLO, hello(0).model_copy(update={"durable": False}))
        found = read(kept.encoded(ROOM))
        assert found is not None
        assert not found.durable


async def test_the_moment_is_always_now() -> None:
    async with relay(None) as world:
        await world.begin()
        kept = Snapshots(world.rooms, world.clock)
        kept.encoded(ROOM)
        world.clock.forward(7.25)
        found = read(kept.encoded(ROOM))
        assert found is not None
        assert found.at == world.clock.now()
        assert found == world.rooms.snapshot(ROOM)
        assert kept.counts["kept"] == 1


async def test_an_edge_that_comes_or_goes_changes_the_room() -> None:
    async with relay(None) as world:
        await world.begin()
        kept = Snapshots(world.rooms, world.clock)
        kept.encoded(ROOM)
        await world.hear(Topic.AVAILABILITY, b"offline")
        found = read(kept.encoded(ROOM))
        assert found is not None
        assert found.edge is not None
        assert not found.edge.online


async def test_who_is_unknown_or_was_never_heard_has_none() -> None:
    async with relay(None) as world:
        kept = Snapshots(world.rooms, world.clock)
        assert kept.encoded("maple-hall.nowhere") is None
        await world.rooms.enroll(ROOM, "Basement")
        assert kept.encoded(ROOM) is None
        assert not kept.counts


async def test_after_a_while_a_room_is_encoded_anew() -> None:
    clock = Stopwatch()
    async with relay(None, clock=clock) as world:
        await world.begin()
        kept = Snapshots(world.rooms, clock, keep_s=300)
        kept.encoded(ROOM)
        clock.forward(299)
        kept.encoded(ROOM)
        assert dict(kept.counts) == {"made": 1, "kept": 1}
        clock.forward(1)
        kept.encoded(ROOM)
        assert kept.counts["made"] == 2


async def test_the_longest_unasked_room_goes_first() -> None:
    refs = [RoomRef(site="maple-hall", room=f"r{number}") for number in range(3)]
    a, b, c = (ref.key for ref in refs)
    async with relay(None) as world:
        for ref in refs:
            await world.rooms.enroll(ref.key, ref.room)
            await world.hear(Topic.UP_HELLO, hello(0), ref)
            await world.hear(Topic.UP_SNAPSHOT, snapshot(room=ref.key), ref)
        kept = Snapshots(world.rooms, world.clock, rooms_max=2)
        for room in (a, b, a, c):
            kept.encoded(room)
        assert dict(kept.counts) == {"made": 3, "kept": 1}
        kept.encoded(a)
        kept.encoded(c)
        assert kept.counts["made"] == 3
        kept.encoded(b)
        assert kept.counts["made"] == 4


async def happens(world: World, step: int, offset: int) -> int:
    """Let one of the things happen that rooms go through; return the journal's new head."""
    match step:
        case 0:
            phase = Phase.IN_USE if offset % 2 else Phase.FREE
            await world.events(entry(offset + 1, view=machine("w1", phase), owner="ann"))
            return offset + 1
        case 1:
            await world.events(waiting_entry(offset + 1))
            return offset + 1
        case 2:
            await world.hear(Topic.AVAILABILITY, b"offline")
        case 3:
            await world.hear(Topic.AVAILABILITY, b"online")
        case 4:
            await world.hear(Topic.UP_HELLO, hello(offset))
        case 5:
            names = [machine("w1", name=f"W{offset}"), machine("w2", name=NASTY)]
            whole = snapshot(offset + 5, machines=names)
            named = whole.snapshot.model_copy(update={"name": NASTY})
            await world.hear(Topic.UP_SNAPSHOT, whole.model_copy(update={"snapshot": named}))
            return offset + 5
        case _:
            world.clock.forward(0.001 * step)
    return offset


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 8), max_size=15))
def test_whatever_happens_what_is_handed_out_is_the_room_as_it_is(steps: list[int]) -> None:
    async def run() -> None:
        async with relay(None) as world:
            await world.begin()
            kept = Snapshots(world.rooms, world.clock)
            offset = 0
            for step in steps:
                offset = await happens(world, step, offset)
                assert read(kept.encoded(ROOM)) == world.rooms.snapshot(ROOM)

    asyncio.run(run())


async def test_who_takes_a_snapshot_misses_nothing_that_comes_after_it() -> None:
    async with relay(None) as world:
        await world.begin()
        kept = Snapshots(world.rooms, world.clock)
        for offset in range(1, 30):
            found = read(kept.encoded(ROOM))
            assert found is not None
            await world.events(entry(offset, view=machine("w1", name=f"W{offset}")))
            missed = await world.rooms.since(ROOM, found.position, 100)
            assert missed is not None
            assert [event.offset for event in missed] == [offset]
