"""What to send up next: the journal's unacknowledged end, decided without I/O.

The broker's PUBACK proves nothing. An entry leaves the outbox when the relay says ``{epoch, offset}``;
until then it is sent again: after each connect, and after ``RESEND_S`` without an answer, a hello asks
where the relay stands, and the rest follows from there. One batch is under way at a time, so order
needs no further thought.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from laundryd.wire.ids import Offset, Position
from laundryd.wire.uplink import DownAck, DownHello

RESEND_S: Final = 5.0
"""Real seconds without an answer after which we ask again: longer than a relay's restart."""


class Do(Enum):
    """What the shell is to do."""

    WAIT = "wait"
    HELLO = "hello"
    SNAPSHOT = "snapshot"
    EVENTS = "events"
    NEW_EPOCH = "new_epoch"


SnapshotReason = Literal["new_epoch", "overflow", "asked"]


@dataclass(slots=True)
class Outbox:
    """Where the uplink stands. ``head`` is the journal's newest entry; offsets are of its epoch.

    ``acked``: the relay keeps everything up to there. It may go back: a relay that was restored from a
    backup says where it stands now.
    """

    head: Position
    acked: Offset
    _greeted: bool = False
    _told_caught_up: bool = False
    _caught_up_at: Offset | None = None
    _snapshot: SnapshotReason | None = None
    _snapshot_at: Offset | None = None
    _new_epoch: bool = False
    _sent_at_s: float | None = None

    def connected(self) -> None:
        """Begin a new connection: nothing said before counts."""
        self._greeted = False
        self._told_caught_up = False
        self._caught_up_at = None
        self._snapshot = None
        self._snapshot_at = None
        self._sent_at_s = None

    def appended(self, head: Position) -> None:
        """Take note that the journal grew, or began a new epoch."""
        if head.epoch != self.head.epoch:
            self.acked = 0
            self._new_epoch = False
            self.connected()
        self.head = head

    def greeted(self, hello: DownHello) -> None:
        """Take the relay's answer to our hello. An answer about another epoch is an old one."""
        if hello.epoch != self.head.epoch:
            return
        self._greeted = True
        self._sent_at_s = None
        if hello.acked is None:
            self._snapshot = "new_epoch"
        elif hello.acked > self.head.offset:
            # It keeps entries that we no longer know of: our store was restored from a backup.
            self._new_epoch = True
        else:
            self.acked = hello.acked

    def acknowledged(self, ack: DownAck) -> bool:
        """Take an acknowledgement: the relay keeps more, or misses something; True when ``acked`` moved."""
        if ack.epoch != self.head.epoch:
            return False
        if ack.offset > self.head.offset:
            self._new_epoch = True
            return False
        if ack.snapshot:
            self._snapshot = "asked"
            self._sent_at_s = None
            return False
        if self._snapshot_at is not None and ack.offset >= self._snapshot_at:
            self._snapshot = self._snapshot_at = None
        # A late duplicate of an earlier acknowledgement says nothing; ``send_from`` may go back.
        moved = ack.offset > self.acked or (ack.send_from is not None and ack.offset != self.acked)
        if moved:
            self.acked = ack.offset
        if moved or ack.offset == self.acked:
            self._sent_at_s = None
        if self._caught_up_at is not None and self.acked >= self._caught_up_at:
            # Said is not heard: the relay holds back what it plans until it has heard it.
            self._told_caught_up = True
        return moved

    def lost(self) -> None:
        """Take note that entries alone do not lead to the room's state: a snapshot must go before them.

        The store no longer has those after ``acked``, or a machine left the settings.
        """
        self._snapshot = self._snapshot or "overflow"

    def snapshot_sent(self, position: Position, now_s: float) -> None:
        """Take note that a snapshot of ``position`` left at ``now_s`` (monotonic)."""
        self._snapshot_at = position.offset
        self._sent_at_s = now_s

    def sent(self, now_s: float, *, caught_up: bool = False) -> None:
        """Take note that a hello or a batch left at ``now_s`` (monotonic)."""
        self._sent_at_s = now_s
        if caught_up:
            self._caught_up_at = self.head.offset

    def next(self, now_s: float) -> Do:
        """Say what to do at ``now_s``; after ``WAIT`` ask again at ``due_s`` or when something came."""
        if self._new_epoch:
            return Do.NEW_EPOCH
        if self._sent_at_s is not None:
            if now_s < self._sent_at_s + RESEND_S:
                return Do.WAIT
            self._ask_again()
        if not self._greeted:
            return Do.HELLO
        if self._snapshot is not None:
            return Do.SNAPSHOT
        if self.acked < self.head.offset or not self._told_caught_up:
            return Do.EVENTS
        return Do.WAIT

    def _ask_again(self) -> None:
        # The relay may have been restored meanwhile and know less of us than it said, or nothing: to an
        # empty batch it would have no answer at all. And what it held back waits for "caught up" anew.
        self._greeted = self._told_caught_up = False
        self._caught_up_at = None

    @property
    def snapshot_due(self) -> bool:
        """Whether the relay needs the whole room and has not taken it yet."""
        return self._snapshot is not None

    @property
    def snapshot_reason(self) -> SnapshotReason:
        """Why a snapshot is due."""
        return self._snapshot or "asked"

    @property
    def due_s(self) -> float | None:
        """When, monotonic, an answer is overdue; None when none is awaited."""
        return None if self._sent_at_s is None else self._sent_at_s + RESEND_S
