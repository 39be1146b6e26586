"""Numbers what was accepted: changes become journal entries with public events and notices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from edge.room.decision import Change
from edge.room.view import view
from laundryd.wire.events import Entry, NoticeAck, PublicEvent
from laundryd.wire.ids import Epoch, Offset, Position, RoomKey
from laundryd.wire.notices import derive
from laundryd.wire.phases import Cause
from laundryd.wire.times import Moment


@dataclass(frozen=True, slots=True)
class JournalHead:
    """The journal's end: the newest entry's ``offset``, and ``last_public``, the newest event's."""

    epoch: Epoch
    offset: Offset = 0
    last_public: Offset = 0

    @property
    def position(self) -> Position:
        """The newest entry's place."""
        return Position(epoch=self.epoch, offset=self.offset)


def journalled(
    changes: Iterable[Change], *, room: RoomKey, head: JournalHead, at: Moment
) -> tuple[list[Entry], JournalHead]:
    """Return one entry a change that has a cause, numbered from ``head`` on, and the new head."""
    entries: list[Entry] = []
    for change in changes:
        if change.cause is None:
            continue
        entries.append(_event_entry(change, change.cause, room=room, head=head, at=at))
        head = JournalHead(head.epoch, head.offset + 1, head.offset + 1)
    return entries, head


def acknowledged(ack: NoticeAck, head: JournalHead) -> tuple[Entry, JournalHead]:
    """Return the entry of a resident's acknowledgement and the new head. It is no public event."""
    entry = Entry(epoch=head.epoch, offset=head.offset + 1, ack=ack)
    return entry, replace(head, offset=entry.offset)


def _event_entry(
    change: Change, cause: Cause, *, room: RoomKey, head: JournalHead, at: Moment
) -> Entry:
    position = Position(epoch=head.epoch, offset=head.offset + 1)
    event = PublicEvent(
        room=room,
        epoch=position.epoch,
        offset=position.offset,
        follows=head.last_public,
        at=at,
        cause=cause,
        machine=view(change.record),
    )
    notices = [
        derive(
            draft.kind,
            room=room,
            position=position,
            machine=change.record.machine,
            resident=draft.resident,
            params=draft.params,
            at=at,
        )
        for draft in change.notices
    ]
    return Entry(
        epoch=position.epoch,
        offset=position.offset,
        event=event,
        owner=change.record.owner,
        notices=notices,
    )
