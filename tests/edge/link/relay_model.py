"""A little world for the outbox: an edge's journal, a bad link, a relay; all in simulated time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cloud_relay.ingest.handlers import NOTHING_KEPT
from cloud_relay.ingest.order import BEYOND_EVERY_HEAD, Before, decide
from edge.link.outbox import RESEND_S, Do, Outbox
from laundryd.wire.events import AckKind, Entry, NoticeAck
from laundryd.wire.ids import Position, Run, Word
from laundryd.wire.uplink import DownAck, DownHello

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
BATCH = 4
KEPT_MAX = 12
"""Unacknowledged entries that the model's store keeps; past it the oldest are dropped."""


@dataclass(frozen=True)
class Hello:
    head: Position
    word: Word
    connection: Word | None
    nth: int
    renewal: bool


@dataclass(frozen=True)
class Events:
    entries: tuple[Entry, ...]
    caught_up: bool
    before: Before
    word: Word
    hello: Word | None


@dataclass(frozen=True)
class Snapshot:
    position: Position
    run: Run | None
    word: Word


@dataclass(frozen=True)
class Without:
    """Mechanisms that are taken away, to show what each of them prevents."""

    runs: bool = False
    words: bool = False
    renewals: bool = False
    late_answers: bool = False
    carrying: bool = False


Up = Hello | Events | Snapshot
Down = DownHello | DownAck


@dataclass
class Journal:
    """The edge's store. ``serials`` name what happened, whatever number it got."""

    epoch: str = "e1"
    run: str = "r1"
    entries: dict[int, Entry] = field(default_factory=dict)
    head: int = 0
    acked: int = 0
    dropped: int = 0

    @property
    def position(self) -> Position:
        return Position(epoch=self.epoch, offset=self.head)

    def run_at(self, offset: int) -> Run | None:
        entry = self.entries.get(offset)
        return entry.run if entry else None

    def copy(self) -> Journal:
        """A backup."""
        return replace(self, entries=dict(self.entries))


@dataclass
class Relay:
    """What the relay keeps: a place, and which happenings took effect, in order."""

    without: Without = Without()
    kept: Position | None = None
    run: Run | None = None
    serials: list[int] = field(default_factory=list)
    past: set[str] = field(default_factory=set)
    caught_up: bool = False
    hello: Word | None = None
    nth: int = 0

    def copy(self) -> Relay:
        return replace(self, serials=list(self.serials), past=set(self.past))

    def nudge(self) -> list[Down]:
        """What it says when it connects."""
        kept = self.kept or NOTHING_KEPT
        return [DownAck(epoch=kept.epoch, offset=kept.offset, send_from=kept.offset + 1)]

    def hear(self, message: Up) -> list[Down]:
        match message:
            case Hello():
                return [self._hello(message)]
            case Snapshot():
                return [self._snapshot(message)]
            case Events():
                return self._events(message)

    def _events(self, batch: Events) -> list[Down]:
        decision = decide(
            self.kept,
            batch.entries,
            kept_run=None if self.without.runs else self.run,
            before=batch.before,
            word=batch.word,
        )
        for entry in decision.take:
            if (number := serial(entry)) not in self.serials:  # one carried over may be known
                self.serials.append(number)
            self.kept, self.run = entry.position, entry.run
        answer = decision.answer
        if answer is None:
            return []
        is_whole = not (answer.snapshot or answer.send_from or answer.offset == BEYOND_EVERY_HEAD)
        if (
            batch.caught_up
            and is_whole
            and (self.hello in {None, batch.hello} or self.without.words)
        ):
            self.caught_up = True
        return [answer]

    def _hello(self, hello: Hello) -> DownHello:
        if not hello.renewal and hello.nth > self.nth:
            if self.hello != hello.connection:
                self.hello, self.caught_up = hello.connection, False
            self.nth = hello.nth
        head, kept = hello.head, self.kept
        acked = kept.offset if kept and kept.epoch == head.epoch else None
        run = self.run if acked is not None and not self.without.runs else None
        if head.epoch in self.past:
            acked = BEYOND_EVERY_HEAD
        return DownHello(
            version="1",
            epoch=head.epoch,
            acked=acked,
            echo_sent_at=AT,
            relay_at=AT,
            word=hello.word,
            run=run,
            held=not self.caught_up,
        )

    def _snapshot(self, body: Snapshot) -> DownAck:
        position, kept = body.position, self.kept
        is_another = kept == position and None not in {self.run, body.run} and self.run != body.run
        if position.epoch in self.past or (is_another and not self.without.runs):
            return DownAck(epoch=position.epoch, offset=BEYOND_EVERY_HEAD, word=body.word)
        is_old = kept is not None and kept.epoch == position.epoch and position.offset < kept.offset
        if kept is None or not is_old:
            if kept is not None and kept.epoch != position.epoch:
                self.past.add(kept.epoch)
            self.kept, self.run = kept, _ = position, body.run
        return DownAck(epoch=kept.epoch, offset=kept.offset, snapshot=is_old, word=body.word)


class World:
    """Drives the real outbox as the uplink does; ``without`` takes mechanisms away."""

    def __init__(self, without: Without = Without()) -> None:
        self.without = without
        self.now_s = 0.0
        self.journal, self.relay = Journal(), Relay(without)
        self.outbox = Outbox(self.journal.position, 0)
        self.up: list[Up] = []
        self.down: list[Down] = []
        self.is_connected = False
        self.happened: list[int] = []
        self.forgotten: set[int] = set()
        """Happenings that the edge itself lost: dropped by a full store, or gone with its disk."""
        self.best: dict[str, int] = {}
        """Epoch -> the newest offset that a relay ever kept."""
        self._runs = 1
        self._hellos = 0

    # -- what happens

    def append(self) -> None:
        number = len(self.happened) + 1
        self.happened.append(number)
        journal = self.journal
        self._journal(
            NoticeAck(notice_id=f"{number:032x}", resident="r", kind=AckKind.SHOWN, at=AT)
        )
        while journal.dropped < journal.head - KEPT_MAX:
            journal.dropped += 1
            gone = journal.entries.pop(journal.dropped - 1, None)
            if gone is not None and journal.dropped - 1 > journal.acked:
                self.forgotten.add(serial(gone))
        at_dropped = journal.entries.get(journal.dropped)
        if at_dropped is not None and journal.dropped > journal.acked:
            self.forgotten.add(serial(at_dropped))
        self.outbox.appended(journal.position)
        self.work()

    def _journal(self, ack: NoticeAck) -> None:
        journal = self.journal
        journal.head += 1
        journal.entries[journal.head] = Entry(
            epoch=journal.epoch, offset=journal.head, ack=ack, run=journal.run
        )

    def connect(self) -> None:
        # What waited for the old connection comes over the new one: the session lasts.
        self.is_connected = True
        self.outbox.connected()
        self.work()

    def disconnect(self) -> None:
        self.is_connected = False

    def restart_edge(self) -> None:
        self.disconnect()
        self._runs += 1
        self.journal.run = f"r{self._runs}"
        self.outbox = Outbox(self.journal.position, self.journal.acked)

    def restore_edge(self, backup: Journal) -> None:
        """Go on from ``backup``; what it does not have is lost."""
        here = {serial(entry) for entry in backup.entries.values()}
        self.forgotten |= {
            serial(entry)
            for offset, entry in self.journal.entries.items()
            if serial(entry) not in here and offset > self.journal.dropped
        }
        self.journal = backup.copy()
        self.restart_edge()

    def restart_relay(self) -> None:
        self.relay.hello, self.relay.nth, self.relay.caught_up = None, 0, False
        self.down += self.relay.nudge()

    def restore_relay(self, backup: Relay) -> None:
        """Go on from ``backup``, without a word to anybody."""
        self.relay = backup.copy()
        self.relay.hello, self.relay.nth, self.relay.caught_up = None, 0, True

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds
        self.work()

    def deliver_up(self, index: int, *, twice: bool = False) -> None:
        if not self.up:
            return
        index %= len(self.up)
        message = self.up[index] if twice else self.up.pop(index)
        answers = self.relay.hear(message)
        if self.relay.kept is not None:
            kept = self.relay.kept
            self.best[kept.epoch] = max(kept.offset, self.best.get(kept.epoch, 0))
        self.down += answers

    def deliver_down(self, index: int, *, twice: bool = False) -> None:
        if not self.down or not self.is_connected:
            return
        index %= len(self.down)
        message = self.down[index] if twice else self.down.pop(index)
        if self.without.late_answers and message.word not in {None, self._newest_word()}:
            return
        if isinstance(message, DownHello):
            self._greeted(message)
        else:
            if self.without.words and message.word is not None:
                message = message.model_copy(update={"word": self._newest_word()})
            if self.outbox.acknowledged(message):
                # The promise: what may be forgotten now was kept by the relay.
                assert self.outbox.acked <= self.best.get(self.journal.epoch, 0)
                self.journal.acked = max(self.journal.acked, self.outbox.acked)
        self.work()

    def _greeted(self, hello: DownHello) -> None:
        if self.without.words:
            hello = hello.model_copy(update={"word": self._newest_word()})
        same_past = True
        if hello.run is not None and hello.acked is not None and hello.epoch == self.journal.epoch:
            same_past = self.journal.run_at(hello.acked) in {None, hello.run}
        if self.outbox.greeted(hello, same_past=same_past):
            self.journal.acked = max(self.journal.acked, self.outbox.acked)

    def _newest_word(self) -> Word:
        return next(reversed(self.outbox._unanswered), "none")

    def lose(self, index: int) -> None:
        lane = self.up if index % 2 else self.down
        if lane:
            lane.pop(index % len(lane))

    # -- what the uplink does

    def work(self) -> None:
        while self.is_connected and (do := self.outbox.next(self.now_s)) is not Do.WAIT:
            if do is Do.RENEW and self.without.renewals:
                return
            self._do(do)

    def _do(self, do: Do) -> None:
        outbox, journal = self.outbox, self.journal
        if self.without.late_answers:
            outbox._pause_s = RESEND_S / 2  # doubled when it asks: a question every RESEND_S
        match do:
            case Do.HELLO | Do.RENEW:
                word = outbox.hello_sent(self.now_s)
                self._hellos += 1
                self.up.append(
                    Hello(journal.position, word, outbox.connection, self._hellos, do is Do.RENEW)
                )
            case Do.SNAPSHOT:
                offset = min(max(outbox.acked, journal.dropped), journal.head)
                position = Position(epoch=journal.epoch, offset=offset)
                word = outbox.snapshot_sent(self.now_s)
                self.up.append(Snapshot(position, journal.run_at(offset), word))
            case Do.NEW_EPOCH:
                self.begin_epoch()
            case Do.EVENTS:
                self._send_events()

    def _send_events(self) -> None:
        outbox, journal = self.outbox, self.journal
        after = outbox.acked
        if after < journal.dropped:
            outbox.lost()
            return
        waiting = range(after + 1, journal.head + 1)[:BATCH]
        entries = tuple(journal.entries[offset] for offset in waiting)
        is_last = (entries[-1].offset if entries else after) >= journal.head
        word = outbox.sent(self.now_s, caught_up=is_last)
        before = Before(after, None if self.without.runs else journal.run_at(after))
        if self.without.runs:
            entries = tuple(one.model_copy(update={"run": None}) for one in entries)
        self.up.append(Events(entries, is_last, before, word, outbox.hello))

    def begin_epoch(self) -> None:
        """Begin a new epoch: asked by the relay, or because the store moves off its disk."""
        old = self.journal
        waiting = [
            one for offset, one in old.entries.items() if offset > max(old.acked, old.dropped)
        ]
        self.journal = Journal(epoch=f"e{int(old.epoch[1:]) + 1}", run=old.run)
        for entry in waiting:
            if entry.ack is not None and not self.without.carrying:
                self._journal(entry.ack)
        self.outbox.appended(self.journal.position)

    # -- how it ends

    def assert_everything_took_effect_once(self) -> None:
        """What the edge itself lost may have been under way already; everything else must be there."""
        serials = self.relay.serials
        assert len(serials) == len(set(serials))
        assert set(self.happened) - self.forgotten <= set(serials)

    def heal(self) -> None:
        """A good link for as long as it takes; the connection stays when there is one."""
        if not self.is_connected:
            self.connect()
        for _ in range(200):
            while self.up or self.down:
                while self.up:
                    self.deliver_up(0)
                while self.down:
                    self.deliver_down(0)
            if self.relay.kept == self.journal.position and self.relay.caught_up:
                return
            self.pass_time(6)
        raise AssertionError("it never came to rest")


def serial(entry: Entry) -> int:
    assert entry.ack is not None
    return int(entry.ack.notice_id, 16)
