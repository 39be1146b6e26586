"""A little world for the outbox: an edge's journal, a bad link, a relay; all in simulated time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cloud_relay.ingest.order import decide
from edge.link.outbox import Do, Outbox
from laundryd.wire.events import AckKind, Entry, NoticeAck
from laundryd.wire.ids import Position
from laundryd.wire.uplink import DownAck, DownHello

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
BATCH = 4
KEPT_MAX = 12
"""Unacknowledged entries that the model's store keeps; past it the oldest are dropped."""


@dataclass(frozen=True)
class Hello:
    head: Position


@dataclass(frozen=True)
class Events:
    entries: tuple[Entry, ...]
    caught_up: bool


@dataclass(frozen=True)
class Snapshot:
    position: Position


Up = Hello | Events | Snapshot
Down = DownHello | DownAck


@dataclass
class Journal:
    """The edge's store. ``serials`` name what happened, whatever number it got."""

    epoch: str = "e1"
    entries: dict[int, Entry] = field(default_factory=dict)
    head: int = 0
    acked: int = 0
    dropped: int = 0

    @property
    def position(self) -> Position:
        return Position(epoch=self.epoch, offset=self.head)

    def copy(self) -> Journal:
        """A backup."""
        return replace(self, entries=dict(self.entries))


@dataclass
class Relay:
    """What the relay keeps: a place, and which happenings took effect, in order."""

    kept: Position | None = None
    serials: list[int] = field(default_factory=list)
    past: set[str] = field(default_factory=set)
    caught_up: bool = False

    def copy(self) -> Relay:
        return replace(self, serials=list(self.serials), past=set(self.past))

    def hear(self, message: Up) -> list[Down]:
        match message:
            case Hello(head):
                return [self._hello(head)]
            case Snapshot(position):
                return [self._snapshot(position)]
            case Events(entries, caught_up):
                decision = decide(self.kept, entries)
                for entry in decision.take:
                    self.serials.append(serial(entry))
                    self.kept = entry.position
                answer = decision.answer
                if caught_up and answer and not (answer.snapshot or answer.send_from):
                    self.caught_up = True
                return [answer] if answer else []

    def _hello(self, head: Position) -> DownHello:
        acked = self.kept.offset if self.kept and self.kept.epoch == head.epoch else None
        if head.epoch in self.past:
            acked = head.offset + 1
        return DownHello(version="1", epoch=head.epoch, acked=acked, echo_sent_at=AT, relay_at=AT)

    def _snapshot(self, position: Position) -> DownAck:
        if position.epoch in self.past:
            return DownAck(epoch=position.epoch, offset=position.offset + 1)
        kept = self.kept
        if kept is None or kept.epoch != position.epoch or position.offset >= kept.offset:
            if kept is not None and kept.epoch != position.epoch:
                self.past.add(kept.epoch)
            self.kept = kept = position
        return DownAck(epoch=kept.epoch, offset=kept.offset)


class World:
    """Drives the real outbox as the uplink does."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.journal, self.relay = Journal(), Relay()
        self.outbox = Outbox(self.journal.position, 0)
        self.up: list[Up] = []
        self.down: list[Down] = []
        self.is_connected = self.has_doubled = False
        self.happened: list[int] = []
        self.forgotten: set[int] = set()
        """Happenings that the edge itself lost: dropped by a full store, or with an old epoch."""
        self.best: dict[str, int] = {}
        """Epoch -> the newest offset that a relay ever kept."""

    # -- what happens

    def append(self) -> None:
        number = len(self.happened) + 1
        self.happened.append(number)
        journal = self.journal
        journal.head += 1
        ack = NoticeAck(notice_id=f"{number:032x}", resident="r", kind=AckKind.SHOWN, at=AT)
        journal.entries[journal.head] = Entry(epoch=journal.epoch, offset=journal.head, ack=ack)
        while journal.dropped < journal.head - KEPT_MAX:
            journal.dropped += 1
            gone = journal.entries.pop(journal.dropped, None)
            if gone is not None and journal.dropped > journal.acked:
                self.forgotten.add(serial(gone))
        self.outbox.appended(journal.position)
        self.work()

    def connect(self) -> None:
        self.is_connected = True
        self.down.clear()  # a clean start: what waited for the old connection is gone
        self.relay.caught_up = False
        self.outbox.connected()
        self.work()

    def disconnect(self) -> None:
        self.is_connected = False

    def restart_edge(self) -> None:
        self.disconnect()
        self.outbox = Outbox(self.journal.position, self.journal.acked)

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
        self.has_doubled = self.has_doubled or twice
        if isinstance(message, DownHello):
            self.outbox.greeted(message)
        elif self.outbox.acknowledged(message):
            # The promise: what may be forgotten now was kept by the relay.
            assert self.outbox.acked <= self.best.get(self.journal.epoch, 0)
            self.journal.acked = max(self.journal.acked, self.outbox.acked)
        self.work()

    def lose(self, index: int) -> None:
        lane = self.up if index % 2 else self.down
        if lane:
            lane.pop(index % len(lane))

    # -- what the uplink does

    def work(self) -> None:
        while self.is_connected and (do := self.outbox.next(self.now_s)) is not Do.WAIT:
            self._do(do)

    def _do(self, do: Do) -> None:
        outbox, journal = self.outbox, self.journal
        match do:
            case Do.HELLO:
                outbox.sent(self.now_s)
                self.up.append(Hello(journal.position))
            case Do.SNAPSHOT:
                offset = min(max(outbox.acked, journal.dropped), journal.head)
                position = Position(epoch=journal.epoch, offset=offset)
                outbox.snapshot_sent(position, self.now_s)
                self.up.append(Snapshot(position))
            case Do.NEW_EPOCH:
                kept = set(self.relay.serials)
                self.forgotten |= {
                    serial(e) for e in journal.entries.values() if serial(e) not in kept
                }
                self.journal = Journal(epoch=f"e{int(journal.epoch[1:]) + 1}")
                outbox.appended(self.journal.position)
            case Do.EVENTS:
                if outbox.acked < journal.dropped:
                    outbox.lost()
                    return
                waiting = range(outbox.acked + 1, journal.head + 1)[:BATCH]
                entries = tuple(journal.entries[offset] for offset in waiting)
                is_last = (entries[-1].offset if entries else outbox.acked) >= journal.head
                outbox.sent(self.now_s, caught_up=is_last)
                self.up.append(Events(entries, is_last))

    # -- how it ends

    def assert_everything_took_effect_once(self) -> None:
        """What the edge itself lost may have been under way already; everything else must be there."""
        serials = self.relay.serials
        assert serials == sorted(set(serials))
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
            # A doubled acknowledgement may pass for the answer to "caught up"; the relay waits 10 s at most.
            is_told = self.relay.caught_up or self.has_doubled
            if self.relay.kept == self.journal.position and is_told:
                return
            self.pass_time(6)
        raise AssertionError("it never came to rest")


def serial(entry: Entry) -> int:
    assert entry.ack is not None
    return int(entry.ack.notice_id, 16)
