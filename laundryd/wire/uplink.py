"""What edge and relay say to each other over the cloud's broker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import Field

from laundryd.wire.announcements import SHOWN_MAX, ShownAnnouncement
from laundryd.wire.events import Entry, Waiting
from laundryd.wire.ids import (
    Epoch,
    NoticeId,
    Offset,
    Position,
    ResidentId,
    Run,
    SessionId,
    Slug,
    WireModel,
    Word,
)
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import Notice
from laundryd.wire.times import Moment

MAX_ENTRIES_A_BATCH = 250
"""Entries in one ``up/events``: some 150 KiB."""

MAX_BATCH_BYTES: Final = 192 * 1024
"""Bytes of the entries in one ``up/events``, beside a single entry that is longer by itself: well under
``topics.MAX_PAYLOAD_BYTES`` and any broker's packet limit."""


MAX_SESSIONS = 2_000
"""Sessions in one ``up/presence``: some 200 KiB, and twice the connections of a process."""


HELLO_EVERY_S: Final = 60.0
"""Real seconds after which an edge that said nothing else says hello again: it shows that it lives, and
finds out that the relay was restored to less than it had acknowledged."""

LEASE_S: Final = 2.5 * HELLO_EVERY_S
"""Real seconds without a word from an edge after which the relay takes it for gone, whatever the broker
says: two of its hellos may get lost, three do not."""


class ClockMark(WireModel):
    """Where the relay's clock stood when it was measured; an edge gives it back as it came.

    ``boot`` names the start of the relay's computer; ``offset_ms`` is how far its clock was ahead of the time
    since then. Both together tell the relay whether its clock was set meanwhile, and by how much.
    """

    boot: Word
    offset_ms: int


class UpHello(WireModel):
    """The edge's first word on each connection, and its sign of life.

    ``head``: the newest entry. ``acked``: how far the edge believes that the relay has it. ``sent_at`` is
    the edge's real time; the relay echoes it so that the edge measures the offset and the way's length.
    ``word`` comes back in the answer. ``connection`` is the word of the connection's first hello: a hello
    that is said again because nothing answered begins no new one; None: this is the first. ``renewal``:
    said on a connection that was greeted before, so nothing waits for ``caught_up``. ``nth`` counts the
    hellos of this ``run`` of the edge's store: one with a lower number, or of a run that ended, came late
    and has no effect. ``relay_ahead_ms``: how far the relay's clock was ahead of the edge's when last
    measured; None: not measured yet. ``roster`` is the version of the roster in force, None: there is none
    yet; the relay sends its own again when that is another one.
    """

    name: str
    version: str
    head: Position
    acked: Offset
    durable: bool
    sent_at: Moment
    local_url: str | None = None
    word: Word | None = None
    connection: Word | None = None
    renewal: bool = False
    run: Run | None = None
    nth: int = 0
    relay_ahead_ms: int | None = None
    roster: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None


class DownHello(WireModel):
    """The relay's answer. ``acked`` is None when it knows nothing of this epoch: send a snapshot first.

    ``run`` wrote the entry at ``acked``. An edge that has another entry there was restored from a backup
    and must begin an epoch of its own. None: not known. ``held``: what is planned for the room waits for
    ``caught_up``. ``clock``: where the clock of ``relay_at`` stands; None: the relay cannot tell.
    """

    version: str
    epoch: Epoch
    acked: Offset | None
    echo_sent_at: Moment
    relay_at: Moment
    word: Word | None = None
    run: Run | None = None
    held: bool = False
    clock: ClockMark | None = None


class UpEvents(WireModel):
    """Consecutive entries, oldest first. ``caught_up``: nothing older waits at the edge.

    ``after`` is the offset before the first entry, and ``after_run`` wrote the entry there: the relay
    takes nothing that does not go on from the very entry it keeps. ``word`` comes back in the answer;
    ``hello`` is the word of its connection's first hello. ``ahead_ms``: how far the relay's room time is
    ahead of the edge's; the relay judges in its own time until when a notice is useful. ``clock``: the mark
    of the relay's clock by which that was measured; None: not measured, or it had none.
    """

    entries: Annotated[list[Entry], Field(max_length=MAX_ENTRIES_A_BATCH)]
    caught_up: bool
    after: Offset | None = None
    after_run: Run | None = None
    word: Word | None = None
    hello: Word | None = None
    ahead_ms: int = 0
    clock: ClockMark | None = None


def up_events_json(batch: UpEvents, bodies: Sequence[str]) -> bytes:
    """Write ``batch``, which has no entries itself, with ``bodies`` as its entries: each one's own JSON.

    The journal keeps entries as JSON; a small computer that sends a day of them need not read them all.
    """
    rest = batch.model_dump_json().removeprefix('{"entries":[]')
    return f'{{"entries":[{",".join(bodies)}]{rest}'.encode()


class UpSnapshot(WireModel):
    """The whole room at a position, with who owns what, for the relay alone.

    ``run`` wrote the entry at the position. ``word`` comes back in the answer.
    """

    snapshot: RoomSnapshot
    owners: dict[Slug, ResidentId]
    waiting: list[Waiting] = Field(default_factory=list)
    reason: Literal["new_epoch", "overflow", "asked"]
    run: Run | None = None
    word: Word | None = None


class PresentSession(WireModel):
    """One live session at the edge. Not attentive: open, but hidden or untouched."""

    session_id: SessionId
    resident: ResidentId
    attentive: bool


class UpPresence(WireModel):
    """All live sessions at the edge, whole; a lower ``seq`` after the same ``hello`` is stale.

    ``hello`` is the word of the connection's first hello: what an older connection said is stale too.
    """

    seq: int
    hello: Word | None = None
    sessions: Annotated[list[PresentSession], Field(max_length=MAX_SESSIONS)]


class DownAck(WireModel):
    """The relay keeps everything up to ``offset``. ``send_from``: it misses entries from there on.

    ``snapshot``: it wants the whole room instead. ``word`` is that of the message it answers; None: no
    answer, the relay has just connected and asks for a hello.
    """

    epoch: Epoch
    offset: Offset
    send_from: Offset | None = None
    snapshot: bool = False
    word: Word | None = None


class DownTold(WireModel):
    """Notices that were told or read elsewhere, or are useful no more: the room need not show them.

    A resident who was told by push and then opens the room's own page must not be told again. A page that
    shows one already keeps it, unless it is ``gone`` too: those of ``notice_ids`` that were read, or taken
    back, leave the pages that are open. A relay that does not say so yet leaves it empty.
    """

    notice_ids: Annotated[list[NoticeId], Field(min_length=1, max_length=100)]
    gone: list[NoticeId] = Field(default_factory=list, max_length=100)


class DownAnnouncement(WireModel):
    """What staff announces in the room now, whole. Each ends by itself, at its ``until``."""

    shown: Annotated[list[ShownAnnouncement], Field(max_length=SHOWN_MAX)]


class DownNotice(WireModel):
    """A notice that the relay originates, for a resident who is on the room's own page.

    The room shows it there and journals the acknowledgement, as of its own notices.
    """

    notice: Notice


class VerifyKey(WireModel):
    """An Ed25519 public key that signs residents' tokens, 32 bytes as unpadded base64url."""

    kid: str
    public_key: str


class Roster(WireModel):
    """What an edge must know to check tokens offline. A lower ``version`` is refused.

    ``declined``: the kinds of notices that a member of the room wishes to be told nothing of. Their names
    are text, so that a relay that knows more kinds than its edge shuts nobody out.
    """

    version: int
    audience: str
    keys: list[VerifyKey]
    revoked_devices: list[str] = Field(default_factory=list)
    declined: dict[ResidentId, list[str]] = Field(default_factory=dict)
    relay_url: str


class DownRoster(WireModel):
    """A ``Roster`` as a JWS (compact, EdDSA) signed with the key that the edge was enrolled with."""

    jws: str
