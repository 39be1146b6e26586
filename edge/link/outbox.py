"""What to send up next: the journal's unacknowledged end, decided without I/O.

The broker's PUBACK proves nothing. An entry leaves the outbox when the relay says ``{epoch, offset}``;
until then it is sent again: after each connect, and after ``RESEND_S`` without an answer, a hello asks
where the relay stands, and the rest follows from there. One batch is under way at a time, so order
needs no further thought. Each message has a word of its own, which its answer repeats: what the broker
doubled or kept for long passes for no other answer.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

from laundryd.wire.ids import Offset, Position, Word
from laundryd.wire.uplink import HELLO_EVERY_S, DownAck, DownHello

RESEND_S: Final = 5.0
"""Real seconds without an answer after which we ask again: longer than a relay's restart."""


class Do(Enum):
    """What the shell is to do. ``RENEW``: say hello although all is said, as a sign of life."""

    WAIT = "wait"
    HELLO = "hello"
    RENEW = "renew"
    SNAPSHOT = "snapshot"
    EVENTS = "events"
    NEW_EPOCH = "new_epoch"


SnapshotReason = Literal["new_epoch", "overflow", "asked"]


@dataclass(slots=True)
class Outbox:
    """Where the uplink stands. ``head`` is the journal's newest entry; offsets are of its epoch.

    ``acked``: the relay keeps everything up to there. It may go back: a relay that was restored from a
    backup says where it stands now. ``hello`` is the word of the connection's first hello, None before
    its answer has come.
    """

    head: Position
    acked: Offset
    hello: Word | None = None
    _told_caught_up: bool = False
    _snapshot: SnapshotReason | None = None
    _new_epoch: bool = False
    _sent_at_s: float | None = None
    _said_at_s: float | None = None
    _awaited: Word | None = None
    _hello_word: Word | None = None
    _caught_up_word: Word | None = None
    _snapshot_word: Word | None = None
    _words: int = 0
    _prefix: str = field(default_factory=lambda: secrets.token_hex(8))

    def connected(self) -> None:
        """Begin a new connection: nothing said before counts."""
        self._ask_again()
        self._snapshot = None
        self._snapshot_word = None
        self._awaited = self._sent_at_s = None

    def appended(self, head: Position) -> None:
        """Take note that the journal grew, or began a new epoch."""
        if head.epoch != self.head.epoch:
            self.acked = 0
            self._new_epoch = False
            self.connected()
        self.head = head

    def greeted(self, hello: DownHello, *, same_past: bool = True) -> bool:
        """Take the relay's answer to our newest hello; False for any other answer, which is an old one.

        ``same_past``: the entry that the relay keeps at ``hello.acked`` is ours, as far as can be told.
        """
        if hello.epoch != self.head.epoch or hello.word != self._hello_word:
            return False
        self._hello_word = None  # once: a double of it comes later than it should
        self.hello = self.hello or hello.word
        self._answered(hello.word)
        if hello.acked is None:
            self._snapshot = "new_epoch"
        elif hello.acked > self.head.offset or not same_past:
            # It keeps entries that we no longer know of: our store was restored from a backup.
            self._new_epoch = True
        else:
            self.acked = hello.acked
        return True

    def acknowledged(self, ack: DownAck) -> bool:
        """Take an acknowledgement: the relay keeps more, or misses something; True when ``acked`` moved."""
        if ack.word is None:
            # Nobody asked: the relay has just connected. It may be a restored one, and what it holds
            # back waits for "caught up" anew: the next hello shows.
            self._ask_again()
            self._answered(self._awaited)
            return False
        if ack.epoch != self.head.epoch or self.hello is None:
            return False
        if ack.offset > self.head.offset:
            self._new_epoch = True
            return False
        is_newest = ack.word == self._awaited
        self._answered(ack.word)
        # A late duplicate of an earlier acknowledgement says nothing; the newest may go back.
        may_go_back = is_newest and not ack.snapshot
        moved = ack.offset > self.acked or (may_go_back and ack.offset != self.acked)
        if moved:
            self.acked = ack.offset
        if ack.snapshot:
            self._snapshot = "asked" if is_newest else self._snapshot
        elif ack.word == self._snapshot_word:
            self._snapshot = self._snapshot_word = None
        elif ack.word == self._caught_up_word and ack.send_from is None:
            # Said is not heard: the relay holds back what it plans until it has heard it.
            self._told_caught_up = True
        return moved

    def lost(self) -> None:
        """Take note that the store no longer has the entries after ``acked``: a snapshot must go before.

        So it is when the relay was restored to so little that what it had acknowledged is forgotten.
        """
        self._snapshot = self._snapshot or "overflow"

    def hello_sent(self, now_s: float) -> Word:
        """Take note that a hello leaves at ``now_s`` (monotonic); return its word."""
        self._hello_word = word = self._left(now_s)
        return word

    def snapshot_sent(self, now_s: float) -> Word:
        """Take note that a snapshot leaves at ``now_s`` (monotonic); return its word."""
        self._snapshot_word = word = self._left(now_s)
        return word

    def sent(self, now_s: float, *, caught_up: bool = False) -> Word:
        """Take note that a batch leaves at ``now_s`` (monotonic); return its word."""
        word = self._left(now_s)
        if caught_up:
            self._caught_up_word = word
        return word

    def next(self, now_s: float) -> Do:
        """Say what to do at ``now_s``; after ``WAIT`` ask again at ``due_s`` or when something came."""
        if self._new_epoch:
            return Do.NEW_EPOCH
        if self._sent_at_s is not None:
            if now_s < self._sent_at_s + RESEND_S:
                return Do.WAIT
            self._ask_again()
        return Do.HELLO if self.hello is None else self._next_after_hello(now_s)

    def _next_after_hello(self, now_s: float) -> Do:
        if self._snapshot is not None:
            return Do.SNAPSHOT
        if self.acked < self.head.offset or not self._told_caught_up:
            return Do.EVENTS
        is_quiet = self._said_at_s is None or now_s >= self._said_at_s + HELLO_EVERY_S
        return Do.RENEW if is_quiet else Do.WAIT

    def _left(self, now_s: float) -> Word:
        self._words += 1
        self._sent_at_s = self._said_at_s = now_s
        self._awaited = f"{self._prefix}{self._words}"
        return self._awaited

    def _answered(self, word: Word | None) -> None:
        if word == self._awaited:
            self._awaited = self._sent_at_s = None

    def _ask_again(self) -> None:
        # The relay may have been restored meanwhile and know less of us than it said, or nothing. And
        # what it held back waits for "caught up" anew.
        self.hello = self._hello_word = self._caught_up_word = None
        self._told_caught_up = False

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
        """When, monotonic, an answer is overdue or a sign of life is due; None when neither is known."""
        if self._sent_at_s is not None:
            return self._sent_at_s + RESEND_S
        return None if self._said_at_s is None else self._said_at_s + HELLO_EVERY_S
