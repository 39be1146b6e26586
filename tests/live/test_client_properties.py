"""A client before a server whose frames are lost, doubled and late, and whose answers may be old.

The server may be restored from a backup, too: then it gives numbers that it gave before to other events.
"""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from laundryd.live.following.actions import (
    Action,
    Apply,
    AskWhy,
    Connect,
    Drop,
    Get,
    Send,
    Take,
)
from laundryd.live.following.core import Core
from laundryd.live.openings import Opening, is_same_past
from laundryd.wire import frames
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import PagePosition
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import Lang
from tests.live.stage import AT, ROOM, make_event

EPOCHS = ("e1", "e2", "e3")
KEPT = 6
"""Events that the server can replay."""


class World:
    """A server with one room, the wire to it, and a client that is checked at each of its actions."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 -- no secret
        self.core = Core({ROOM: None}, lang=Lang.EN, random=self.dice.random)
        self.now_s = 0.0
        self.epoch = 0
        self.journal: list[PublicEvent] = []
        self.connection: str = "none"
        self.gets = 0
        self.histories: list[list[PublicEvent]] = []
        """What stood in each answer: its name is the place here."""
        self.answered: list[RoomSnapshot] = []
        """Answers that are under way since before the server was restored."""
        self.shown: list[PublicEvent] = []
        self.runs = 0
        self.openings: list[Opening] = []
        self.late: list[PublicEvent] | None = None
        """What may yet come over a connection to a run that is over; None: the client's is to the present."""
        self.begin_run()
        self.stood: PagePosition | None = None
        self.perform(self.core.start(0.0))

    @property
    def head(self) -> PagePosition:
        offset = self.journal[-1].offset if self.journal else 0
        return PagePosition(epoch=EPOCHS[self.epoch], offset=offset)

    def perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Connect():
                    assert self.connection == "none", "a second connection beside the first"
                    self.connection = "opening"
                case Drop():
                    assert self.connection != "none", "nothing to drop"
                    self.connection = "none"
                    self.late = None
                case Send():
                    assert self.connection in {"open", "live"}, f"{action} without a connection"
                case Get():
                    self.gets += 1
                case Take(snapshot, is_older):
                    self.take(snapshot, is_older=is_older)
                case Apply(event):
                    self.apply(event)
                case AskWhy():
                    self.perform(self.core.why(None))
                case _:
                    pass

    def take(self, snapshot: RoomSnapshot, *, is_older: bool) -> None:
        if not is_older:
            self.shown = list(self.histories[int(snapshot.name)])
            self.stood = snapshot.page_position

    def apply(self, event: PublicEvent) -> None:
        assert self.stood is not None, "an event before the room"
        assert event.epoch == self.stood.epoch, "an event of another epoch"
        assert event.follows <= self.stood.offset < event.offset, f"{event.offset} at {self.stood}"
        self.stood = PagePosition(epoch=event.epoch, offset=event.offset, run=self.stood.run)
        self.shown.append(event)

    # -- what happens

    def new_epoch(self) -> None:
        if self.epoch + 1 < len(EPOCHS):
            self.epoch += 1
            self.journal = []
            self.openings = [Opening(self.openings[-1].run, 0)]

    def begin_run(self) -> None:
        self.runs += 1
        self.openings.append(Opening(f"r{self.runs}", self.head.offset))

    def restart(self) -> None:
        """The server goes on where it was, in another run."""
        self.break_link()
        self.begin_run()

    def restore(self, *, is_heard: bool) -> None:
        """The server goes back to an older journal; answers that are under way still come.

        Its connections are lost, ``is_heard`` or not: then what it said last may come late.
        """
        self.answered += [self.snapshot(stale=self.dice.random() < 0.5) for _ in range(self.gets)]
        self.gets = 0
        kept = self.dice.randint(0, len(self.journal))
        self.journal, lost = self.journal[:kept], self.journal[kept:]
        if is_heard:
            self.break_link()
        elif self.connection == "live" and self.late is None:
            self.late = lost
        head = self.head.offset
        self.openings = [one for one in self.openings if one.head is not None and one.head <= head]
        if len(self.openings) > 1 and self.openings[-1].head == head and self.dice.random() < 0.5:
            self.openings.pop()  # it began after the backup, and nothing was written before it
        self.begin_run()

    def publish(self) -> None:
        """Something is published; it may be lost on the way, or come twice."""
        follows = self.journal[-1].offset if self.journal else 0
        offset = follows + self.dice.randint(1, 3)
        self.journal.append(make_event(offset, follows=follows, epoch=EPOCHS[self.epoch]))
        for _ in range(self.dice.choice((0, 1, 1, 1, 2))):
            self.deliver([self.journal[-1]])

    def deliver(self, events: list[PublicEvent]) -> None:
        if self.connection == "live" and self.late is None:
            self.perform(self.core.take(frames.Batch(events=events), self.now_s))

    def snapshot(self, *, stale: bool) -> RoomSnapshot:
        """Write down the room as it is, or ``stale``: as it was before its journal."""
        known = [] if stale else list(self.journal)
        position = self.head
        if stale and self.journal:
            position = PagePosition(epoch=position.epoch, offset=self.journal[0].follows)
        self.histories.append(known)
        return RoomSnapshot(
            room=ROOM,
            name=str(len(self.histories) - 1),
            position=position,
            at=AT,
            edge=None,
            durable=True,
            machines=[],
            run=self.openings[-1].run,
        )

    def answer_get(self, *, stale: bool) -> None:
        if self.answered:
            self.perform(self.core.got(self.answered.pop(0), self.now_s))
        elif self.gets:
            self.gets -= 1
            self.perform(self.core.got(self.snapshot(stale=stale), self.now_s))

    def fail_get(self) -> None:
        if self.gets:
            self.gets -= 1
            self.perform(self.core.get_failed(ROOM, self.dice.choice((None, 503)), self.now_s))

    def advance_link(self) -> None:
        """The connection gets as far as it can in one step."""
        if self.connection == "opening":
            self.connection = "open"
            self.perform(self.core.opened())
        elif self.connection == "open":
            self.welcome()
        elif self.connection == "live" and self.late:
            event = self.late.pop(0)
            self.perform(self.core.take(frames.Batch(events=[event]), self.now_s))
        elif self.connection == "live" and self.late is None:
            self.perform(self.core.take(frames.Pong(), self.now_s))

    def welcome(self) -> None:
        at = self.core.rooms.positions[ROOM]
        missed = [] if at is None else [e for e in self.journal if e.offset > at.offset]
        recovered = (
            at is not None
            and at.epoch == self.head.epoch
            and at.offset <= self.head.offset
            and len(missed) <= KEPT
            and is_same_past(at, self.openings[-1].run, self.openings)
        )
        resume = frames.RoomResume(
            epoch=self.head.epoch,
            offset=self.head.offset,
            run=self.openings[-1].run,
            was_recovering=at is not None,
            recovered=recovered,
        )
        self.connection = "live"
        welcome = frames.Welcome(
            session_id="s1",
            heartbeat_s=30,
            batch_ms=100,
            backoff=frames.Backoff(first_s=1, factor=2, cap_s=30),
            clock=frames.RoomClock(at=AT, speed=1),
            rooms={ROOM: resume},
        )
        self.perform(self.core.take(welcome, self.now_s))
        if recovered:
            if self.stood is not None:
                self.stood = self.stood.in_run(resume.run)
            self.deliver(missed)

    def break_link(self) -> None:
        self.late = None
        if self.connection != "none":
            self.connection = "none"
            self.perform(self.core.closed(self.dice.choice((1001, 1006, 4001)), self.now_s))

    def pass_time(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while (due_s := self.core.due_s) is not None and due_s <= until_s:
            self.now_s = max(self.now_s, due_s)
            self.perform(self.core.tick(self.now_s))
        self.now_s = until_s

    def heal(self) -> None:
        """From now on the network and the server are good: everything answers at once."""
        for _ in range(60):
            while self.gets or self.answered:
                self.answer_get(stale=False)
            self.advance_link()
            self.pass_time(4.0)

    def arrived(self) -> None:
        assert self.stood is not None
        assert self.stood.in_run(None) == self.head
        shown = [event for event in self.shown if event.epoch == self.head.epoch]
        assert [id(event) for event in shown] == [id(event) for event in self.journal]


STEPS = st.sampled_from(
    (
        "event",
        "event",
        "event",
        "epoch",
        "restore",
        "restore unheard",
        "restart",
        "link",
        "link",
        "link",
        "break",
        "get",
        "stale",
        "fail",
    )
)


@given(st.integers(0, 2**32), st.lists(st.tuples(STEPS, st.floats(0, 12)), max_size=60))
def test_events_are_applied_once_in_order_and_the_client_arrives_at_the_head(
    seed: int, steps: list[tuple[str, float]]
) -> None:
    world = World(seed)
    for step, seconds in steps:
        match step:
            case "event":
                world.publish()
            case "epoch":
                world.new_epoch()
            case "restore" | "restore unheard":
                world.restore(is_heard=step == "restore")
            case "restart":
                world.restart()
            case "link":
                world.advance_link()
            case "break":
                world.break_link()
            case "get" | "stale":
                world.answer_get(stale=step == "stale")
            case _:
                world.fail_get()
        world.pass_time(seconds)
        assert world.core.due_s is not None, "nothing will ever happen again"
        stands_at = world.core.rooms.positions[ROOM]
        assert stands_at in {None, world.stood}, "it names a place at which it does not stand"
    # It comes back once more, and is given one old answer: a welcome alone leads to the head.
    world.break_link()
    while world.connection != "live":
        world.pass_time(4.0)
        world.advance_link()
    world.answer_get(stale=True)
    world.heal()
    world.arrived()
    world.publish()
    world.deliver(world.journal[-1:])
    world.heal()
    world.arrived()
