"""Who counts as gone, when many rooms are asked and when the disk refuses."""

from __future__ import annotations

import asyncio

import pytest

from cloud_relay.ingest.uplink import NUDGES_TOGETHER
from cloud_relay.rooms.leases import FIRST_WORD_S
from laundryd.wire.ids import RoomRef
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import LEASE_S
from tests.cloud_relay.world import ME, OTHER, REF, ROOM, World, hello, presence, relay

ATTIC = "maple-hall.attic"


async def hear_both(world: World) -> None:
    await world.begin()
    await world.rooms.enroll(ATTIC, "Attic")
    for ref, who in ((REF, ME), (RoomRef.from_key(ATTIC), OTHER)):
        await world.hear(Topic.AVAILABILITY, b"online", ref)
        await world.hear(Topic.UP_HELLO, hello(0), ref)
        await world.hear(Topic.UP_PRESENCE, presence(1, resident=who), ref)


async def test_a_disk_that_refuses_one_rooms_note_keeps_no_other_room_online() -> None:
    async with relay(None) as world:
        await hear_both(world)
        await world.db.execute("ALTER TABLE room_presence RENAME TO hidden")
        world.clock.forward(LEASE_S)
        await world.handlers.lapse()
        await world.db.execute("ALTER TABLE hidden RENAME TO room_presence")
        assert [world.rooms.edge(room).online for room in (ATTIC, ROOM)] == [False, False]
        assert not world.edges.open(ME)
        assert not world.edges.open(OTHER)


async def test_deadlines_are_looked_at_anew_though_the_disk_refuses_to_note_who_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with relay(None) as world:
        await hear_both(world)
        looks: list[bool] = []
        monkeypatch.setattr(
            world.planner, "presence_changed", lambda: looks.append(world.edges.open(ME))
        )
        await world.db.execute("ALTER TABLE room_presence RENAME TO hidden")
        await world.hear(Topic.AVAILABILITY, b"offline")
        assert looks == [False]
        assert world.ingest.skipped["failed"] == 1


async def test_a_room_that_is_asked_late_has_its_time_from_then_on() -> None:
    async with relay(None) as world:
        await world.begin()
        world.handlers.link_back()
        # So long the rooms before it took.
        world.clock.forward(FIRST_WORD_S)
        await world.handlers.nudge(ROOM)
        await world.handlers.lapse()
        assert world.rooms.edge(ROOM).online
        world.clock.forward(FIRST_WORD_S)
        await world.handlers.lapse()
        assert not world.rooms.edge(ROOM).online


async def test_no_room_waits_for_the_answers_of_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async with relay(None) as world:
        for number in range(NUDGES_TOGETHER):
            await world.rooms.enroll(f"maple-hall.room-{number}", "Room")
        under_way, most = 0, 0

        async def publish(topic: str, payload: bytes, *, retain: bool = False) -> bool:
            nonlocal under_way, most
            del topic, payload, retain
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            return True

        monkeypatch.setattr(world.link, "publish", publish)
        await world.ingest._nudge_all()
        assert most == NUDGES_TOGETHER
