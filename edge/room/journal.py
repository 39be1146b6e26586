"""Numbers what was accepted: changes become journal entries with public events and notices."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.room.buttons import buttons
from edge.room.decision import Accepted, Change, NoticeDraft, WaitChange
from edge.room.records import MachineRecord
from edge.room.view import view
from edge.room.waits import Waits
from laundryd.wire.events import Entry, NoticeAck, PublicEvent
from laundryd.wire.ids import Epoch, Offset, Position, RoomKey, Slug
from laundryd.wire.notices import ActionId, Notice, derive
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
    accepted: Accepted, *, room: RoomKey, head: JournalHead, at: Moment
) -> tuple[list[Entry], JournalHead]:
    """Return the entries of ``accepted``, numbered from ``head`` on, and the new head.

    One public event a change that has a cause; then, not public, what residents wait for now.
    """
    entries: list[Entry] = []
    left = {change.record.machine: change.record for change in accepted.changes}
    for change in accepted.changes:
        if change.cause is None:
            continue
        # What can be said is judged by what the machine is when all is done: it may have moved on.
        meant = left[change.record.machine]
        entries.append(_event_entry(change, change.cause, meant, room=room, head=head, at=at))
        head = JournalHead(head.epoch, head.offset + 1, head.offset + 1)
    for wait_change in accepted.wait_changes:
        waits = accepted.waits or Waits()
        entries.append(_waiting_entry(wait_change, waits, room=room, head=head, at=at))
        head = replace(head, offset=head.offset + 1)
    return entries, head


def acknowledged(ack: NoticeAck, head: JournalHead) -> tuple[Entry, JournalHead]:
    """Return the entry of a resident's acknowledgement and the new head. It is no public event."""
    entry = Entry(epoch=head.epoch, offset=head.offset + 1, ack=ack)
    return entry, replace(head, offset=entry.offset)


def _event_entry(
    change: Change,
    cause: Cause,
    meant: MachineRecord,
    *,
    room: RoomKey,
    head: JournalHead,
    at: Moment,
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
    machine = change.record.machine
    return Entry(
        epoch=position.epoch,
        offset=position.offset,
        event=event,
        owner=change.record.owner,
        notices=[
            _notice(
                one,
                machine,
                room=room,
                position=position,
                at=at,
                actions=buttons(one.kind, meant),
            )
            for one in change.notices
        ],
    )


def _waiting_entry(
    change: WaitChange, waits: Waits, *, room: RoomKey, head: JournalHead, at: Moment
) -> Entry:
    position = Position(epoch=head.epoch, offset=head.offset + 1)
    notices = []
    if change.notice is not None and change.machine is not None:
        notices.append(_notice(change.notice, change.machine, room=room, position=position, at=at))
    return Entry(
        epoch=position.epoch,
        offset=position.offset,
        waiting=waits.of(change.resident),
        notices=notices,
    )


def _notice(
    draft: NoticeDraft,
    machine: Slug,
    *,
    room: RoomKey,
    position: Position,
    at: Moment,
    actions: tuple[ActionId, ...] | None = None,
) -> Notice:
    return derive(
        draft.kind,
        room=room,
        position=position,
        machine=machine,
        resident=draft.resident,
        params=draft.params,
        at=at,
        useful_until=draft.useful_until,
        actions=actions,
    )
