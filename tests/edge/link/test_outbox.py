from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.link.outbox import RESEND_S, Do, Outbox
from laundryd.wire.ids import Position
from laundryd.wire.uplink import DownAck, DownHello
from tests.edge.link.relay_model import World

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)

LINK = ("append", "append", "up", "up", "down", "down", "up_twice", "down_twice", "lose", "wait")
BREAKS = (*LINK, "connect", "disconnect", "restart_edge")


def steps(names: tuple[str, ...]) -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(st.tuples(st.sampled_from(names), st.integers(0, 30)), max_size=60)


def play(world: World, script: list[tuple[str, int]]) -> None:
    moves: dict[str, Callable[[int], None]] = {
        "append": lambda _: world.append(),
        "up": world.deliver_up,
        "down": world.deliver_down,
        "up_twice": lambda number: world.deliver_up(number, twice=True),
        "down_twice": lambda number: world.deliver_down(number, twice=True),
        "lose": world.lose,
        "wait": lambda number: world.pass_time(number / 4),
        "connect": lambda _: world.connect(),
        "disconnect": lambda _: world.disconnect(),
        "restart_edge": lambda _: world.restart_edge(),
    }
    for name, number in script:
        moves[name](number)


@settings(max_examples=400, deadline=None)
@given(steps(LINK))
def test_every_entry_takes_effect_once_and_in_order_over_any_link(
    script: list[tuple[str, int]],
) -> None:
    world = World()
    world.connect()
    play(world, script)
    world.heal()
    world.assert_everything_took_effect_once()


@settings(max_examples=400, deadline=None)
@given(steps(BREAKS))
def test_every_entry_takes_effect_once_through_lost_connections_and_restarts(
    script: list[tuple[str, int]],
) -> None:
    world = World()
    play(world, script)
    world.heal()
    world.assert_everything_took_effect_once()


@settings(max_examples=200, deadline=None)
@example(
    before=[], after=[("connect", 0), ("up", 0), ("down", 0), ("up", 0)], is_empty=False
)  # its last word was about what it no longer has
@given(before=steps(BREAKS), after=steps(BREAKS), is_empty=st.booleans())
def test_a_relay_that_lost_its_memory_gets_what_the_edge_still_has(
    *, before: list[tuple[str, int]], after: list[tuple[str, int]], is_empty: bool
) -> None:
    world = World()
    play(world, before)
    old = world.relay.copy()
    play(world, after)
    world.up.clear()
    # Restored from a backup, or begun anew: less than it has acknowledged.
    world.relay.serials, world.relay.kept = ([], None) if is_empty else (old.serials, old.kept)
    world.relay.past = set() if is_empty else old.past
    # An edge with nothing to say does not notice; its next word, or connection, shows it.
    world.append()
    world.heal()
    serials = world.relay.serials
    assert serials == sorted(set(serials))
    kept_at_the_edge = [
        n
        for n in world.happened
        if n not in world.forgotten
        and n > len(world.happened) - world.journal.head + world.journal.acked
    ]
    assert set(kept_at_the_edge) <= set(serials)


@settings(max_examples=200, deadline=None)
@given(steps(BREAKS), steps(BREAKS), steps(BREAKS))
def test_an_edge_restored_from_a_backup_begins_a_new_epoch_when_the_relay_has_more(
    before: list[tuple[str, int]], between: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    world = World()
    play(world, before)
    backup = world.journal.copy()
    play(world, between)
    world.heal()
    kept = world.relay.kept
    assert kept is not None
    is_ahead = kept != backup.position
    epoch = backup.epoch
    world.journal = backup
    world.restart_edge()
    world.up.clear()
    world.heal()
    assert (world.journal.epoch != epoch) == is_ahead
    first = len(world.happened)
    play(world, after)
    world.heal()
    new = [n for n in world.happened[first:] if n not in world.forgotten]
    assert world.relay.serials[-len(new) :] == new or not new


# -- one step at a time


def hello(acked: int | None, epoch: str = "e1") -> DownHello:
    return DownHello(version="1", epoch=epoch, acked=acked, echo_sent_at=AT, relay_at=AT)


def outbox(head: int = 3, acked: int = 0) -> Outbox:
    box = Outbox(Position(epoch="e1", offset=head), acked)
    box.connected()
    return box


def test_the_first_word_is_hello_and_it_is_repeated_until_answered() -> None:
    box = outbox()
    assert box.next(0) is Do.HELLO
    box.sent(0)
    assert box.next(RESEND_S - 0.1) is Do.WAIT
    assert box.due_s == RESEND_S
    assert box.next(RESEND_S) is Do.HELLO


def test_an_unknown_epoch_gets_a_snapshot_first() -> None:
    box = outbox()
    box.greeted(hello(None))
    assert box.next(0) is Do.SNAPSHOT
    assert box.snapshot_reason == "new_epoch"
    box.snapshot_sent(Position(epoch="e1", offset=0), 0)
    assert box.next(1) is Do.WAIT
    box.acknowledged(DownAck(epoch="e1", offset=0))
    assert box.next(1) is Do.EVENTS


def test_an_answer_that_is_overdue_is_asked_for_by_a_hello() -> None:
    # The relay may have begun anew since it greeted us.
    box = outbox()
    box.greeted(hello(None))
    box.snapshot_sent(Position(epoch="e1", offset=0), 0)
    assert box.next(RESEND_S) is Do.HELLO
    box.sent(RESEND_S)
    box.greeted(hello(None))
    assert box.next(RESEND_S) is Do.SNAPSHOT


def test_a_relay_that_is_ahead_makes_a_new_epoch() -> None:
    box = outbox(head=3)
    box.greeted(hello(4))
    assert box.next(0) is Do.NEW_EPOCH
    box.appended(Position(epoch="e2", offset=0))
    assert box.next(0) is Do.HELLO
    assert box.acked == 0


def test_an_acknowledgement_beyond_our_head_makes_a_new_epoch() -> None:
    box = outbox(head=3)
    assert not box.acknowledged(DownAck(epoch="e1", offset=4))
    assert box.next(0) is Do.NEW_EPOCH


@pytest.mark.parametrize("answer", [hello(2, "e0"), DownAck(epoch="e0", offset=2)])
def test_words_about_another_epoch_are_old_ones(answer: DownHello | DownAck) -> None:
    box = outbox()
    if isinstance(answer, DownHello):
        box.greeted(answer)
    else:
        assert not box.acknowledged(answer)
    assert box.next(0) is Do.HELLO
    assert box.acked == 0


def test_caught_up_is_said_again_until_it_is_answered() -> None:
    box = outbox(head=3)
    box.greeted(hello(3))
    assert box.next(0) is Do.EVENTS
    box.sent(0, caught_up=True)
    assert box.next(1) is Do.WAIT
    assert box.next(RESEND_S) is Do.HELLO
    box.greeted(hello(3))
    assert box.next(RESEND_S) is Do.EVENTS
    box.sent(RESEND_S, caught_up=True)
    box.acknowledged(DownAck(epoch="e1", offset=3))
    assert box.next(2 * RESEND_S) is Do.WAIT
    assert box.due_s is None
    box.connected()
    box.greeted(hello(3))
    assert box.next(0) is Do.EVENTS, "once a connection"


def test_send_from_goes_back() -> None:
    box = outbox(head=9, acked=8)
    box.greeted(hello(8))
    assert box.acknowledged(DownAck(epoch="e1", offset=4, send_from=5))
    assert box.acked == 4


def test_a_late_duplicate_does_not_go_back() -> None:
    box = outbox(head=9, acked=8)
    box.greeted(hello(8))
    assert not box.acknowledged(DownAck(epoch="e1", offset=4))
    assert box.acked == 8


def test_a_lost_entry_makes_a_snapshot_and_a_known_reason_stays() -> None:
    box = outbox()
    box.greeted(hello(1))
    box.lost()
    assert box.snapshot_due
    assert (box.next(0), box.snapshot_reason) == (Do.SNAPSHOT, "overflow")
    box.acknowledged(DownAck(epoch="e1", offset=0, snapshot=True))
    assert box.snapshot_reason == "asked"
    box.lost()
    assert box.snapshot_reason == "asked"


def test_a_hello_said_anew_brings_caught_up_anew_because_the_relay_holds_back_until_then() -> None:
    box = outbox(head=3)
    box.greeted(hello(3))
    box.sent(0, caught_up=True)
    box.acknowledged(DownAck(epoch="e1", offset=3))
    box.appended(Position(epoch="e1", offset=4))
    box.sent(0, caught_up=True)  # the relay kept it, but its answer is lost
    assert box.next(RESEND_S) is Do.HELLO
    box.sent(RESEND_S)
    box.greeted(hello(4))
    assert box.next(RESEND_S) is Do.EVENTS
