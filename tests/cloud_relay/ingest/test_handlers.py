from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cloud_relay.ingest.order import BEYOND_EVERY_HEAD
from cloud_relay.rooms.leases import FIRST_WORD_S
from laundryd.daemon.mqtt import Message
from laundryd.wire.events import AckKind, Carried, Entry
from laundryd.wire.ids import Position, RoomRef
from laundryd.wire.machines import MachineKind
from laundryd.wire.notices import NoticeKind, notice_id
from laundryd.wire.phases import Phase
from laundryd.wire.topics import MAX_PAYLOAD_BYTES, Topic, topic_name
from laundryd.wire.uplink import LEASE_S, DownAck, DownTold, UpEvents
from tests.cloud_relay.neighbours import STRANGER
from tests.cloud_relay.world import (
    EPOCH,
    ME,
    OTHER,
    REF,
    ROOM,
    START,
    HandClock,
    World,
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

AGES_AHEAD = b'{"entries": [], "caught_up": true, "ahead_ms": 1000000000000000000}'
"""From an edge whose clock has nothing to do with any time."""


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
        # It is asked for again, from there: a machine that left must leave here too.
        assert world.link.acks[-1] == DownAck(epoch=EPOCH, offset=1, snapshot=True)


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
        assert world.told._waiting.get_nowait() == (ROOM, DownTold(notice_ids=[done.id]))


async def test_a_room_that_comes_back_is_told_what_was_read_elsewhere_meanwhile() -> None:
    async with relay(None) as world:
        await world.begin()
        shown, read = notice(1), notice(2)
        await world.events(entry(1, notices=[shown]), entry(2, notices=[read]))
        await world.planner.shown(ME, [shown.id, read.id], AckKind.SHOWN)
        await world.planner.shown(ME, [read.id], AckKind.READ)
        while not world.told._waiting.empty():
            world.told._waiting.get_nowait()  # lost on its way: the edge was away
        await world.hear(Topic.UP_HELLO, hello(2))
        room, told = world.told._waiting.get_nowait()
        assert (room, set(told.notice_ids)) == (ROOM, {shown.id, read.id})
        assert told.gone == [read.id]


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
        (topic_name(REF, Topic.UP_EVENTS), AGES_AHEAD, "malformed"),
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
        assert len(world.link.sent) == 2, "a room never heard is asked as well"


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


def of_run(one: Entry, run: str) -> Entry:
    return one.model_copy(update={"run": run})


async def batch(world: World, *entries: Entry, after: int, after_run: str | None) -> None:
    await world.hear(
        Topic.UP_EVENTS,
        UpEvents(entries=list(entries), caught_up=True, after=after, after_run=after_run, word="w"),
    )


async def test_entries_of_another_past_take_no_effect_and_make_the_edge_begin_anew() -> None:
    beyond = DownAck(epoch=EPOCH, offset=BEYOND_EVERY_HEAD, word="w")
    async with relay(None) as world:
        await world.begin()
        await batch(world, of_run(entry(1), "r1"), after=0, after_run=None)
        await world.hear(Topic.UP_HELLO, hello(2))
        assert (world.link.hellos[-1].acked, world.link.hellos[-1].run) == (1, "r1")
        # Restored from a backup before entry 1, it gave the number to another.
        theirs = of_run(entry(2), "r2")
        await batch(world, theirs, after=1, after_run="r2")
        assert world.link.acks[-1] == beyond
        await batch(world, of_run(entry(1), "r2"), theirs, after=0, after_run=None)
        assert world.link.acks[-1] == beyond
        await batch(world, after=1, after_run="r2")
        assert world.link.acks[-1] == beyond, "having said nothing yet it is found out too"
        late = snapshot(1).model_copy(update={"run": "r2", "word": "w"})
        await world.hear(Topic.UP_SNAPSHOT, late)
        assert world.link.acks[-1] == beyond
        assert world.rooms.position(ROOM) == Position(epoch=EPOCH, offset=1)
        assert [event.offset for event in world.live.events] == [1]
        await batch(world, of_run(entry(2), "r3"), after=1, after_run="r1")
        assert world.link.acks[-1] == DownAck(epoch=EPOCH, offset=2, word="w")


async def test_the_run_survives_a_restart_of_the_relay(tmp_path: Path) -> None:
    path, clock = tmp_path / "relay.db", HandClock()
    async with relay(path, clock=clock) as world:
        await world.begin()
        await batch(world, of_run(entry(1), "r1"), after=0, after_run=None)
    async with relay(path, clock=clock) as reborn:
        assert reborn.rooms.run(ROOM) == "r1"


async def test_a_notice_that_is_carried_over_is_told_once_under_its_old_id() -> None:
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub-me")
        done, place = notice(7), Position(epoch=EPOCH, offset=7)
        await world.hear(Topic.UP_SNAPSHOT, snapshot(0, epoch="e2"))
        carried = Entry(epoch="e2", offset=1, carried=Carried(notice=done, cause=place))
        again = Entry(epoch="e2", offset=2, carried=Carried(notice=done, cause=place))
        await world.events(carried)
        await world.events(again)
        await world.push_due()
        assert world.subscribers.sent == ["sub-me"]
        assert await world.state_of(done.id) == "pushed"
        assert world.planner.counts["repeated"] == 1


async def test_nobody_carries_over_what_is_not_theirs() -> None:
    async with relay(None) as world:
        await world.begin()
        for cause in (
            Position(epoch=EPOCH, offset=7),  # of this very epoch: it would stand in its own entry
            Position(epoch="e0", offset=8),  # not what gave it its id
        ):
            one = Carried(notice=notice(7, epoch=cause.epoch), cause=cause)
            await world.events(Entry(epoch=EPOCH, offset=1, carried=one))
        foreign = Carried(
            notice=notice(7, epoch="e0", room="maple-hall.attic"),
            cause=Position(epoch="e0", offset=7),
        )
        await world.events(Entry(epoch=EPOCH, offset=1, carried=foreign))
        assert dict(world.ingest.skipped) == {"foreign_event": 3}


async def test_an_edge_that_says_nothing_lapses_whatever_the_broker_says_of_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "relay.db"
    async with relay(path) as world:
        await world.begin()
        await world.hear(Topic.UP_PRESENCE, presence(1))
        world.clock.forward(LEASE_S - 1)
        await world.handlers.lapse()
        assert world.rooms.edge(ROOM).online
        assert world.edges.attentive(ME)
        await world.hear(Topic.UP_HELLO, hello(0, renewal=True))
        world.clock.forward(LEASE_S - 1)
        await world.handlers.lapse()
        assert world.rooms.edge(ROOM).online, "a sign of life is enough"
        world.clock.forward(1)
        await world.handlers.lapse()
        assert not world.rooms.edge(ROOM).online
        assert not world.edges.open(ME)
    async with relay(path) as reborn:
        assert not reborn.edges.open(ME)
        # It died while the broker was down: nobody took its word back.
        reborn.handlers.link_back()
        online = Message(topic_name(REF, Topic.AVAILABILITY), b"online", retained=True)
        await reborn.ingest.take(online)
        assert reborn.rooms.edge(ROOM).online
        reborn.clock.forward(FIRST_WORD_S)
        await reborn.handlers.lapse()
        assert not reborn.rooms.edge(ROOM).online


async def test_presence_that_was_kept_lapses_when_its_edge_does_not_come_back(
    tmp_path: Path,
) -> None:
    path = tmp_path / "relay.db"
    async with relay(path) as world:
        await world.begin()
        await world.hear(Topic.UP_PRESENCE, presence(1))
    async with relay(path) as reborn:
        reborn.handlers.link_back()
        assert reborn.edges.attentive(ME)
        reborn.clock.forward(FIRST_WORD_S)
        await reborn.handlers.lapse()
        assert not reborn.edges.open(ME)


async def test_the_largest_difference_of_clocks_is_shown_while_its_edge_is_there() -> None:
    async with relay(None) as world:
        await world.begin()
        assert world.handlers.clock_off_s() == 60, "the hello's own time, at first"
        measured = hello(0).model_copy(update={"relay_ahead_ms": -3_600_000})
        await world.hear(Topic.UP_HELLO, measured)
        assert world.handlers.clock_off_s() == 3600
        await world.hear(Topic.AVAILABILITY, b"offline")
        assert world.handlers.clock_off_s() == 0


# -- without the mechanism: what it prevents


async def killed_while_it_keeps(path: Path, *, acknowledges_first: bool) -> list[int]:
    """The relay is killed in the middle of a batch; return what a resident's page was ever told."""
    clock = HandClock()
    async with relay(path, clock=clock) as world:
        await world.begin()
        if acknowledges_first:
            answer = DownAck(epoch=EPOCH, offset=1, word="w")
            await world.link.publish(
                topic_name(REF, Topic.DOWN_ACK), answer.model_dump_json().encode()
            )
        await world.db.execute("ALTER TABLE room_events RENAME TO hidden")  # nothing can be kept
        await batch(world, entry(1), after=0, after_run=None)
        await world.db.execute("ALTER TABLE hidden RENAME TO room_events")
        acked = max((ack.offset for ack in world.link.acks), default=0)
    async with relay(path, clock=clock) as reborn:
        for offset in range(acked + 1, 2):  # the edge may forget what was acknowledged
            await batch(reborn, entry(offset), after=offset - 1, after_run=None)
        return [event.offset for event in reborn.live.events]


async def test_without_keeping_before_acknowledging_a_kill_loses_an_event(tmp_path: Path) -> None:
    assert await killed_while_it_keeps(tmp_path / "one.db", acknowledges_first=False) == [1]
    assert await killed_while_it_keeps(tmp_path / "two.db", acknowledges_first=True) == []


async def told_after_the_edge_died(*, lease: bool) -> list[str]:
    """An edge dies while the broker is down, a resident attentive at it; later they are to be told."""
    async with relay(None) as world:
        await world.begin()
        world.subscribers.add(ME, "sub-me")
        await world.hear(Topic.UP_PRESENCE, presence(1))
        world.clock.forward(LEASE_S)
        if lease:
            await world.handlers.lapse()
        await world.events(entry(1, notices=[notice(1)]))  # from another room's edge, it might be
        await world.push_due()
        return world.subscribers.sent


async def test_without_a_lease_who_looked_at_a_dead_page_is_waited_for() -> None:
    assert await told_after_the_edge_died(lease=True) == ["sub-me"]
    assert await told_after_the_edge_died(lease=False) == []
