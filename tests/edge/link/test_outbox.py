from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.link.outbox import RESEND_S, Do, Outbox
from laundryd.wire.ids import Position
from laundryd.wire.uplink import HELLO_EVERY_S, DownAck, DownHello
from tests.edge.link.relay_model import Relay, Without, World, serial

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)

LINK = ("append", "append", "up", "up", "down", "down", "up_twice", "down_twice", "lose", "wait")
BREAKS = (*LINK, "connect", "disconnect", "restart_edge", "restart_relay", "to_memory")


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
        "restart_relay": lambda _: world.restart_relay(),
        "to_memory": lambda _: world.begin_epoch(),
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
def test_a_relay_that_lost_its_memory_gets_what_the_edge_still_has_though_nothing_happens(
    *, before: list[tuple[str, int]], after: list[tuple[str, int]], is_empty: bool
) -> None:
    world = World()
    play(world, before)
    old = world.relay.copy()
    play(world, after)
    world.heal()
    backup = Relay() if is_empty else old
    world.restore_relay(backup)
    world.pass_time(HELLO_EVERY_S)
    world.heal()  # to where the edge is
    if backup.kept is not None and backup.kept.epoch == world.journal.epoch:
        # In another epoch a snapshot stands for what had been acknowledged.
        here = {offset: serial(entry) for offset, entry in world.journal.entries.items()}
        missed = {number for offset, number in here.items() if offset > backup.kept.offset}
        assert missed - world.forgotten <= set(world.relay.serials)
    assert len(world.relay.serials) == len(set(world.relay.serials))


@settings(max_examples=400, deadline=None)
@given(steps(BREAKS), steps(BREAKS), steps(BREAKS), steps(BREAKS))
def test_an_edge_restored_from_a_backup_loses_nothing_new_whatever_the_relay_has_heard(
    before: list[tuple[str, int]],
    between: list[tuple[str, int]],
    offline: list[tuple[str, int]],
    after: list[tuple[str, int]],
) -> None:
    world = World()
    play(world, before)
    backup = world.journal.copy()
    play(world, between)
    world.restore_edge(backup)
    first = len(world.happened)
    # It may run ahead of what the relay keeps before its first hello is answered.
    for name, _ in offline:
        if name == "append":
            world.append()
    play(world, after)
    world.heal()
    new = {n for n in world.happened[first:] if n not in world.forgotten}
    assert new <= set(world.relay.serials)


# -- without the mechanism: what it prevents


def restored_ahead(world: World) -> None:
    """Two entries reach the relay; the edge is restored to before them and outruns it."""
    world.connect()
    world.heal()
    backup = world.journal.copy()
    world.append()
    world.append()
    world.heal()
    world.restore_edge(backup)
    for _ in range(3):
        world.append()
    world.heal()


def test_without_runs_a_restored_edge_loses_what_has_the_numbers_of_others() -> None:
    world = World()
    restored_ahead(world)
    assert {3, 4, 5} <= set(world.relay.serials)
    twin = World(Without(runs=True))
    restored_ahead(twin)
    assert twin.relay.kept == twin.journal.position, "it believes that all is well"
    assert {3, 4} & set(twin.relay.serials) == set()


def doubled_acknowledgement(world: World) -> None:
    """The relay connects anew and holds back; "caught up" is lost, and an old answer comes twice."""
    world.connect()
    world.heal()
    world.append()
    world.deliver_up(0)
    world.deliver_down(0, twice=True)
    stale = list(world.down)
    world.down.clear()
    world.connect()
    world.deliver_up(0)
    world.deliver_down(0)
    world.lose(1)  # "caught up" on its way
    world.down += stale
    while world.down:
        world.deliver_down(0)
    world.pass_time(RESEND_S)
    for _ in range(3):
        world.deliver_up(0)
        world.deliver_down(0)


def test_without_words_a_doubled_acknowledgement_passes_for_the_answer_to_caught_up() -> None:
    world = World()
    doubled_acknowledgement(world)
    assert world.relay.caught_up
    twin = World(Without(words=True))
    doubled_acknowledgement(twin)
    assert not twin.relay.caught_up
    assert not twin.up, "and it never says it again"


def idle_while_the_relay_is_restored(world: World) -> None:
    world.connect()
    world.heal()
    old = world.relay.copy()
    world.append()
    world.heal()
    world.restore_relay(old)
    world.pass_time(HELLO_EVERY_S)
    for _ in range(4):
        world.deliver_up(0)
        world.deliver_down(0)


def test_without_a_sign_of_life_an_idle_edge_never_learns_that_the_relay_was_restored() -> None:
    world = World()
    idle_while_the_relay_is_restored(world)
    assert world.relay.serials == [1]
    twin = World(Without(renewals=True))
    idle_while_the_relay_is_restored(twin)
    assert twin.relay.serials == []


def off_the_disk_and_back(world: World) -> None:
    world.append()
    world.begin_epoch()
    world.append()
    world.begin_epoch()
    world.heal()


def test_without_carrying_a_new_epoch_forgets_what_the_relay_was_not_told() -> None:
    world = World()
    off_the_disk_and_back(world)
    assert world.relay.serials == [1, 2]
    twin = World(Without(carrying=True))
    off_the_disk_and_back(twin)
    assert twin.relay.serials == []


# -- one step at a time


def hello(
    word: str, acked: int | None, epoch: str = "e1", run: str | None = None, *, held: bool = False
) -> DownHello:
    return DownHello(
        version="1",
        epoch=epoch,
        acked=acked,
        echo_sent_at=AT,
        relay_at=AT,
        word=word,
        run=run,
        held=held,
    )


def outbox(head: int = 3, acked: int = 0) -> Outbox:
    box = Outbox(Position(epoch="e1", offset=head), acked)
    box.connected()
    return box


def greet(box: Outbox, acked: int | None, now_s: float = 0) -> None:
    assert box.next(now_s) is Do.HELLO
    assert box.greeted(hello(box.hello_sent(now_s), acked))


def test_the_first_word_is_hello_and_it_is_repeated_until_answered() -> None:
    box = outbox()
    assert box.next(0) is Do.HELLO
    box.hello_sent(0)
    assert box.next(RESEND_S - 0.1) is Do.WAIT
    assert box.due_s == RESEND_S
    assert box.next(RESEND_S) is Do.HELLO


def test_an_unknown_epoch_gets_a_snapshot_first() -> None:
    box = outbox()
    greet(box, None)
    assert box.next(0) is Do.SNAPSHOT
    assert box.snapshot_reason == "new_epoch"
    word = box.snapshot_sent(0)
    assert box.next(1) is Do.WAIT
    box.acknowledged(DownAck(epoch="e1", offset=0, word=word))
    assert box.next(1) is Do.EVENTS


def test_an_answer_that_is_overdue_is_asked_for_by_a_hello() -> None:
    # The relay may have begun anew since it greeted us.
    box = outbox()
    greet(box, None)
    box.snapshot_sent(0)
    greet(box, None, RESEND_S)
    assert box.next(RESEND_S) is Do.SNAPSHOT


def test_a_relay_that_is_ahead_makes_a_new_epoch() -> None:
    box = outbox(head=3)
    greet(box, 4)
    assert box.next(0) is Do.NEW_EPOCH
    box.appended(Position(epoch="e2", offset=0))
    assert box.next(0) is Do.HELLO
    assert box.acked == 0


def test_a_relay_that_keeps_another_entry_under_our_number_makes_a_new_epoch() -> None:
    box = outbox(head=3)
    assert box.next(0) is Do.HELLO
    assert box.greeted(hello(box.hello_sent(0), 2), same_past=False)
    assert box.acked == 0, "what it keeps is not ours"
    assert box.next(0) is Do.NEW_EPOCH


def test_an_acknowledgement_beyond_our_head_makes_a_new_epoch() -> None:
    box = outbox(head=3)
    greet(box, 0)
    assert not box.acknowledged(DownAck(epoch="e1", offset=4, word=box.sent(0)))
    assert box.next(0) is Do.NEW_EPOCH


def test_before_the_greeting_no_acknowledgement_counts() -> None:
    box = outbox(head=3)
    assert not box.acknowledged(DownAck(epoch="e1", offset=3, word="old"))
    assert box.acked == 0


def test_words_about_another_epoch_and_answers_of_another_connection_are_old_ones() -> None:
    box = outbox()
    former = box.hello_sent(0)
    box.connected()
    assert not box.greeted(hello(former, 2))
    word = box.hello_sent(RESEND_S)
    assert not box.greeted(hello(word, 2, "e0"))
    assert box.greeted(hello(word, 2))
    assert not box.greeted(hello(word, 1)), "its double says nothing"
    assert box.acked == 2


def test_the_answer_to_any_hello_of_the_connection_counts_but_not_after_a_newer_one() -> None:
    box = outbox()
    first, second, third = (box.hello_sent(at_s) for at_s in (0, 5, 15))
    assert box.greeted(hello(second, 1))
    assert box.hello == first, "it names the connection"
    assert not box.greeted(hello(first, 0)), "it was written before"
    assert box.greeted(hello(third, 2))
    assert box.acked == 2


def test_an_acknowledgement_that_comes_after_the_question_counts() -> None:
    box = outbox(head=9)
    greet(box, 3)
    word = box.sent(0)
    assert box.next(RESEND_S) is Do.HELLO
    question = box.hello_sent(RESEND_S)
    assert box.acknowledged(DownAck(epoch="e1", offset=7, word=word))
    assert (box.next(RESEND_S), box.acked) == (Do.EVENTS, 7), "it goes on at once"
    box.sent(RESEND_S)
    assert box.greeted(hello(question, 7))
    assert box.next(RESEND_S) is Do.WAIT, "the answer to the newest batch is still awaited"


def test_caught_up_is_said_again_until_it_is_answered() -> None:
    box = outbox(head=3)
    greet(box, 3)
    assert box.next(0) is Do.EVENTS
    box.sent(0, caught_up=True)
    assert box.next(1) is Do.WAIT
    greet(box, 3, RESEND_S)
    assert box.next(RESEND_S) is Do.EVENTS
    word = box.sent(RESEND_S, caught_up=True)
    box.acknowledged(DownAck(epoch="e1", offset=3, word="another"))
    assert box.next(RESEND_S) is Do.WAIT
    assert box.due_s == 2 * RESEND_S, "it still waits for the answer"
    box.acknowledged(DownAck(epoch="e1", offset=3, word=word))
    assert box.next(RESEND_S + 1) is Do.WAIT
    assert box.due_s == RESEND_S + HELLO_EVERY_S
    box.connected()
    greet(box, 3, RESEND_S + 1)
    assert box.next(RESEND_S + 1) is Do.EVENTS, "once a connection"


def test_all_said_it_gives_a_sign_of_life_and_takes_what_the_answer_says() -> None:
    box = outbox(head=3)
    greet(box, 3)
    box.acknowledged(DownAck(epoch="e1", offset=3, word=box.sent(0, caught_up=True)))
    first = box.hello
    assert box.next(HELLO_EVERY_S - 1) is Do.WAIT
    assert box.next(HELLO_EVERY_S) is Do.RENEW
    assert box.greeted(hello(box.hello_sent(HELLO_EVERY_S), 3))
    assert box.next(HELLO_EVERY_S) is Do.WAIT, "nothing is said anew"
    assert box.hello == first, "it is the same connection"
    assert box.next(2 * HELLO_EVERY_S) is Do.RENEW
    assert box.greeted(hello(box.hello_sent(2 * HELLO_EVERY_S), 1))
    assert box.next(2 * HELLO_EVERY_S) is Do.EVENTS
    assert box.acked == 1


def test_a_relay_that_connects_is_said_hello_to_at_once() -> None:
    box = outbox(head=3)
    greet(box, 3)
    box.sent(0)
    assert not box.acknowledged(DownAck(epoch="e0", offset=1, send_from=2))
    assert box.next(0) is Do.HELLO


def test_send_from_goes_back_when_it_answers_our_newest_message() -> None:
    box = outbox(head=9, acked=8)
    greet(box, 8)
    assert box.acknowledged(DownAck(epoch="e1", offset=4, send_from=5, word=box.sent(0)))
    assert box.acked == 4


def test_a_late_duplicate_does_not_go_back() -> None:
    box = outbox(head=9, acked=8)
    greet(box, 8)
    assert not box.acknowledged(DownAck(epoch="e1", offset=4, send_from=5, word="old"))
    assert box.acked == 8


def test_a_snapshot_that_was_too_old_is_sent_again_from_where_the_relay_stands() -> None:
    box = outbox(head=9, acked=4)
    greet(box, 4)
    box.lost()
    assert box.acknowledged(DownAck(epoch="e1", offset=6, snapshot=True, word=box.snapshot_sent(0)))
    assert (box.next(0), box.acked) == (Do.SNAPSHOT, 6)


def test_a_lost_entry_makes_a_snapshot_and_a_known_reason_stays() -> None:
    box = outbox()
    greet(box, 1)
    box.lost()
    assert box.snapshot_due
    assert (box.next(0), box.snapshot_reason) == (Do.SNAPSHOT, "overflow")
    box.acknowledged(DownAck(epoch="e1", offset=0, snapshot=True, word=box.sent(0)))
    assert box.snapshot_reason == "asked"
    box.lost()
    assert box.snapshot_reason == "asked"


def test_a_relay_that_holds_back_anew_is_told_caught_up_anew() -> None:
    box = outbox(head=3)
    greet(box, 3)
    box.acknowledged(DownAck(epoch="e1", offset=3, word=box.sent(0, caught_up=True)))
    box.appended(Position(epoch="e1", offset=4))
    box.sent(0, caught_up=True)  # the relay kept it, but its answer is lost
    assert box.next(RESEND_S) is Do.HELLO
    question = box.hello_sent(RESEND_S)
    assert box.greeted(hello(question, 4, held=True)), "it had a restart in between"
    assert box.next(RESEND_S) is Do.EVENTS
    box.acknowledged(DownAck(epoch="e1", offset=4, word=box.sent(RESEND_S, caught_up=True)))
    assert box.next(RESEND_S) is Do.WAIT
    assert box.next(RESEND_S + HELLO_EVERY_S) is Do.RENEW
    assert box.greeted(hello(box.hello_sent(RESEND_S + HELLO_EVERY_S), 4))
    assert box.next(RESEND_S + HELLO_EVERY_S) is Do.WAIT, "it holds nothing back"
