from __future__ import annotations

from edge.room.decision import Accepted
from edge.room.journal import JournalHead, acknowledged, journalled
from laundryd.wire.events import AckKind, NoticeAck
from laundryd.wire.machines import MachineKind
from laundryd.wire.notices import NoticeKind, notice_id
from tests.edge.room.driver import RoomDriver

ROOM = "maple-hall.basement"


def test_an_event_follows_the_event_before_it_over_the_acknowledgements_between() -> None:
    room = RoomDriver()
    claimed = room.say("anna", "claim")
    assert isinstance(claimed, Accepted)
    first, head = journalled(claimed, room=ROOM, head=JournalHead("e"), at=room.now)
    ack = NoticeAck(notice_id="0" * 32, resident="anna", kind=AckKind.SHOWN, at=room.now)
    entry, head = acknowledged(ack, head)
    ended = room.tick(10)
    assert isinstance(ended, Accepted)
    last, head = journalled(ended, room=ROOM, head=head, at=room.now)
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
    (entry,), _ = journalled(done, room=ROOM, head=JournalHead("e", 6, 4), at=room.now)
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
    entries, head = journalled(remembered, room=ROOM, head=JournalHead("e", 1, 1), at=room.now)
    assert entries == []
    assert head == JournalHead("e", 1, 1)


def test_who_waits_is_no_public_event_and_the_next_event_follows_the_one_before() -> None:
    room = RoomDriver()
    room.say("anna", "claim", "d1")
    watching = room.say("ben", "watch", "d1")
    assert isinstance(watching, Accepted)
    (entry,), head = journalled(watching, room=ROOM, head=JournalHead("e", 1, 1), at=room.now)
    assert entry.event is None
    assert entry.waiting is not None
    assert (entry.waiting.resident, entry.waiting.watches) == ("ben", {MachineKind.DRYER: None})
    released = room.say("anna", "release", "d1")
    assert isinstance(released, Accepted)
    (free, turn), head = journalled(released, room=ROOM, head=head, at=room.now)
    assert free.event is not None
    assert free.event.follows == 1
    assert turn.waiting is not None
    assert turn.waiting.watches == {MachineKind.DRYER: room.minute(3)}
    (notice,) = turn.notices
    assert (notice.machine, notice.resident) == ("d1", "ben")
    assert notice.id == notice_id(ROOM, turn.position, NoticeKind.MACHINE_FREE, "ben")
    assert notice.useful_until == room.minute(3), "until the turn ends"
    assert head == JournalHead("e", 4, 3)
