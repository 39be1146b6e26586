"""The outbox over a link whose answers take long: up to 50 s there and back, in simulated time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import chain, count, repeat
from math import ceil
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.link.outbox import RESEND_CAP_S, RESEND_S, Do, Outbox
from laundryd.wire.ids import Position
from laundryd.wire.uplink import HELLO_EVERY_S, DownAck, DownHello
from tests.edge.link.relay_model import AT, BATCH, Down, Hello, Relay, Up, Without, World

Fate = Literal["arrives", "lost", "twice"]
FATES: list[Fate] = ["arrives", "arrives", "lost", "twice"]

AS_IT_IS = Without()


class SlowLink:
    """A world whose messages take ``round_trip_s`` there and back. ``fates``: of each message in turn."""

    def __init__(
        self, round_trip_s: float, fates: Iterable[Fate] = (), without: Without = AS_IT_IS
    ) -> None:
        self.world = World(without)
        self.lost = 0
        self._way_s = round_trip_s / 2
        self._fates: Iterator[Fate] = chain(fates, repeat("arrives"))
        self._under_way: list[tuple[float, int, bool, Up | Down]] = []
        self._nth = count()
        self.hellos = 0

    def append(self, entries: int) -> None:
        for _ in range(entries):
            self.world.append()
        self._leave()

    def connect(self) -> None:
        self.world.connect()
        self._leave()

    def run_until_s(self, until_s: float, *, stop_at_rest: bool = True) -> float:
        """Let time pass; return when all was at rest, or ``until_s``."""
        world = self.world
        while not (stop_at_rest and self._rests()):
            due_s = world.outbox.due_s
            assert due_s is not None
            next_s = min(due_s, self._under_way[0][0] if self._under_way else due_s)
            if next_s > until_s:
                world.now_s = until_s
                return until_s
            world.now_s = next_s
            if self._under_way and self._under_way[0][0] <= next_s:
                self._arrive()
            else:
                world.work()
            self._leave()
            kept = world.relay.kept
            assert world.outbox.acked <= (kept.offset if kept else 0)
        return world.now_s

    def _rests(self) -> bool:
        world = self.world
        return (
            world.relay.kept == world.journal.position
            and world.relay.caught_up
            and world.outbox.acked == world.journal.head
            and world.outbox.next(world.now_s) is Do.WAIT
            and not self._under_way
        )

    def _leave(self) -> None:
        world = self.world
        self.hellos += sum(isinstance(one, Hello) for one in world.up)
        ups: list[tuple[bool, Up | Down]] = [(True, one) for one in world.up]
        downs: list[tuple[bool, Up | Down]] = [(False, one) for one in world.down]
        world.up, world.down = [], []
        for is_up, message in ups + downs:
            fate = next(self._fates)
            self.lost += fate == "lost"
            for _ in range({"arrives": 1, "lost": 0, "twice": 2}[fate]):
                at_s = world.now_s + self._way_s
                heapq.heappush(self._under_way, (at_s, next(self._nth), is_up, message))

    def _arrive(self) -> None:
        _, _, is_up, message = heapq.heappop(self._under_way)
        if isinstance(message, DownAck | DownHello):
            self.world.down = [message]
            self.world.deliver_down(0)
        else:
            assert is_up
            self.world.up = [message]
            self.world.deliver_up(0)


def exchanges(entries: int) -> int:
    """Hello, snapshot, batches, and at most one more "caught up"."""
    return 3 + ceil(entries / BATCH)


@settings(max_examples=400, deadline=None)
@example(round_trip_s=50, entries=12, fates=[])
@example(round_trip_s=RESEND_S, entries=12, fates=[])
@given(
    round_trip_s=st.floats(0.1, 50),
    entries=st.integers(0, 12),
    fates=st.lists(st.sampled_from(FATES), max_size=40),
)
def test_everything_drains_in_bounded_time_over_any_constant_round_trip(
    round_trip_s: float, entries: int, fates: list[Fate]
) -> None:
    link = SlowLink(round_trip_s, fates)
    link.append(entries)
    link.connect()
    link.run_until_s(24 * 3_600)
    # What got lost costs the wait for the next question, and a round trip; nothing else costs more than
    # a round trip. In the end answers to the last questions may still be under way.
    bound_s = (exchanges(entries) + 1) * round_trip_s
    bound_s += link.lost * (RESEND_CAP_S + 2 * round_trip_s)
    assert link.world.now_s <= bound_s
    link.world.assert_everything_took_effect_once()
    assert not link.world.forgotten


@settings(max_examples=100, deadline=None)
@given(
    round_trip_s=st.floats(0.1, 50),
    fates=st.lists(st.sampled_from(FATES), max_size=40),
    pauses_s=st.lists(st.floats(0, 100), min_size=1, max_size=6),
)
def test_what_happens_meanwhile_drains_too(
    round_trip_s: float, fates: list[Fate], pauses_s: list[float]
) -> None:
    link = SlowLink(round_trip_s, fates)
    link.connect()
    for pause_s in pauses_s:
        link.append(2)
        link.run_until_s(link.world.now_s + pause_s, stop_at_rest=False)
    begun_s = link.world.now_s
    end_s = link.run_until_s(begun_s + 24 * 3_600)
    bound_s = (exchanges(2 * len(pauses_s)) + 2) * round_trip_s
    bound_s += link.lost * (RESEND_CAP_S + 2 * round_trip_s) + HELLO_EVERY_S
    assert end_s - begun_s <= bound_s
    link.world.assert_everything_took_effect_once()


@pytest.mark.parametrize("round_trip_s", [7.0, 12.0, 50.0])
def test_without_late_answers_a_slow_link_starves_the_uplink(round_trip_s: float) -> None:
    link = SlowLink(round_trip_s)
    link.append(12)
    link.connect()
    assert link.run_until_s(3_600) <= (exchanges(12) + 1) * round_trip_s + RESEND_CAP_S
    assert link.world.relay.serials == list(range(1, 13))
    twin = SlowLink(round_trip_s, without=Without(late_answers=True))
    twin.append(12)
    twin.connect()
    twin.run_until_s(3_600)
    assert twin.world.relay.serials == []


def test_a_relay_that_is_away_is_asked_more_and_more_seldom() -> None:
    box = Outbox(Position(epoch="e1", offset=3), 3)
    box.connected()
    asked_s: list[float] = []
    now_s = 0.0
    for _ in range(8):
        assert box.next(now_s) is Do.HELLO
        word = box.hello_sent(now_s)
        asked_s.append(now_s)
        assert box.due_s is not None
        now_s = box.due_s
        assert box.next(now_s - 0.1) is Do.WAIT
    assert asked_s == [0, 5, 15, 35, 75, 135, 195, 255]
    answer = DownHello(version="1", epoch="e1", acked=2, echo_sent_at=AT, relay_at=AT, word=word)
    assert box.greeted(answer)
    box.sent(now_s)
    assert box.due_s == now_s + RESEND_S, "an answer begins the waits anew"


def test_a_relay_that_comes_back_is_greeted_at_once_however_long_it_was_away() -> None:
    link = SlowLink(0.2, ["lost"] * 12)
    link.append(3)
    link.connect()
    link.run_until_s(500)
    link.world.down += Relay().nudge()
    link._leave()
    assert link.run_until_s(600) < 502


def test_a_slow_link_is_not_flooded_with_questions() -> None:
    link = SlowLink(50)
    link.append(12)
    link.connect()
    link.run_until_s(3_600)
    assert link.hellos <= 4 * exchanges(12), "at 0, 5, 15, 35 s of each exchange"
