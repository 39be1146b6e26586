from __future__ import annotations

import logging
import sqlite3
from datetime import timedelta
from pathlib import Path

import aiosqlite
import pytest

from edge.room.decision import Accepted
from edge.room.journal import JournalHead, acknowledged, journalled
from edge.room.records import RoomState
from edge.store import commit as commit_module
from edge.store import room_store
from edge.store.commit import Commit, DetectorState, KeptAnswer, KeptClock
from edge.store.edge_store import EdgeStore
from edge.store.room_store import EpochMovedError, JournalLines
from laundryd.daemon.steady import Anchor, Sight
from laundryd.wire.commands import CommandAnswer, CommandName, ResidentCommand
from laundryd.wire.events import AckKind, NoticeAck
from laundryd.wire.ids import Position
from tests.edge.room.driver import NOON, RoomDriver

ROOM = "maple-hall.basement"
CLAIM = ResidentCommand(id="c1", resident="anna", machine="w1", name=CommandName.CLAIM)


def _work(room: RoomDriver, decision: object, head: JournalHead) -> Commit:
    assert isinstance(decision, Accepted)
    entries, after = journalled(decision, room=ROOM, head=head, at=room.now)
    records = tuple(change.record for change in decision.changes)
    return Commit(at=room.now, head=after, records=records, entries=tuple(entries))


async def _claims_and_releases(store: EdgeStore, rounds: int) -> RoomDriver:
    room = RoomDriver()
    for _ in range(rounds):
        for word in ("claim", "release"):
            await store.room.commit(_work(room, room.say("anna", word), store.room.head))
    return room


async def test_a_new_store_begins_an_epoch_and_a_reopened_one_goes_on(store_path: Path) -> None:
    store = await EdgeStore.open(store_path)
    epoch = store.room.head.epoch
    assert store.room.head == JournalHead(epoch, 0, 0)
    room = await _claims_and_releases(store, 2)
    await store.close()

    store = await EdgeStore.open(store_path)
    assert store.room.head == JournalHead(epoch, 4, 4)
    assert RoomState.of(await store.room.records()).machines["w1"] == room.record()
    await store.close()


async def test_stores_in_memory_never_share_an_epoch_and_are_not_durable() -> None:
    first, second = await EdgeStore.open(None), await EdgeStore.open(None)
    assert first.room.head.epoch != second.room.head.epoch
    assert not first.durable
    await first.close()
    await second.close()


async def test_the_file_is_readable_by_its_owner_alone(
    edge_store: EdgeStore, store_path: Path
) -> None:
    assert edge_store.durable
    for path in store_path.parent.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


async def test_a_crash_inside_the_transaction_leaves_no_half_state(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await EdgeStore.open(store_path)
    await _claims_and_releases(store, 1)
    head = store.room.head
    room = RoomDriver()
    work = _work(room, room.say("anna", "claim"), head)

    async def write_and_die(db: aiosqlite.Connection, work: Commit) -> None:
        await commit_module.write(db, work)
        raise sqlite3.OperationalError("power cut")

    monkeypatch.setattr(room_store, "write", write_and_die)
    with pytest.raises(sqlite3.OperationalError):
        await store.room.commit(work)
    monkeypatch.undo()
    assert store.room.head == head
    await store.close()

    store = await EdgeStore.open(store_path)
    assert store.room.head == head
    assert [record.phase for record in await store.room.records()] == ["free"]
    assert await store.room.entries_after(head.offset, 10) == []
    await store.room.commit(work)
    assert store.room.head.offset == head.offset + 1
    await store.close()


async def test_the_same_number_is_never_written_twice(edge_store: EdgeStore) -> None:
    room = RoomDriver()
    work = _work(room, room.say("anna", "claim"), edge_store.room.head)
    await edge_store.room.commit(work)
    with pytest.raises(sqlite3.IntegrityError):
        await edge_store.room.commit(work)
    assert edge_store.room.head.offset == 1


async def test_since_gives_all_public_events_after_a_position(edge_store: EdgeStore) -> None:
    await _claims_and_releases(edge_store, 3)
    epoch = edge_store.room.head.epoch
    events = await edge_store.room.since(Position(epoch=epoch, offset=2), 100)
    assert events is not None
    assert [event.offset for event in events] == [3, 4, 5, 6]
    assert await edge_store.room.since(Position(epoch=epoch, offset=6), 100) == []


async def test_since_is_none_for_another_epoch_the_future_and_too_much(
    edge_store: EdgeStore,
) -> None:
    await _claims_and_releases(edge_store, 3)
    epoch = edge_store.room.head.epoch
    since = edge_store.room.since
    assert await since(Position(epoch="other", offset=2), 100) is None
    assert await since(Position(epoch=epoch, offset=7), 100) is None
    assert await since(Position(epoch=epoch, offset=2), 3) is None


async def test_acknowledged_entries_are_kept_up_to_a_number_and_then_forgotten(
    edge_store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_store, "KEPT_ACKNOWLEDGED", 2)
    await _claims_and_releases(edge_store, 3)
    room, epoch = edge_store.room, edge_store.room.head.epoch
    assert await room.acknowledge(epoch, 6)
    await _claims_and_releases(edge_store, 1)
    assert room.dropped == 4
    assert await room.since(Position(epoch=epoch, offset=3), 100) is None
    events = await room.since(Position(epoch=epoch, offset=4), 100)
    assert events is not None
    assert [event.offset for event in events] == [5, 6, 7, 8]


async def test_past_the_cap_a_new_epoch_begins_so_that_a_snapshot_stands_for_the_old(
    edge_store: EdgeStore,
    store_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(room_store, "UNACKNOWLEDGED_MAX", 4)
    told: list[Position] = []
    edge_store.shelf.on_moved.append(told.append)
    await _claims_and_releases(edge_store, 2)
    old, room = edge_store.room.head.position, RoomDriver()
    work = _work(room, room.say("anna", "claim"), edge_store.room.head)
    with caplog.at_level(logging.WARNING), pytest.raises(EpochMovedError):
        await edge_store.room.commit(work)
    head = edge_store.room.head
    assert head.epoch != old.epoch
    assert told == [head.position]
    assert "more entries wait for the relay than are kept" in caplog.text
    assert await edge_store.room.since(old, 10) is None
    await edge_store.room.commit(_work(room, room.say("anna", "release"), head))

    again = await EdgeStore.open(store_path)
    assert again.room.head == JournalHead(head.epoch, 1, 1)
    await again.close()


async def test_what_the_relay_acknowledged_counts_not_against_the_cap(
    edge_store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_store, "UNACKNOWLEDGED_MAX", 4)
    epoch = edge_store.room.head.epoch
    for offset in (4, 8, 12):
        await _claims_and_releases(edge_store, 2)
        assert await edge_store.room.acknowledge(epoch, offset)
    assert edge_store.room.head.position == Position(epoch=epoch, offset=12)


async def test_a_room_without_a_relay_keeps_no_entries_for_one(
    edge_store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_store, "UNACKNOWLEDGED_MAX", 4)
    monkeypatch.setattr(room_store, "KEPT_ACKNOWLEDGED", 2)
    room, epoch = edge_store.room, edge_store.room.head.epoch
    room.has_relay = False
    await _claims_and_releases(edge_store, 6)
    assert room.head.position == Position(epoch=epoch, offset=12), "no new epoch for nobody's sake"
    assert (room.dropped, room.acked) == (10, 0)
    assert await room.since(Position(epoch=epoch, offset=9), 100) is None
    events = await room.since(Position(epoch=epoch, offset=10), 100)
    assert events is not None
    assert [event.offset for event in events] == [11, 12]
    # Should it be enrolled one day, then the relay begins with a snapshot.
    assert await room.entries_after(0, 100) is None


async def test_an_acknowledgement_of_what_never_was_is_refused(edge_store: EdgeStore) -> None:
    await _claims_and_releases(edge_store, 1)
    room, epoch = edge_store.room, edge_store.room.head.epoch
    assert not await room.acknowledge(epoch, 3)
    assert not await room.acknowledge("other", 1)
    assert await room.acknowledge(epoch, 2)
    assert await room.acknowledge(epoch, 1), "a late one is stale, not wrong"
    assert room.acked == 2


async def test_a_new_epoch_empties_the_journal_and_keeps_the_machines(
    edge_store: EdgeStore, store_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await _claims_and_releases(edge_store, 1)
    old = edge_store.room.head
    with caplog.at_level(logging.WARNING):
        epoch = await edge_store.room.new_epoch("the relay has seen more than the store")
    assert "the relay has seen more than the store" in caplog.text
    assert epoch != old.epoch
    again = await EdgeStore.open(store_path)
    assert again.room.head == JournalHead(epoch, 0, 0)
    assert len(await again.room.records()) == 1
    assert await again.room.since(old.position, 100) is None
    await again.close()


async def test_an_answer_is_kept_for_a_day_of_room_time(edge_store: EdgeStore) -> None:
    room = edge_store.room
    answer = KeptAnswer(CLAIM, CommandAnswer(id="c1", ok=True, position=room.head.position))
    await room.commit(Commit(at=NOON, head=room.head, answer=answer))
    assert await room.answer_to("anna", "c1") == answer
    assert await room.answer_to("ben", "c1") is None
    other = KeptAnswer(CLAIM.model_copy(update={"id": "c2"}), CommandAnswer(id="c2", ok=True))
    later = NOON + timedelta(hours=24, seconds=1)
    await room.commit(Commit(at=later, head=room.head, answer=other))
    assert await room.answer_to("anna", "c1") is None
    assert await room.answer_to("anna", "c2") == other


async def test_answers_are_bounded_in_number(
    edge_store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_module, "ANSWERS_MAX", 2)
    room = edge_store.room
    for number in range(4):
        command = CLAIM.model_copy(update={"id": f"c{number}"})
        answer = KeptAnswer(command, CommandAnswer(id=command.id, ok=True))
        await room.commit(Commit(at=NOON, head=room.head, answer=answer))
    kept = [await room.answer_to("anna", f"c{number}") is not None for number in range(4)]
    assert kept == [False, False, True, True]


async def test_a_notice_is_pending_until_it_is_shown_or_its_use_is_over(
    edge_store: EdgeStore,
) -> None:
    store, room = edge_store.room, RoomDriver()
    await store.commit(_work(room, room.say("anna", "claim"), store.head))
    await store.commit(_work(room, room.tick(10), store.head))
    (card,) = await store.pending_notices("anna", room.now)
    assert card.kind == "hold_ended"
    assert "anna" not in card.model_dump_json()
    assert await store.pending_notices("ben", room.now) == []
    assert await store.pending_notices("anna", card.useful_until) == []

    assert await store.acknowledgeable(card.id, "anna", AckKind.SHOWN)
    assert not await store.acknowledgeable(card.id, "ben", AckKind.SHOWN)
    ack = NoticeAck(notice_id=card.id, resident="anna", kind=AckKind.SHOWN, at=room.now)
    entry, head = acknowledged(ack, store.head)
    await store.commit(Commit(at=room.now, head=head, entries=(entry,)))
    assert await store.pending_notices("anna", room.now) == []
    assert not await store.acknowledgeable(card.id, "anna", AckKind.SHOWN)
    assert await store.acknowledgeable(card.id, "anna", AckKind.READ)


async def test_what_a_later_change_makes_moot_is_not_pending_even_over_a_set_clock(
    edge_store: EdgeStore,
) -> None:
    store, room = edge_store.room, RoomDriver()

    async def keep(decision: object) -> None:
        await store.commit(_work(room, decision, store.head))

    async def pending() -> list[str]:
        return [card.kind for card in await store.pending_notices("anna", room.now)]

    await keep(room.say("anna", "start", "bare", 30))
    await keep(room.say("anna", "start", "w1", 30))
    await keep(room.tick(4))
    assert await pending() == ["started", "started"]
    await keep(room.say("anna", "release", "w1"))
    assert await pending() == ["started"], "of that machine alone"
    await keep(room.tick(30))
    (done,) = await store.pending_notices("anna", room.now)
    assert done.kind == "done"
    await keep(room.say("anna", "collect", "bare"))
    assert await pending() == []
    # A page that shows it already may still say so.
    assert await store.acknowledgeable(done.id, "anna", AckKind.SHOWN)
    set_back = KeptClock(Anchor(0.0, Sight(0.0, 0.0, "boot")), timedelta(hours=-1))
    await store.commit(Commit(at=room.now, head=store.head, clock=set_back))
    room.at(-30)
    assert await pending() == []


async def test_acknowledgements_go_up_but_are_no_public_events(edge_store: EdgeStore) -> None:
    store = edge_store.room
    await _claims_and_releases(edge_store, 1)
    ack = NoticeAck(notice_id="0" * 32, resident="anna", kind=AckKind.READ, at=NOON)
    entry, head = acknowledged(ack, store.head)
    await store.commit(Commit(at=NOON, head=head, entries=(entry,)))
    events = await store.since(Position(epoch=head.epoch, offset=0), 100)
    assert events is not None
    assert [event.offset for event in events] == [1, 2]
    kept = entry.model_copy(update={"run": edge_store.shelf.run})
    assert await store.entries_after(2, 10) == [kept]
    assert (store.head.offset, store.head.last_public) == (3, 2)


async def test_a_record_that_cannot_be_read_is_logged_and_left_out(
    edge_store: EdgeStore, caplog: pytest.LogCaptureFixture
) -> None:
    await _claims_and_releases(edge_store, 1)
    await edge_store.shelf.db.execute("INSERT INTO machines VALUES ('w9', '{\"phase\": 7}')")
    assert [record.machine for record in await edge_store.room.records()] == ["w1"]
    assert "cannot be read" in caplog.text


async def test_a_detectors_state_is_kept_with_the_signal_it_gave(edge_store: EdgeStore) -> None:
    state = DetectorState("w1", '{"floor_w": 2.5}')
    head = edge_store.room.head
    await edge_store.room.commit(Commit(at=NOON, head=head, detector=state))
    assert await edge_store.documents.detector("w1") == state.body
    await edge_store.documents.keep_detectors([DetectorState("w1", "{}")])
    assert await edge_store.documents.detector("w1") == "{}"
    assert await edge_store.documents.detector("w2") is None


async def test_a_notice_that_was_told_elsewhere_is_not_pending_any_more(
    edge_store: EdgeStore,
) -> None:
    store, room = edge_store.room, RoomDriver()
    await store.commit(_work(room, room.say("anna", "claim"), store.head))
    await store.commit(_work(room, room.tick(10), store.head))
    (card,) = await store.pending_notices("anna", room.now)
    assert await store.told_elsewhere(["0" * 32]) == {}
    assert await store.told_elsewhere([card.id, "0" * 32]) == {card.id: "anna"}
    assert await store.pending_notices("anna", room.now) == []


async def test_lines_are_the_entries_as_json_in_pieces_that_fit_a_message(
    edge_store: EdgeStore,
) -> None:
    await _claims_and_releases(edge_store, 2)
    room = edge_store.room
    entries = await room.entries_after(1, 10)
    assert entries is not None
    whole = await room.lines_after(1, 10, 1_000_000)
    assert whole == JournalLines(
        1, edge_store.shelf.run, [one.model_dump_json() for one in entries], to_head=True
    )
    two = await room.lines_after(1, 2, 1_000_000)
    assert two is not None
    assert (two.bodies, two.to_head) == (whole.bodies[:2], False)
    one = await room.lines_after(0, 10, 1)
    assert one is not None
    assert (len(one.bodies), one.run, one.to_head) == (1, None, False), "one at least"
    none = await room.lines_after(4, 10, 1)
    assert none == JournalLines(4, edge_store.shelf.run, [], to_head=True)


async def test_lines_that_were_dropped_are_none(
    edge_store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_store, "KEPT_ACKNOWLEDGED", 2)
    await _claims_and_releases(edge_store, 2)
    assert await edge_store.room.acknowledge(edge_store.room.head.epoch, 4)
    await _claims_and_releases(edge_store, 1)
    assert await edge_store.room.lines_after(1, 10, 1_000) is None
    lines = await edge_store.room.lines_after(2, 10, 100_000)
    assert lines is not None
    assert (lines.run, len(lines.bodies)) == (edge_store.shelf.run, 4), "who wrote the dropped one"
