"""Each mechanism of the client that prevents a loss, and its twin without it, which loses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from laundryd.live.follow import Step
from laundryd.live.following import rooms as rooms_module
from laundryd.live.following.acks import Acks
from laundryd.live.following.actions import Action, Apply, Get, Send, Take
from laundryd.live.following.core import Core
from laundryd.live.following.link import Link
from laundryd.live.following.rooms import Rooms
from laundryd.wire import frames
from laundryd.wire.events import AckKind, PublicEvent
from laundryd.wire.ids import PagePosition
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import Lang
from tests.live.stage import AT, EPOCH, ROOM, make_event, make_notice

NOTICE = make_notice("done").id


def at(offset: int) -> PagePosition:
    return PagePosition(epoch=EPOCH, offset=offset)


@dataclass
class Page:
    """A client whose connection a test makes and breaks by hand; at most one thing happens a second."""

    core: Core = field(
        default_factory=lambda: Core({ROOM: at(5)}, lang=Lang.EN, random=lambda: 0.0)
    )
    now_s: float = 0.0
    done: list[Action] = field(default_factory=list)

    def do(self, actions: Iterable[Action]) -> None:
        self.done += actions

    def wait(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while (due_s := self.core.due_s) is not None and due_s <= until_s:
            self.now_s = due_s
            self.do(self.core.tick(due_s))
        self.now_s = until_s

    def connect(self, *, recovered: bool = True, head: int = 5, run: str | None = None) -> None:
        self.do(self.core.opened())
        resume = frames.RoomResume(
            epoch=EPOCH, offset=head, was_recovering=True, recovered=recovered, run=run
        )
        self.take(
            frames.Welcome(
                session_id="s1",
                heartbeat_s=30,
                batch_ms=100,
                backoff=frames.Backoff(first_s=1, factor=2, cap_s=30),
                clock=frames.RoomClock(at=AT, speed=1),
                rooms={ROOM: resume},
            )
        )

    def reconnect(self, *, recovered: bool = True, head: int = 5, run: str | None = None) -> None:
        self.do(self.core.closed(1006, self.now_s))
        self.wait(1)
        self.connect(recovered=recovered, head=head, run=run)

    def take(self, frame: frames.ServerFrame) -> None:
        self.do(self.core.take(frame, self.now_s))

    def batch(self, *events: PublicEvent) -> None:
        self.take(frames.Batch(events=list(events)))

    def got(self, offset: int, run: str | None = None) -> None:
        snapshot = RoomSnapshot(
            room=ROOM, name="Basement", position=at(offset), at=AT, machines=[], run=run
        )
        self.do(self.core.got(snapshot, self.now_s))

    @property
    def seen(self) -> list[object]:
        """What the page has of the room: ``room`` for the whole of it, an offset for an event."""
        shown: list[object] = []
        for action in self.done:
            if isinstance(action, Take) and not action.is_older:
                shown.append(("room", action.snapshot.position.offset))
            elif isinstance(action, Apply):
                shown.append(action.event.offset)
        return shown

    @property
    def gets(self) -> int:
        return sum(isinstance(action, Get) for action in self.done)

    def sent(self, kind: type[frames.ClientFrame]) -> int:
        return sum(isinstance(a, Send) and isinstance(a.frame, kind) for a in self.done)


@pytest.fixture
def page() -> Page:
    page = Page()
    page.do(page.core.start(0.0))
    page.connect()
    return page


def event_while_fetching(page: Page) -> None:
    page.reconnect(recovered=False, head=400)
    page.batch(make_event(401))
    page.got(400)


def test_an_event_that_comes_while_the_room_is_fetched_is_held(page: Page) -> None:
    event_while_fetching(page)
    assert page.seen == [("room", 400), 401]


def test_without_holding_it_is_lost(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms_module, "HELD_MAX", 0)
    event_while_fetching(page)
    assert page.seen == [("room", 400)]


def missing_event(page: Page) -> None:
    page.batch(make_event(6), make_event(8))
    page.wait(1)
    if not page.core.is_live:
        page.connect(head=8)
        page.batch(make_event(7), make_event(8))


def test_an_event_that_is_missing_is_noticed_and_resumed(page: Page) -> None:
    missing_event(page)
    assert page.seen == [6, 7, 8]


def test_without_looking_at_what_it_follows_it_is_lost_silently(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms_module, "step", lambda _position, _event: Step.APPLY)
    missing_event(page)
    assert page.seen == [6, 8]


def old_answer(page: Page) -> None:
    page.reconnect(recovered=False, head=400)
    page.got(399)
    page.wait(1)
    if page.gets == 2:
        page.got(400)


def test_an_answer_older_than_the_welcome_is_asked_for_again(page: Page) -> None:
    old_answer(page)
    assert page.core.rooms.positions[ROOM] == at(400)


def test_without_the_position_in_the_welcome_the_page_stays_behind(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = Rooms.fetch
    monkeypatch.setattr(Rooms, "fetch", lambda self, room, _at_least=None: fetch(self, room))
    old_answer(page)
    assert page.core.rooms.positions[ROOM] == at(399)


def restored_server(page: Page) -> None:
    """It is back at 3, and 4 and 5 are other events than those that the page had."""
    page.reconnect(recovered=False, head=3)
    page.got(3)
    page.batch(make_event(4), make_event(5))


def test_a_server_restored_from_a_backup_is_followed_from_where_it_stands(page: Page) -> None:
    restored_server(page)
    assert page.seen == [("room", 3), 4, 5]


def test_without_forgetting_its_own_position_what_a_restored_server_says_is_lost(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keeps(self: Rooms, frame: frames.Welcome) -> list[Action]:
        stood = dict(self.positions)
        actions = welcomed(self, frame)
        self.positions.update(stood)
        return actions

    welcomed = Rooms.welcomed
    monkeypatch.setattr(Rooms, "welcomed", keeps)
    restored_server(page)
    assert page.seen == []


def room_of_another_run(page: Page) -> None:
    """The server was restored and began anew while the page still had its old connection, with 13 held."""
    page.reconnect(recovered=False, head=12, run="r1")
    page.batch(make_event(13))
    page.got(12, run="r2")
    page.batch(make_event(14))


def test_what_came_before_a_server_began_anew_is_not_applied_to_its_room(page: Page) -> None:
    room_of_another_run(page)
    assert page.seen == [("room", 12)]
    assert not page.core.is_live, "it comes back, and goes on from there"


def test_without_comparing_the_runs_the_page_shows_what_is_no_more(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms_module, "_differ", lambda *_: False)
    room_of_another_run(page)
    assert page.seen == [("room", 12), 13, 14]


def broken_after_an_ack(page: Page) -> None:
    page.do(page.core.acknowledge(AckKind.SHOWN, [NOTICE]))
    page.reconnect()


def test_an_acknowledgement_that_may_be_lost_is_told_again(page: Page) -> None:
    broken_after_an_ack(page)
    assert page.sent(frames.Ack) == 2


def test_without_waiting_for_a_pong_it_is_lost(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Acks, "connected", lambda _self: None)
    broken_after_an_ack(page)
    assert page.sent(frames.Ack) == 1


def dead_connection(page: Page) -> None:
    page.wait(60)
    if not page.core.is_live:
        page.connect(head=6)
        page.batch(make_event(6))


def test_a_connection_that_died_without_a_word_is_left(page: Page) -> None:
    dead_connection(page)
    assert page.seen == [6]


def test_without_listening_for_its_heart_all_later_events_are_lost(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Link, "tick", lambda _self, _now_s: [])
    page.core._link.due_s = None
    dead_connection(page)
    assert page.seen == []
