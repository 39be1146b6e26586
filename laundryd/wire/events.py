"""The room's journal: public events, acknowledgements, and the entries that carry both up to the relay."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from laundryd.wire.ids import Epoch, NoticeId, Offset, Position, ResidentId, RoomKey, Run, WireModel
from laundryd.wire.machines import MachineKind, MachineView
from laundryd.wire.notices import Notice
from laundryd.wire.phases import Cause
from laundryd.wire.times import Moment


class PublicEvent(WireModel):
    """One accepted change of a room, as every resident of it may see it.

    ``follows`` is the offset of the public event before this one in the same epoch, 0 if there is none.
    A client that stands at ``pos`` applies the event when ``follows <= pos.offset < offset`` in the same
    epoch and ignores it when ``offset <= pos.offset``. Otherwise something is missing: it resumes from
    ``pos`` over a new connection, and fetches a snapshot when that does not help or the epoch is another.
    The event carries the whole machine: applying it is replacing the machine.
    """

    room: RoomKey
    epoch: Epoch
    offset: Offset
    follows: Offset
    at: Moment
    cause: Cause
    machine: MachineView


class AckKind(StrEnum):
    """What a resident's app said of a notice."""

    SHOWN = "shown"
    """The app rendered it on a visible page."""
    READ = "read"
    """The resident opened or dismissed it."""


class NoticeAck(WireModel):
    """A resident's acknowledgement of one notice, given at the room's own page."""

    notice_id: NoticeId
    resident: ResidentId
    kind: AckKind
    at: Moment


class Waiting(WireModel):
    """What one resident waits for in this room, whole.

    ``watches``: the kinds they watch, and until when they were told of a free one; None: not told yet.
    ``pickup_muted``: they take no requests to collect.
    """

    resident: ResidentId
    watches: dict[MachineKind, Moment | None]
    pickup_muted: bool


class Carried(WireModel):
    """A notice of an epoch that ended before the relay had it. Its id is that of its ``cause``."""

    notice: Notice
    cause: Position


class Entry(WireModel):
    """One numbered line of the journal, for the relay alone.

    Exactly one of ``event``, ``ack``, ``waiting`` and ``carried`` is set; only an event is public.
    ``owner`` is the resident whose machine it is after the event, None when nobody's. ``notices`` are
    those that the entry caused, derived once, here. ``run``: the run of the store that wrote it; None:
    written by a version that told none.
    """

    epoch: Epoch
    offset: Offset
    event: PublicEvent | None = None
    ack: NoticeAck | None = None
    waiting: Waiting | None = None
    carried: Carried | None = None
    owner: ResidentId | None = None
    notices: list[Notice] = Field(default_factory=list)
    run: Run | None = None

    @property
    def told(self) -> list[Notice]:
        """Every notice that the entry brings: those that it caused, and one that it carries over."""
        return [*self.notices, *([self.carried.notice] if self.carried else [])]

    @property
    def position(self) -> Position:
        """The entry's place in the journal."""
        return Position(epoch=self.epoch, offset=self.offset)
