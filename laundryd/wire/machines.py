"""What everybody may see of a machine and of a room. Never who."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from laundryd.wire.ids import PagePosition, Position, RoomKey, Run, Slug, WireModel
from laundryd.wire.phases import Phase, Sensor
from laundryd.wire.times import Moment

DisplayName = Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True)]


class MachineKind(StrEnum):
    """What a machine does; claims are limited to one a kind and resident."""

    WASHER = "washer"
    DRYER = "dryer"
    WASHER_DRYER = "washer_dryer"


class MachineView(WireModel):
    """One machine as anybody in the room may see it.

    ``since`` is when the phase began; ``silent_since`` when its plug was believed last, None while it
    is. ``held_until`` is set while ``claimed`` or ``arrived``. ``started_at`` is set from the start until
    the laundry is out. ``ends_at`` is the expected end while ``in_use``; None means nobody knows.
    ``ended_at`` is the true end while ``finished``, which may lie before the moment it was noticed.
    ``has_owner`` is false for a machine that runs or is finished and
    that a resident may adopt.

    ``ends_confidence``, 0 to 1, says how sure a plug's past cycles are of ``ends_at``; None: a resident
    or a programme said so, or the plug fell silent since. An end that passes while the plug sees the
    machine run on is taken back: ``ends_at`` is None then. ``programme`` is what its owner started, None
    when not told. ``pickup_requested_at`` and ``owner_coming_at`` are set while ``finished``, when that
    was last said.
    ``fault_reported_at``: a resident reported a fault that staff has not cleared.
    """

    machine: Slug
    kind: MachineKind
    name: DisplayName
    phase: Phase
    since: Moment
    sensor: Sensor
    silent_since: Moment | None = None
    has_owner: bool = False
    held_until: Moment | None = None
    started_at: Moment | None = None
    ends_at: Moment | None = None
    ends_confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    ended_at: Moment | None = None
    programme: Slug | None = None
    pickup_requested_at: Moment | None = None
    owner_coming_at: Moment | None = None
    fault_reported_at: Moment | None = None


class Programme(WireModel):
    """A programme that residents may name when they start a machine of ``kind``."""

    programme: Slug
    kind: MachineKind
    name: DisplayName
    minutes: Annotated[int, Field(ge=1, le=360)]


class EdgeStatus(WireModel):
    """Whether the relay hears the room's edge. ``since`` is when that began (room time)."""

    online: bool
    since: Moment


class RoomSnapshot(WireModel):
    """A whole room at a position that was taken before the machines were read.

    ``edge`` is None on the room's own page: there the edge itself answers. ``run`` is the run of the
    answering server's store, which a page keeps with the position; None: it names none.
    """

    room: RoomKey
    name: DisplayName
    position: Position
    at: Moment
    edge: EdgeStatus | None = None
    durable: bool = True
    machines: Annotated[list[MachineView], Field(max_length=200)]
    programmes: Annotated[list[Programme], Field(max_length=50)] = Field(default_factory=list)
    run: Run | None = None

    @property
    def page_position(self) -> PagePosition:
        """Where a page stands that shows this room."""
        return PagePosition(epoch=self.position.epoch, offset=self.position.offset, run=self.run)
