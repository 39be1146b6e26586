"""Batches of several rooms in one transaction: as many commits as needed, and the same promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_relay.ingest.handlers import Handlers, Judged
from laundryd.daemon.mqtt import Message
from laundryd.wire.events import Entry
from laundryd.wire.ids import Position, RoomRef
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import DownAck, UpEvents
from tests.cloud_relay.world import (
    EPOCH,
    ME,
    HandClock,
    World,
    ack_entry,
    entry,
    eventually,
    notice,
    relay,
    running,
    snapshot,
)

REFS = [RoomRef(site="maple-hall", room=f"floor-{number}") for number in range(8)]


def batch(ref: RoomRef, *entries: Entry) -> Message:
    body = UpEvents(entries=list(entries), caught_up=True).model_dump_json().encode()
    return Message(topic_name(ref, Topic.UP_EVENTS), body, retained=False)


def happened(ref: RoomRef, offset: int, *, told: bool = False) -> Entry:
    notices = [notice(offset, room=ref.key)] if told else []
    return entry(offset, room=ref.key, notices=notices)


async def begin(world: World) -> None:
    for ref in REFS:
        await world.rooms.enroll(ref.key, ref.room)
        await world.hear(Topic.UP_SNAPSHOT, snapshot(0, room=ref.key), room=ref)
    world.clock.forward(60)
    world.link.sent.clear()
    world.live.events.clear()


def acks(world: World, ref: RoomRef) -> list[int]:
    name = topic_name(ref, Topic.DOWN_ACK)
    said = [payload for topic, payload in world.link.sent if topic == name]
    return [DownAck.model_validate_json(payload).offset for payload in said]


def kept(world: World, ref: RoomRef) -> int:
    position = world.rooms.position(ref.key)
    assert position is not None
    return position.offset


async def poison(world: World, ref: RoomRef) -> None:
    """Let nothing of a room be kept, whatever else is in its transaction."""
    await world.db.execute(
        f"CREATE TRIGGER poison BEFORE INSERT ON room_events WHEN NEW.room = '{ref.key}'"
        " BEGIN SELECT raise(ABORT, 'poison'); END"
    )


async def test_rooms_whose_events_wait_share_a_commit_and_one_alone_has_its_own() -> None:
    async with relay(None) as world:
        await begin(world)
        commits: list[str] = []
        await world.db.set_trace_callback(
            lambda sql: commits.append(sql) if sql == "COMMIT" else None
        )
        for ref in REFS:
            world.ingest.on_message(batch(ref, happened(ref, 1)))
        async with running(world.ingest.run()):
            await eventually(lambda: len(world.link.sent) == len(REFS), "every room is answered")
            assert len(commits) == 1, f"for {len(REFS)} events"
            assert all(acks(world, ref) == [1] for ref in REFS)
            assert [event.room for event in world.live.events] == [ref.key for ref in REFS]
            world.ingest.on_message(batch(REFS[0], happened(REFS[0], 2)))
            await eventually(lambda: kept(world, REFS[0]) == 2, "one that comes alone")
        assert dict(world.ingest.commits) == {"together": 1, "alone": 1}
        assert world.ingest.taken[Topic.UP_EVENTS] == len(REFS) + 1


async def test_one_that_cannot_be_kept_harms_no_other() -> None:
    async with relay(None) as world:
        await begin(world)
        await poison(world, REFS[1])
        await world.ingest.take_together([batch(ref, happened(ref, 1)) for ref in REFS[:3]])
        assert [acks(world, ref) for ref in REFS[:3]] == [[1], [], [1]]
        assert [kept(world, ref) for ref in REFS[:3]] == [1, 0, 1]
        assert [event.room for event in world.live.events] == [REFS[0].key, REFS[2].key]
        assert dict(world.ingest.skipped) == {"failed": 1}
        assert dict(world.ingest.commits) == {"apart": 1, "alone": 2}


async def test_without_taking_them_apart_one_room_stops_all_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nothing(*_: object) -> None:
        pass

    async with relay(None) as world:
        await begin(world)
        await poison(world, REFS[1])
        monkeypatch.setattr(world.ingest, "take", nothing)
        await world.ingest.take_together([batch(ref, happened(ref, 1)) for ref in REFS[:3]])
        assert [kept(world, ref) for ref in REFS[:3]] == [0, 0, 0], "again and again"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not json", "malformed"),
        (UpEvents(entries=[entry(1)], caught_up=True).model_dump_json().encode(), "foreign_event"),
    ],
)
async def test_one_that_says_nonsense_is_left_out_of_the_transaction(
    body: bytes, reason: str
) -> None:
    async with relay(None) as world:
        await begin(world)
        nonsense = Message(topic_name(REFS[1], Topic.UP_EVENTS), body, retained=False)
        unknown = batch(RoomRef(site="maple-hall", room="attic"), entry(1))
        good = [batch(ref, happened(ref, 1)) for ref in (REFS[0], REFS[2])]
        await world.ingest.take_together([good[0], nonsense, unknown, good[1]])
        assert [kept(world, ref) for ref in REFS[:3]] == [1, 0, 1]
        assert dict(world.ingest.skipped) == {reason: 1, "unknown_room": 1}
        assert dict(world.ingest.commits) == {"together": 1}


async def killed_while_kept_together(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, answers_first: bool
) -> list[list[int]]:
    """Kill the relay at the third room of one transaction; return what each room's page is ever told."""
    clock = HandClock()
    three = REFS[:3]
    async with relay(path, clock=clock) as world:
        await begin(world)
        write = Handlers._write

        async def dies_at_the_third(self: Handlers, db: object, one: Judged) -> None:
            if answers_first:
                await self.answer(one)
            if one.room == three[2].key:
                raise KeyboardInterrupt
            await write(self, db, one)  # type: ignore[arg-type]  # the connection, passed on as it came

        with monkeypatch.context() as patch:
            patch.setattr(Handlers, "_write", dies_at_the_third)
            with pytest.raises(KeyboardInterrupt):
                await world.ingest.take_together([batch(ref, happened(ref, 1)) for ref in three])
        assert world.live.events == [], "nothing is told of what is not kept"
        acked = [max(acks(world, ref), default=0) for ref in three]
    async with relay(path, clock=clock) as reborn:
        for ref, offset in zip(three, acked, strict=True):
            if offset == 0:  # else its edge may have forgotten it
                await reborn.ingest.take(batch(ref, happened(ref, 1)))
        told = [(event.room, event.offset) for event in reborn.live.events]
        return [[offset for room, offset in told if room == ref.key] for ref in three]


async def test_a_kill_within_the_transaction_loses_nothing_of_any_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = await killed_while_kept_together(tmp_path / "1.db", monkeypatch, answers_first=False)
    assert as_it_is == [[1], [1], [1]]
    without = await killed_while_kept_together(tmp_path / "2.db", monkeypatch, answers_first=True)
    assert without == [[], [], []], "acknowledged before the commit"


async def test_a_kill_after_the_commit_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, clock, three = tmp_path / "relay.db", HandClock(), REFS[:3]
    async with relay(path, clock=clock) as world:
        await begin(world)
        world.subscribers.add(ME, "sub")

        async def dies(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(world.handlers, "tell", dies)
        messages = [batch(ref, happened(ref, 1, told=True)) for ref in three]
        with pytest.raises(KeyboardInterrupt):
            await world.ingest.take_together(messages)
        assert world.link.sent == []
        subscribers = world.subscribers
    async with relay(path, clock=clock, subscribers=subscribers) as reborn:
        assert [kept(reborn, ref) for ref in three] == [1, 1, 1]
        await reborn.ingest.take_together(messages)
        assert [acks(reborn, ref) for ref in three] == [[1], [1], [1]]
        assert reborn.live.events == [], (
            "they take no effect again: who missed them has the journal"
        )
        for ref in three:
            missed = await reborn.rooms.since(ref.key, Position(epoch=EPOCH, offset=0), 10)
            assert [event.offset for event in missed or ()] == [1]
        reborn.clock.forward(60)
        await reborn.push_due()
        assert len(reborn.subscribers.sent) == 3, "each notice is pushed once"


async def test_a_page_is_told_before_any_edge_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    async with relay(None) as world:
        await begin(world)
        order: list[str] = []

        def noted(name: str, do: Callable[[Judged], Awaitable[None]]) -> Callable[..., object]:
            async def note(one: Judged) -> None:
                order.append(name)
                await do(one)

            return note

        for name in ("tell", "answer"):
            monkeypatch.setattr(world.handlers, name, noted(name, getattr(world.handlers, name)))
        await world.ingest.take_together([batch(ref, happened(ref, 1)) for ref in REFS[:2]])
        assert order == ["tell", "tell", "answer", "answer"]


async def test_an_acknowledgement_cancels_the_push_of_its_own_room_alone() -> None:
    async with relay(None) as world:
        await begin(world)
        world.subscribers.add(ME, "sub")
        one, other = REFS[:2]
        seen = notice(1, room=one.key)
        await world.ingest.take_together(
            [
                batch(one, happened(one, 1, told=True), ack_entry(2, seen.id)),
                batch(other, happened(other, 1, told=True)),
            ]
        )
        await world.push_due()
        assert await world.state_of(seen.id) == "shown"
        assert world.subscribers.sent == ["sub"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), max_size=30))
async def test_each_entry_takes_effect_once_and_in_its_rooms_order_whatever_waits_together(
    sent: Sequence[tuple[int, int]],
) -> None:
    async with relay(None) as world:
        await begin(world)
        expected = [0] * 4
        for room, offset in sent:
            expected[room] += offset == expected[room] + 1
            world.ingest.on_message(batch(REFS[room], happened(REFS[room], offset)))
        async with running(world.ingest.run()):
            await eventually(lambda: len(world.link.sent) == len(sent), "an answer to each")
        assert [kept(world, ref) for ref in REFS[:4]] == expected
        for ref, head in zip(REFS, expected, strict=False):
            told = [event.offset for event in world.live.events if event.room == ref.key]
            assert told == list(range(1, head + 1))
