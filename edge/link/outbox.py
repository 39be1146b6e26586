"""What to send up next: the journal's unacknowledged end, decided without I/O.

The broker's PUBACK proves nothing. An entry leaves the outbox when the relay says ``{epoch, offset}``;
until then it is sent again: after each connect, and after ``RESEND_S`` without an answer, a hello asks
where the relay stands, and the rest follows from there; each further one waits twice as long. One batch
is under way at a time, so order needs no further thought. Each message has a word of its own, which its
answer repeats: what the broker doubled or kept for long passes for no other answer. An answer may take its
time: it counts as long as nothing said later on the same connection was answered, so a link or a relay
that needs longer than ``RESEND_S`` slows the journal down and does not stop it.
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
RESEND_CAP_S: Final = 60.0
"""Real seconds between two of our questions at most, however long nothing answers. A relay that comes back
asks by itself, so this long is waited only when that is lost too."""
UNANSWERED_MAX: Final = 64
"""Messages of one connection whose answers are still taken: an hour of questions."""


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
    backup says where it stands now. ``hello`` names the connection: the word of its first hello, None
    before any of its hellos is answered.
    """

    head: Position
    acked: Offset
    hello: Word | None = None
    _told_caught_up: bool = False
    _snapshot: SnapshotReason | None = None
    _new_epoch: bool = False
    _connection: Word | None = None
    _unanswered: dict[Word, int] = field(default_factory=dict)
    _awaited: int | None = None
    """Number of the message that an answer is awaited to; the questions after it will do as well."""
    _pause_s: float = RESEND_S
    _said_at_s: float | None = None
    _caught_up_word: Word | None = None
    _snapshot_word: Word | None = None
    _words: int = 0
    _prefix: str = field(default_factory=lambda: secrets.token_hex(8))

    def connected(self) -> None:
        """Begin a new connection: nothing said before counts."""
        self._begin_again()
        self._snapshot = None
        self._snapshot_word = None

    def appended(self, head: Position) -> None:
        """Take note that the journal grew, or began a new epoch."""
        if head.epoch != self.head.epoch:
            self.acked = 0
            self._new_epoch = False
            self.connected()
        self.head = head

    def greeted(self, hello: DownHello, *, same_past: bool = True) -> bool:
        """Take the relay's answer to a hello of this connection; False for any other, an old one.

        It answers the hellos before it too: what comes later about one of those is old. ``same_past``:
        the entry that the relay keeps at ``hello.acked`` is ours, as far as can be told.
        """
        if hello.epoch != self.head.epoch or not self._answered(hello.word):
            return False
        self.hello = self._connection
        if hello.held:
            # It began anew since we said so.
            self._told_caught_up = False
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
            self._begin_again()
            return False
        if ack.epoch != self.head.epoch or self.hello is None:
            return False
        if ack.offset > self.head.offset:
            self._new_epoch = True
            return False
        if not self._answered(ack.word):
            return False  # a double, or later than the answer to something newer
        # The newest word of the relay: it may go back.
        moved = ack.offset > self.acked or (ack.offset != self.acked and not ack.snapshot)
        if moved:
            self.acked = ack.offset
        if ack.snapshot:
            self._snapshot = "asked"
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
        word = self._left(now_s)
        self._connection = self._connection or word
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
        if self._awaited is not None:
            # The relay may have been restored meanwhile and know less of us than it said, or nothing:
            # a hello asks.
            return Do.WAIT if now_s < self._overdue_s else Do.HELLO
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
        self._said_at_s = now_s
        if self._awaited is None:
            self._awaited, self._pause_s = self._words, RESEND_S
        else:
            self._pause_s = min(2 * self._pause_s, RESEND_CAP_S)
        word = f"{self._prefix}{self._words}"
        self._unanswered[word] = self._words
        if len(self._unanswered) > UNANSWERED_MAX:
            del self._unanswered[next(iter(self._unanswered))]
        return word

    def _answered(self, word: Word | None) -> bool:
        """Take note that ``word`` is answered, and so what was said before it; False: it was already."""
        number = self._unanswered.get(word) if word is not None else None
        if number is None:
            return False
        self._unanswered = {one: nth for one, nth in self._unanswered.items() if nth > number}
        if self._awaited is not None and number >= self._awaited:
            self._awaited = None
        return True

    def _begin_again(self) -> None:
        # What the relay held back waits for "caught up" anew.
        self.hello = self._connection = self._caught_up_word = self._awaited = None
        self._unanswered = {}
        self._told_caught_up = False

    @property
    def connection(self) -> Word | None:
        """The word of the connection's first hello, answered or not; None before it is said."""
        return self._connection

    @property
    def awaits_answer(self) -> bool:
        """Whether something was said that the relay has not answered."""
        return self._awaited is not None

    @property
    def _overdue_s(self) -> float:
        return (self._said_at_s or 0.0) + self._pause_s

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
        if self._awaited is not None:
            return self._overdue_s
        return None if self._said_at_s is None else self._said_at_s + HELLO_EVERY_S
