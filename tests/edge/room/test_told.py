"""Everything that the edge tells residents: at its moment, to the right ones, once, restarts or not.

Each story ticks every half minute, so that what would be told twice is told twice here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from edge.room.decision import Accepted, Decision
from edge.room.journal import JournalHead, journalled
from edge.room.records import RECORD, RoomState
from edge.room.waits import WAITS
from laundryd.wire.notices import NOTICES, ActionId, Channel, Notice, NoticeKind, Origin
from laundryd.wire.phases import Cause, Sensor
from tests.edge.room.driver import PROGRAMMES, RoomDriver

ROOM = "maple-hall.basement"
Line = tuple[float, str, str]
"""Minute after noon, who, what."""


class Told(RoomDriver):
    """A room whose journal is read. ``restarts``: it is kept and read back before each step."""

    def __init__(self, *, restarts: bool) -> None:
        super().__init__()
        self.restarts = restarts
        self.minutes = 0.0
        self.notices: list[Notice] = []
        self.lines: list[Line] = []
        self.causes: set[tuple[NoticeKind, Cause]] = set()
        self._head = JournalHead("e")

    def until(self, minute: float) -> Told:
        """Let time pass to ``minute``, with a tick each half minute."""
        while self.minutes < minute:
            self.minutes += 0.5
            self.at(self.minutes)
            self._restart()
            self._read(self.tick(self.minutes))
        return self

    def does(self, step: Callable[[RoomDriver], Decision]) -> Told:
        """Take a step now; then nothing is due."""
        self._restart()
        self._read(step(self))
        self._read(self.tick(self.minutes))
        return self

    def says(self, who: str, name: str, machine: str = "w1", minutes: int | None = None) -> Told:
        """A resident says a word now."""
        return self.does(lambda room: room.say(who, name, machine, minutes))

    def _restart(self) -> None:
        if not self.restarts:
            return
        kept = [RECORD.dump_json(one) for one in self.state.machines.values()]
        waits = WAITS.validate_json(WAITS.dump_json(self.state.waits))
        back = RoomState.of(RECORD.validate_json(one) for one in kept)
        self.state = replace(back, waits=waits, programmes=PROGRAMMES)

    def _read(self, decision: Decision) -> None:
        assert isinstance(decision, Accepted), decision
        entries, self._head = journalled(decision, room=ROOM, head=self._head, at=self.now)
        for entry in entries:
            for notice in entry.notices:
                self.notices.append(notice)
                self.lines.append((self.minutes, notice.resident, notice.kind.value))
                if entry.event is not None:
                    self.causes.add((notice.kind, entry.event.cause))

    def offered(self) -> list[tuple[ActionId, ...]]:
        """Return the buttons of each notice so far."""
        return [one.card().offered for one in self.notices]


Story = Callable[[Told], list[Line]]
"""Plays itself and returns what should have been told."""


def wash_with_a_plug(room: Told) -> list[Line]:
    room.says("anna", "claim").until(9)
    room.says("anna", "arrive").until(12)
    room.does(lambda at: at.cycle_starts(11)).until(40)
    room.does(lambda at: at.end_expected(11, 45, is_soon=True)).until(46)
    room.does(lambda at: at.cycle_ends(11, 45)).until(120)
    room.says("ben", "request_pickup").says("anna", "coming").until(130)
    room.does(lambda at: at.staff("collected")).until(200)
    return [
        (8, "anna", "hold_ending"),
        (12, "anna", "started"),
        (40, "anna", "ending_soon"),
        (46, "anna", "done"),
        (61, "anna", "reminder"),
        (76, "anna", "reminder"),
        (91, "anna", "reminder"),
        (120, "anna", "pickup_requested"),
        (120, "ben", "owner_coming"),
        (130, "anna", "collected_for_you"),
    ]


def wash_by_minutes(room: Told) -> list[Line]:
    room.says("anna", "start", "bare", 30).until(31)
    room.says("anna", "extend", "bare", 10).until(42).says("anna", "collect", "bare").until(100)
    return [
        (0, "anna", "started"),
        (25, "anna", "ending_soon"),
        (30, "anna", "done"),
        (36, "anna", "ending_soon"),
        (41, "anna", "done"),
    ]


def wash_called_done_too_early_by_its_plug(room: Told) -> list[Line]:
    room.says("anna", "start").does(lambda at: at.cycle_starts(0)).until(40)
    room.does(lambda at: at.cycle_ends(0, 35)).until(45)
    room.does(lambda at: at.cycle_resumes(0, 35)).until(60)
    room.does(lambda at: at.cycle_ends(0, 59)).says("anna", "collect").until(100)
    return [
        (0, "anna", "started"),
        (40, "anna", "done"),
        (45, "anna", "resumed"),
        (60, "anna", "done"),
    ]


def wash_called_done_too_early_by_a_timer(room: Told) -> list[Line]:
    room.does(lambda at: at.hear(Sensor.SILENT)).says("anna", "start", minutes=30).until(35)
    room.does(lambda at: at.hear(Sensor.OK)).does(lambda at: at.cycle_starts(2)).until(50)
    room.does(lambda at: at.cycle_ends(2, 49)).says("anna", "collect").until(100)
    return [
        (0, "anna", "started"),
        (25, "anna", "ending_soon"),
        (30, "anna", "done"),
        (35, "anna", "resumed"),
        (50, "anna", "done"),
    ]


def wash_that_never_started(room: Told) -> list[Line]:
    room.says("anna", "start", minutes=40).until(60)
    return [(0, "anna", "started"), (5, "anna", "not_started")]


def hold_that_ran_out(room: Told) -> list[Line]:
    room.says("anna", "claim").until(60)
    return [(8, "anna", "hold_ending"), (10, "anna", "hold_ended")]


def hold_after_arriving(room: Told) -> list[Line]:
    # Who stands before it is not hurried; that it is over they hear.
    room.says("anna", "claim").until(7).says("anna", "arrive").until(60)
    return [(15, "anna", "hold_ended")]


def hold_given_back(room: Told) -> list[Line]:
    room.says("anna", "claim").until(7).says("anna", "release").until(60)
    return []


def hold_of_a_machine_that_was_started_in_time(room: Told) -> list[Line]:
    room.says("anna", "claim", "bare").until(7).says("anna", "start", "bare").until(60)
    return [(7, "anna", "started")]


def hold_of_a_machine_that_somebody_started(room: Told) -> list[Line]:
    room.says("anna", "claim").until(7).does(lambda at: at.cycle_starts(6)).until(40)
    room.does(lambda at: at.cycle_ends(6, 40)).until(100)
    return [(7, "anna", "started_by_other")]


def hold_of_a_machine_that_failed(room: Told) -> list[Line]:
    room.says("anna", "claim").until(7).does(lambda at: at.staff("out_of_order")).until(100)
    room.does(lambda at: at.staff("repaired")).until(110)
    return [(7, "anna", "out_of_order"), (100, "anna", "repaired")]


def waiting_in_line(room: Told) -> list[Line]:
    for who, machine in (("dan", "w1"), ("eve", "w2"), ("fay", "bare")):
        room.says(who, "start", machine)
    room.does(lambda at: at.cycle_starts(0, "w1")).does(lambda at: at.cycle_starts(0, "w2"))
    room.says("anna", "watch").says("ben", "watch").until(4)
    room.says("fay", "release", "bare").until(20)
    return [
        (0, "dan", "started"),
        (0, "eve", "started"),
        (0, "fay", "started"),
        (4, "anna", "machine_free"),
        (7, "ben", "machine_free"),
    ]


def adopted_after_a_start_by_hand(room: Told) -> list[Line]:
    # The use began before, and who adopts it has just said so.
    room.does(lambda at: at.cycle_starts(0)).says("anna", "adopt").until(30)
    room.does(lambda at: at.cycle_ends(0, 30)).says("anna", "collect").until(60)
    return [(30, "anna", "done")]


STORIES: tuple[Story, ...] = (
    wash_with_a_plug,
    wash_by_minutes,
    wash_called_done_too_early_by_its_plug,
    wash_called_done_too_early_by_a_timer,
    wash_that_never_started,
    hold_that_ran_out,
    hold_after_arriving,
    hold_given_back,
    hold_of_a_machine_that_was_started_in_time,
    hold_of_a_machine_that_somebody_started,
    hold_of_a_machine_that_failed,
    waiting_in_line,
    adopted_after_a_start_by_hand,
)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("story", STORIES)
def test_each_is_told_what_concerns_them_once(story: Story, *, restarts: bool) -> None:
    room = Told(restarts=restarts)
    expected = story(room)
    assert room.lines == expected
    assert len({notice.id for notice in room.notices}) == len(expected)


def test_the_stories_tell_everything_that_an_edge_derives() -> None:
    told: set[NoticeKind] = set()
    for story in STORIES:
        room = Told(restarts=False)
        story(room)
        told |= {notice.kind for notice in room.notices}
    assert told == {kind for kind, row in NOTICES.items() if row.origin is Origin.EDGE}
    assert NOTICES[NoticeKind.STARTED].channel is Channel.APP


def test_a_notice_offers_what_the_machine_allows() -> None:
    with_plug, by_minutes = Told(restarts=False), Told(restarts=False)
    with_plug.says("anna", "start").does(lambda at: at.cycle_starts(0)).until(30)
    with_plug.does(lambda at: at.cycle_ends(0, 30))
    by_minutes.says("anna", "start", "bare", 30).until(30)
    # Its plug saw the end: nothing is left to be extended.
    assert with_plug.offered() == [(), (ActionId.COLLECT,)]
    assert by_minutes.offered() == [
        (),
        (ActionId.EXTEND,),
        (ActionId.COLLECT, ActionId.EXTEND),
    ]


def test_what_is_repaired_and_runs_already_is_not_offered() -> None:
    room = Told(restarts=False)
    room.says("anna", "start").does(lambda at: at.staff("out_of_order"))
    room.does(lambda at: at.cycle_starts(0)).until(5)
    room.does(lambda at: at.staff("repaired"))
    assert room.notices[-1].kind is NoticeKind.REPAIRED
    assert room.offered()[-1] == ()


def test_a_hold_that_ends_while_the_edge_is_away_is_told_as_over_not_as_ending() -> None:
    room = Told(restarts=True)
    room.says("anna", "claim").minutes = 29.5
    room.until(30)
    assert room.lines == [(30, "anna", "hold_ended")]


def test_a_hold_of_which_less_is_left_says_how_much() -> None:
    room = Told(restarts=True)
    room.says("anna", "claim").minutes = 8.5
    room.until(9)
    (notice,) = room.notices
    assert notice.params == {"name": "W1", "minutes": 1}
    assert notice.useful_until == room.minute(10), "until the hold ends"
    assert notice.card().offered == (ActionId.ARRIVE, ActionId.START)


def test_nothing_makes_moot_what_it_tells() -> None:
    for story in STORIES:
        room = Told(restarts=False)
        story(room)
        for kind, cause in room.causes:
            assert cause not in NOTICES[kind].moot_after, kind
