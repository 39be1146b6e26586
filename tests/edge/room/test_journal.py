from __future__ import annotations

from edge.room.decision import Accepted
from edge.room.journal import JournalHead, acknowledged, journalled
from laundryd.wire.events import AckKind, NoticeAck
from laundryd.wire.notices import NoticeKind, notice_id
from tests.edge.room.driver import RoomDriver

ROOM = "maple-hall.basement"


def test_an_event_follows_the_event_before_it_over_the_acknowledgements_between() -> None:
    room = RoomDriver()
    claimed = room.say("anna", "claim")
    assert isinstance(claimed, Accepted)
    first, head = journalled(claimed.changes, room=ROOM, head=JournalHead("e"), at=room.now)
    ack = NoticeAck(notice_id="0" * 32, resident="anna", kind=AckKind.SHOWN, at=room.now)
    entry, head = acknowledged(ack, head)
    ended = room.tick(10)
    assert isinstance(ended, Accepted)
    last, head = journalled(ended.changes, room=ROOM, head=head, at=room.now)
    assert [first[0].offset, entry.offset, last[0].offset] == [1, 2, 3]
    assert last[0].event is not None
    assert last[0].event.follows == 1
    assert entry.event is None
    assert head == JournalHead("e", 3, 3)


def test_an_entry_says_whose_machine_it_is_and_names_its_notices_from_their_cause() -> None:
    room = RoomDriver()
    room.say("anna", "start")
    done = room.at(30).cycle_ends(0, 30)
    assert isinstance(done, Accepted)
    (entry,), _ = journalled(done.changes, room=ROOM, head=JournalHead("e", 6, 4), at=room.now)
    assert entry.owner == "anna"
    (notice,) = entry.notices
    assert notice.resident == "anna"
    assert notice.id == notice_id(ROOM, entry.position, NoticeKind.DONE, "anna")
    assert entry.event is not None
    assert "anna" not in entry.event.model_dump_json()


def test_bookkeeping_takes_no_number() -> None:
    room = RoomDriver()
    room.staff("out_of_order")
    remembered = room.cycle_starts(0)
    assert isinstance(remembered, Accepted)
    entries, head = journalled(
        remembered.changes, room=ROOM, head=JournalHead("e", 1, 1), at=room.now
    )
    assert entries == []
    assert head == JournalHead("e", 1, 1)
