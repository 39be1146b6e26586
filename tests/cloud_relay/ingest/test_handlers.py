from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cloud_relay.ingest.handlers import BEYOND_EVERY_HEAD
from laundryd.daemon.mqtt import Message
from laundryd.wire.ids import Position, RoomRef
from laundryd.wire.machines import MachineKind
from laundryd.wire.notices import NoticeKind, notice_id
from laundryd.wire.phases import Phase
from laundryd.wire.topics import MAX_PAYLOAD_BYTES, Topic, topic_name
from laundryd.wire.uplink import DownAck, DownTold
from tests.cloud_relay.world import (
    EPOCH,
    ME,
    OTHER,
    REF,
    ROOM,
    START,
    STRANGER,
    HandClock,
    ack_entry,
    entry,
    hello,
    machine,
    notice,
    presence,
    relay,
    snapshot,
    waiting_entry,
)


async def test_an_unknown_epoch_is_greeted_without_a_position_and_a_snapshot_settles_it() -> None:
    async with relay(None) as world:
        await world.rooms.enroll(ROOM, "Basement")
        await world.hear(Topic.UP_HELLO, hello(5))
        assert world.link.hellos[0].acked is None
        assert world.link.hellos[0].echo_sent_at == START
        await world.hear(Topic.UP_SNAPSHOT, snapshot(5))
        assert world.link.acks == [DownAck(epoch=EPOCH, offset=5)]
        await world.hear(Topic.UP_HELLO, hello(6))
        assert world.link.hellos[1].acked == 5
        assert world.rooms.local_url(ROOM) == "http://192.0.2.7"


async def test_events_are_kept_before_they_are_acknowledged_and_take_effect_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "relay.db"
    clock = HandClock()
    claimed = machine("w1", Phase.CLAIMED, held_until=START, has_owner=True)
    async with relay(path, clock=clock) as world:
        await world.begin()
        for _ in range(2):
            await world.events(entry(1, view=claimed, owner=ME))
        assert [ack.offset for ack in world.link.acks] == [1, 1]
        assert [event.offset for event in world.live.events] == [1]
        assert world.live.mine == [ME]
    async with relay(path, clock=clock) as reborn:
        assert reborn.rooms.position(ROOM) == Position(epoch=EPOCH, offset=1)
        assert [claim.machine for claim in reborn.rooms.mine(ME).claims] == ["w1"]
        await reborn.events(entry(1, view=claimed, owner=ME))
        assert reborn.live.events == []


async def test_a_gap_is_asked_for_and_what_came_early_waits_at_the_edge() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.events(entry(2))
        assert world.link.acks == [DownAck(epoch=EPOCH, offset=0, send_from=1)]
        await world.events(entry(1), entry(2))
        assert [event.offset for event in world.live.events] == [1, 2]


async def test_a_new_epoch_replaces_the_room_and_sends_clients_to_fetch_it() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.events(entry(1))
        await world.events(entry(4, epoch="e2"))
        assert world.link.acks[-1] == DownAck(epoch="e2", offset=0, snapshot=True)
        await world.hear(Topic.UP_SNAPSHOT, snapshot(4, epoch="e2", machines=[machine("d1")]))
        room = world.rooms.snapshot(ROOM)
        assert room is not None
        assert [view.machine for view in room.machines] == ["d1"]
        marker = world.live.events[-1]
        assert (marker.epoch, marker.offset, marker.follows) == ("e2", 4, 4)
        assert await world.rooms.since(ROOM, Position(epoch=EPOCH, offset=1), 300) is None


async def test_an_epoch_that_was_left_never_comes_back() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.hear(Topic.UP_SNAPSHOT, snapshot(0, epoch="e2"))
        await world.hear(Topic.UP_SNAPSHOT, snapshot(9))
        assert world.rooms.position(ROOM) == Position(epoch="e2", offset=0)
        # More than the edge has: the edge begins an epoch of its own.
        assert world.link.acks[-1] == DownAck(epoch=EPOCH, offset=BEYOND_EVERY_HEAD)
        await world.hear(Topic.UP_HELLO, hello(9))
        assert world.link.hellos[-1].acked == BEYOND_EVERY_HEAD


async def test_a_late_snapshot_of_the_same_epoch_changes_nothing() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.events(entry(1, view=machine("w1", Phase.IN_USE)))
        await world.hear(Topic.UP_SNAPSHOT, snapshot(0))
        assert world.rooms.position(ROOM) == Position(epoch=EPOCH, offset=1)
        assert world.link.acks[-1] == DownAck(epoch=EPOCH, offset=1)


async def test_edge_status_follows_availability_and_presence_lapses_with_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "relay.db"
    async with relay(path) as world:
        await world.begin()
        await world.hear(Topic.UP_PRESENCE, presence(1))
        assert world.edges.attentive(ME)
        await world.hear(Topic.UP_PRESENCE, presence(1, attentive=False))
        assert world.edges.attentive(ME), "an older sequence changes nothing"
        await world.hear(Topic.AVAILABILITY, b"offline")
        assert not world.edges.open(ME)
        assert [status.edge.online for status in world.live.statuses] == [True, False]
        await world.hear(Topic.UP_PRESENCE, presence(1))
    async with relay(path) as reborn:
        assert reborn.edges.attentive(ME), "a restart forgets nobody"
        assert not reborn.rooms.edge(ROOM).online, "until it is heard"


async def test_a_room_that_comes_back_is_told_what_was_told_elsewhere() -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        done = notice(1)
        await world.events(entry(1, notices=[done]))
        await world.push_due()
        assert await world.state_of(done.id) == "pushed"
        await world.hear(Topic.UP_HELLO, hello(1))
        room, ids = world.told._waiting.get_nowait()
        assert (room, ids) == (ROOM, (done.id,))
        assert DownTold(notice_ids=list(ids)).notice_ids == [done.id]


async def test_notices_of_a_room_that_came_back_wait_for_its_acknowledgements() -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub-me")
        world.subscribers.add(OTHER, "sub-other")
        mine, theirs = notice(1), notice(2, OTHER)
        await world.hear(Topic.UP_HELLO, hello(3))
        await world.events(entry(1, notices=[mine]), entry(2, notices=[theirs]), caught_up=False)
        await world.push_due()
        assert await world.state_of(mine.id) == "held"
        await world.events(ack_entry(3, mine.id), caught_up=True)
        await world.push_due()
        assert await world.state_of(mine.id) == "shown"
        assert await world.state_of(theirs.id) == "pushed"
        assert world.subscribers.sent == ["sub-other"]


async def test_a_room_that_never_catches_up_is_planned_after_ten_seconds() -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub")
        done = notice(1)
        await world.hear(Topic.UP_HELLO, hello(9))
        await world.events(entry(1, notices=[done]), caught_up=False)
        world.clock.forward(9.9)
        await world.push_due()
        assert world.subscribers.sent == []
        world.clock.forward(0.2)
        await world.push_due()
        assert world.subscribers.sent == ["sub"]


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (topic_name(REF, Topic.UP_EVENTS), b"not json", "malformed"),
        (topic_name(REF, Topic.UP_EVENTS), b'{"entries": 3, "caught_up": true}', "malformed"),
        (topic_name(REF, Topic.UP_HELLO), b"\xff\xfe", "malformed"),
        (topic_name(REF, Topic.AVAILABILITY), b"perhaps", "malformed"),
        (topic_name(REF, Topic.UP_EVENTS), b"x" * (MAX_PAYLOAD_BYTES + 1), "oversized"),
        ("laundry/v1/maple-hall/basement/down/ack", b"{}", "unknown_topic"),
        ("laundry/v1/maple-hall/basement/up/nonsense", b"{}", "unknown_topic"),
        ("homeassistant/status", b"online", "unknown_topic"),
        ("laundry/v1/maple-hall/attic/availability", b"online", "unknown_room"),
    ],
)
async def test_bad_input_is_counted_and_skipped(topic: str, payload: bytes, reason: str) -> None:
    async with relay(None) as world:
        await world.begin()
        world.ingest.on_message(Message(topic, payload, retained=False))
        if world.ingest.waiting:
            await world.ingest.take(Message(topic, payload, retained=False))
        assert dict(world.ingest.skipped) == {reason: 1}
        await world.events(entry(1))
        assert world.link.acks[-1].offset == 1


async def test_an_event_for_another_room_than_its_topic_is_refused() -> None:
    async with relay(None) as world:
        await world.begin()
        attic = RoomRef(site="maple-hall", room="attic")
        await world.rooms.enroll(attic.key, "Attic")
        await world.events(entry(1, room=attic.key))
        await world.hear(Topic.UP_SNAPSHOT, snapshot(1, room=attic.key))
        await world.events(entry(1, notices=[notice(1, room=attic.key)]))
        await world.events(entry(1, notices=[notice(2)]))
        assert dict(world.ingest.skipped) == {"foreign_event": 4}
        assert world.rooms.position(ROOM) == Position(epoch=EPOCH, offset=0)
        assert world.rooms.position(attic.key) is None


async def test_a_room_cannot_announce_in_the_staffs_name() -> None:
    async with relay(None) as world:
        await world.begin()
        kind = NoticeKind.ANNOUNCEMENT
        forged = notice(1).model_copy(
            update={
                "kind": kind,
                "id": notice_id(ROOM, entry(1).position, kind, ME),
                "params": {"title": "Sign in anew", "body": "Go to evil.example."},
            }
        )
        await world.events(entry(1, notices=[forged]))
        assert dict(world.ingest.skipped) == {"foreign_event": 1}
        assert await world.planner.pending(ME) == []


async def test_a_failing_database_acknowledges_nothing_and_the_entry_comes_again() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.db.execute("ALTER TABLE room_events RENAME TO hidden")
        await world.events(entry(1))
        assert world.link.acks == []
        assert world.ingest.skipped["failed"] == 1
        await world.db.execute("ALTER TABLE hidden RENAME TO room_events")
        await world.events(entry(1))
        assert [event.offset for event in world.live.events] == [1]


async def test_at_a_connect_every_room_is_told_what_is_kept() -> None:
    async with relay(None) as world:
        await world.begin()
        await world.rooms.enroll("maple-hall.attic", "Attic")
        await world.ingest._nudge_all()
        assert world.link.acks == [DownAck(epoch=EPOCH, offset=0, send_from=1)]
        assert len(world.link.sent) == 1, "a room never heard says its hello by itself"


async def test_a_room_tells_its_own_residents_alone_and_a_stranger_stops_nothing() -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(STRANGER, "sub-stranger")
        world.subscribers.add(ME, "sub-me")
        await world.events(entry(1, notices=[notice(1, STRANGER), notice(1)]))
        await world.push_due()
        assert world.subscribers.sent == ["sub-me"]
        assert dict(world.ingest.skipped) == {"not_joined": 1}
        assert world.link.acks[-1].offset == 1


async def test_a_turn_in_the_queue_is_told_like_any_notice() -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub-me")
        until = START + timedelta(minutes=3)
        turn = waiting_entry(1, ME, {MachineKind.WASHER: until}, notices=[notice(1)])
        await world.events(turn)
        await world.push_due()
        assert world.subscribers.sent == ["sub-me"]
        assert world.live.events == []
