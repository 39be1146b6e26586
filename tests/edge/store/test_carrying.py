"""A new epoch forgets nothing that the relay was not told, however the store came to it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from edge.room.decision import Accepted
from edge.room.journal import JournalHead, acknowledged, journalled
from edge.store.commit import Commit, KeptClock
from edge.store.edge_store import EdgeStore
from laundryd.daemon.steady import Sight, first
from laundryd.wire.events import AckKind, Carried, Entry, NoticeAck
from laundryd.wire.notices import Notice
from tests.edge.room.driver import RoomDriver

ROOM = "maple-hall.basement"


async def a_hold_that_ended(store: EdgeStore) -> tuple[Notice, Entry]:
    """Anna claims and does not come; return what she is told and the entry that tells it."""
    room = RoomDriver()
    await _keep(store, room, room.say("anna", "claim"))
    (entry,) = await _keep(store, room, room.tick(11))
    (notice,) = entry.notices
    return notice, entry


async def _keep(store: EdgeStore, room: RoomDriver, decision: object) -> list[Entry]:
    assert isinstance(decision, Accepted)
    entries, head = journalled(decision, room=ROOM, head=store.room.head, at=room.now)
    await store.room.commit(Commit(at=room.now, head=head, entries=tuple(entries)))
    return entries


async def _ack(store: EdgeStore, ack: NoticeAck) -> None:
    entry, head = acknowledged(ack, store.room.head)
    await store.room.commit(Commit(at=ack.at, head=head, entries=(entry,)))


async def journal(store: EdgeStore) -> list[Entry]:
    entries = await store.room.entries_after(0, 100)
    assert entries is not None
    return entries


async def test_what_the_relay_was_not_told_begins_the_new_journal(store_path: Path) -> None:
    store = await EdgeStore.open(store_path)
    notice, cause = await a_hold_that_ended(store)
    ack = NoticeAck(notice_id=notice.id, resident="anna", kind=AckKind.SHOWN, at=notice.caused_at)
    await _ack(store, ack)
    epoch = await store.room.new_epoch("asked")
    assert store.room.head == JournalHead(epoch, 2, 0)
    first, second = await journal(store)
    assert first.carried == Carried(notice=notice, cause=cause.position)
    assert second.ack == ack
    again = await store.room.new_epoch("asked once more")
    assert next(iter(await journal(store))).carried == first.carried
    await store.close()
    reopened = await EdgeStore.open(store_path)
    assert reopened.room.head == JournalHead(again, 2, 0)
    await reopened.close()


async def test_what_the_relay_has_is_not_carried(store_path: Path) -> None:
    store = await EdgeStore.open(store_path)
    await a_hold_that_ended(store)
    head = store.room.head.position
    assert await store.room.acknowledge(head.epoch, head.offset)
    epoch = await store.room.new_epoch("asked")
    assert store.room.head == JournalHead(epoch, 0, 0)
    await store.close()


async def test_it_goes_into_memory_and_back_to_the_disk(store_path: Path) -> None:
    store = await EdgeStore.take_up(store_path)
    notice, cause = await a_hold_that_ended(store)
    await store.shelf.db.execute("PRAGMA query_only = ON")  # every write: SQLITE_READONLY
    await store.documents.put("anything", "{}")
    assert not store.durable
    (kept,) = await journal(store)
    assert kept.carried == Carried(notice=notice, cause=cause.position)
    assert kept.epoch == store.room.head.epoch
    assert await store.back_to_disk()
    (kept,) = await journal(store)
    assert kept.carried == Carried(notice=notice, cause=cause.position)
    await store.close()


async def test_it_is_saved_out_of_a_damaged_file(store_path: Path) -> None:
    store = await EdgeStore.take_up(store_path)
    notice, _ = await a_hold_that_ended(store)
    ((rootpage, page_bytes),) = await store.shelf.read(
        "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = 'answers'"
    )
    await store.shelf.read("PRAGMA wal_checkpoint(TRUNCATE)")
    await store.close()
    with store_path.open("r+b") as file:
        file.seek((rootpage - 1) * page_bytes)
        file.write(b"\xff" * page_bytes)
    mended = await EdgeStore.take_up(store_path)
    (kept,) = await journal(mended)
    assert kept.carried is not None
    assert kept.carried.notice == notice
    await mended.close()


async def test_each_entry_names_the_run_that_wrote_it(store_path: Path) -> None:
    store = await EdgeStore.open(store_path)
    await a_hold_that_ended(store)
    first = store.shelf.run
    await store.close()
    store = await EdgeStore.open(store_path)
    await a_hold_that_ended(store)
    assert store.shelf.run != first
    assert [await store.room.run_at(offset) for offset in (0, 1, 2, 3, 4)] == [
        None, first, first, store.shelf.run, store.shelf.run,
    ]  # fmt: skip
    await store.close()


async def test_a_clock_that_is_set_moves_what_waits_for_the_relay(store_path: Path) -> None:
    store = await EdgeStore.open(store_path)
    notice, _ = await a_hold_that_ended(store)
    sight = Sight(wall_s=1_772_366_400.0, boot_s=10.0, boot_id="one")
    hour = timedelta(hours=1)

    async def told() -> list[Notice]:
        return [one for entry in await journal(store) for one in entry.told]

    await store.room.keep_clock(KeptClock(first(sight), hour))
    (moved,) = await told()
    assert moved == notice.model_copy(update={"useful_until": notice.useful_until + hour})
    assert await store.room.pending_notices("anna", notice.useful_until) == [moved.card()]
    await store.room.new_epoch("asked")
    await store.room.keep_clock(KeptClock(first(sight), -hour))
    assert await told() == [notice], "one that was carried over moves too"
    head = store.room.head.position
    assert await store.room.acknowledge(head.epoch, head.offset)
    await store.room.keep_clock(KeptClock(first(sight), hour))
    assert await told() == [notice], "what the relay has, it judges in its own time"
    await store.close()
