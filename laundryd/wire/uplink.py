"""What edge and relay say to each other over the cloud's broker."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from laundryd.wire.events import Entry, Waiting
from laundryd.wire.ids import (
    Epoch,
    NoticeId,
    Offset,
    Position,
    ResidentId,
    SessionId,
    Slug,
    WireModel,
)
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.times import Moment

MAX_ENTRIES_A_BATCH = 100
"""Entries in one ``up/events``: some 60 KiB, well under any broker's packet limit."""


MAX_SESSIONS = 2_000
"""Sessions in one ``up/presence``: some 200 KiB, and twice the connections of a process."""


class UpHello(WireModel):
    """The edge's first word on each connection.

    ``head``: the newest entry. ``acked``: how far the edge believes that the relay has it. ``sent_at`` is
    the edge's real time; the relay echoes it so that the edge measures the offset and the way's length.
    """

    name: str
    version: str
    head: Position
    acked: Offset
    durable: bool
    sent_at: Moment
    local_url: str | None = None


class DownHello(WireModel):
    """The relay's answer. ``acked`` is None when it knows nothing of this epoch: send a snapshot first."""

    version: str
    epoch: Epoch
    acked: Offset | None
    echo_sent_at: Moment
    relay_at: Moment


class UpEvents(WireModel):
    """Consecutive entries, oldest first. ``caught_up``: nothing older waits at the edge."""

    entries: Annotated[list[Entry], Field(max_length=MAX_ENTRIES_A_BATCH)]
    caught_up: bool


class UpSnapshot(WireModel):
    """The whole room at a position, with who owns what, for the relay alone."""

    snapshot: RoomSnapshot
    owners: dict[Slug, ResidentId]
    waiting: list[Waiting] = Field(default_factory=list)
    reason: Literal["new_epoch", "overflow", "asked"]


class PresentSession(WireModel):
    """One live session at the edge. Not attentive: open, but hidden or untouched."""

    session_id: SessionId
    resident: ResidentId
    attentive: bool


class UpPresence(WireModel):
    """All live sessions at the edge, whole; a lower ``seq`` of the same connection is stale."""

    seq: int
    sessions: Annotated[list[PresentSession], Field(max_length=MAX_SESSIONS)]


class DownAck(WireModel):
    """The relay keeps everything up to ``offset``. ``send_from``: it misses entries from there on.

    ``snapshot``: it wants the whole room instead.
    """

    epoch: Epoch
    offset: Offset
    send_from: Offset | None = None
    snapshot: bool = False


class DownTold(WireModel):
    """Notices that were told or read elsewhere, or are useful no more: the room need not show them.

    A resident who was told by push and then opens the room's own page must not be told again.
    """

    notice_ids: Annotated[list[NoticeId], Field(min_length=1, max_length=100)]


class VerifyKey(WireModel):
    """An Ed25519 public key that signs residents' tokens, 32 bytes as unpadded base64url."""

    kid: str
    public_key: str


class Roster(WireModel):
    """What an edge must know to check tokens offline. A lower ``version`` is refused."""

    version: int
    audience: str
    keys: list[VerifyKey]
    revoked_devices: list[str] = Field(default_factory=list)
    relay_url: str


class DownRoster(WireModel):
    """A ``Roster`` as a JWS (compact, EdDSA) signed with the key that the edge was enrolled with."""

    jws: str
