"""The frames of the live protocol: one JSON object a WebSocket text message, ``type`` first.

Path ``/api/v1/live``. What a client sends is ``ClientFrame``, what a server sends is ``ServerFrame``.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, TypeAdapter

from laundryd.wire.announcements import SHOWN_MAX, ShownAnnouncement
from laundryd.wire.commands import CommandError, CommandName, CommandParams
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import (
    ClosedModel,
    CommandId,
    NoticeId,
    PagePosition,
    Position,
    RoomKey,
    Run,
    SessionId,
    Slug,
    WireModel,
)
from laundryd.wire.machines import EdgeStatus, MachineKind
from laundryd.wire.notices import Lang, NoticeCard
from laundryd.wire.times import Moment

FRAME_MAX_BYTES: Final = 16_384
"""Largest frame a client may send; the largest honest one, 100 notice ids, is under 4 KiB."""

NoticeIds = Annotated[list[NoticeId], Field(min_length=1, max_length=100)]


class Identify(ClosedModel):
    """First frame of a client. ``rooms``: where it stands in each room, None for a room never seen.

    A position names the run that ``welcome`` or the room itself named when it was taken: numbers that a
    store restored from a backup gives out again are told from the first ones by it.
    """

    type: Literal["identify"] = "identify"
    session_id: SessionId | None = None
    rooms: Annotated[dict[RoomKey, PagePosition | None], Field(max_length=20)]
    visible: bool
    lang: Lang


class Ack(ClosedModel):
    """The app rendered these notices on a visible page."""

    type: Literal["ack"] = "ack"
    notice_ids: NoticeIds


class Read(ClosedModel):
    """The resident opened or dismissed these notices."""

    type: Literal["read"] = "read"
    notice_ids: NoticeIds


class Attention(ClosedModel):
    """Whether the page is visible, and how many seconds ago it was last touched: on a wall, months."""

    type: Literal["attention"] = "attention"
    visible: bool
    touched_s_ago: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Command(ClosedModel):
    """A wish. ``id`` is made by the client; the same id gets the same answer."""

    type: Literal["command"] = "command"
    id: CommandId
    room: RoomKey
    machine: Slug
    name: CommandName
    params: CommandParams = CommandParams()


class Ping(ClosedModel):
    """Either side asks whether the other lives; a page cannot see the protocol's own pings."""

    type: Literal["ping"] = "ping"


class Pong(ClosedModel):
    """The answer to ``ping``."""

    type: Literal["pong"] = "pong"


class Backoff(WireModel):
    """How to come back: the n-th try after ``uniform(0, min(cap_s, first_s * factor**n))`` seconds."""

    first_s: float
    factor: float
    cap_s: float
    jitter: Literal["full"] = "full"


class RoomClock(WireModel):
    """Room time now, and how many room seconds pass in a real second (1 outside demo and tests)."""

    at: Moment
    speed: float


class RoomResume(WireModel):
    """What became of a client's position in one room.

    ``was_recovering``: the client named a position. ``recovered``: everything after it follows in the
    next frames. Otherwise the client GETs the room. ``epoch`` and ``offset``: the head at this moment.
    ``run``: the run of this server's store, which the client keeps with its position from now on; None:
    it names none.
    """

    epoch: str
    offset: int
    was_recovering: bool
    recovered: bool
    run: Run | None = None


class Welcome(WireModel):
    """Answer to ``identify``."""

    type: Literal["welcome"] = "welcome"
    session_id: SessionId
    heartbeat_s: float
    batch_ms: int
    backoff: Backoff
    clock: RoomClock
    rooms: dict[RoomKey, RoomResume]


class Batch(WireModel):
    """Public events in the order of each room's journal."""

    type: Literal["batch"] = "batch"
    events: list[PublicEvent]


class MyMachine(WireModel):
    """A machine that is this resident's: running, or finished with their laundry inside."""

    room: RoomKey
    machine: Slug


class MyClaim(WireModel):
    """A machine held for this resident."""

    room: RoomKey
    machine: Slug
    held_until: Moment


class MyWatch(WireModel):
    """A kind of machine that this resident waits for.

    ``told_until``: they were told that one is free, and until then nobody else is; None: not told yet.
    """

    room: RoomKey
    kind: MachineKind
    told_until: Moment | None = None


class Mine(WireModel):
    """Everything that is this resident's, whole; sent after ``welcome`` and at each change.

    ``pickup_muted``: the rooms in which they take no requests to collect.
    """

    type: Literal["mine"] = "mine"
    machines: list[MyMachine]
    claims: list[MyClaim]
    watches: list[MyWatch] = Field(default_factory=list)
    pickup_muted: list[RoomKey] = Field(default_factory=list)


class NoticeFrame(NoticeCard):
    """Something this resident should be told; ``told``: a push did, so the page lists it in silence."""

    type: Literal["notice"] = "notice"
    told: bool = False

    @classmethod
    def of(cls, card: NoticeCard) -> Self:
        """Make the frame of a notice that was not told yet."""
        return cls.model_validate(card.model_dump())


class NoticeGone(WireModel):
    """These notices were told or read elsewhere, or are not useful any more: take them off the page."""

    type: Literal["notice_gone"] = "notice_gone"
    ids: list[NoticeId]


class RoomStatus(WireModel):
    """The room's edge came or went."""

    type: Literal["room_status"] = "room_status"
    room: RoomKey
    edge: EdgeStatus


class ShownInRoom(WireModel):
    """What staff announces in a room now, whole; sent after ``welcome``, if there is any, and at each change.

    A ``welcome`` ends what was shown before it. Each ends by itself, at its ``until``.
    """

    type: Literal["announcements"] = "announcements"
    room: RoomKey
    shown: Annotated[list[ShownAnnouncement], Field(max_length=SHOWN_MAX)]


class Result(WireModel):
    """What came of a ``command``: ``position`` when ok, ``error`` when not."""

    type: Literal["result"] = "result"
    id: CommandId
    ok: bool
    position: Position | None = None
    error: CommandError | None = None
    durable: bool = True


ClientFrame = Annotated[
    Identify | Ack | Read | Attention | Command | Ping | Pong, Field(discriminator="type")
]
ServerFrame = Annotated[
    Welcome
    | Batch
    | Mine
    | NoticeFrame
    | NoticeGone
    | RoomStatus
    | ShownInRoom
    | Result
    | Ping
    | Pong,
    Field(discriminator="type"),
]

CLIENT_FRAME: TypeAdapter[ClientFrame] = TypeAdapter(ClientFrame)
SERVER_FRAME: TypeAdapter[ServerFrame] = TypeAdapter(ServerFrame)
