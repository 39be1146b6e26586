"""A clock that is set, a computer that reboots: no deadline early, none lost, whatever comes in a row."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from laundryd.daemon.steady import (
    ANCHOR,
    RELEASED_S,
    SET_S,
    Anchor,
    Judged,
    Sight,
    first,
    judge,
    judge_relay,
)

NOW_S = RELEASED_S + 50_000_000.0
HOUR_S = 3600.0
_boots = itertools.count()


def sight(wall_s: float, boot_s: float = 100.0, boot_id: str = "a") -> Sight:
    return Sight(wall_s, boot_s, boot_id)


def at(wall_s: float, boot_s: float = 100.0) -> Anchor:
    return Anchor(wall_s, sight(wall_s, boot_s))


@pytest.mark.parametrize("set_by_s", [HOUR_S, -HOUR_S, 6.0, -6.0])
def test_within_a_boot_a_set_clock_is_told_from_time_that_passed(set_by_s: float) -> None:
    judged = judge(at(NOW_S), sight(NOW_S + 600 + set_by_s, 700.0))
    assert judged.shift_s == set_by_s
    assert judged.anchor.steady_s == NOW_S + 600 + set_by_s


@pytest.mark.parametrize("slewed_s", [0.0, 0.4, -0.4, 5.0, -5.0])
def test_slewing_is_followed_and_moves_nothing(slewed_s: float) -> None:
    judged = judge(at(NOW_S), sight(NOW_S + 600 + slewed_s, 700.0))
    assert judged.shift_s == 0
    assert judged.anchor.steady_s == NOW_S + 600 + slewed_s


def test_a_suspended_computer_has_lost_time_and_no_clock_was_set() -> None:
    assert judge(at(NOW_S), sight(NOW_S + 8 * HOUR_S, 100.0 + 8 * HOUR_S)).shift_s == 0


def test_over_a_reboot_a_later_clock_is_believed_and_deadlines_pass() -> None:
    judged = judge(at(NOW_S), sight(NOW_S + HOUR_S, 3.0, "b"))
    assert judged == Judged(Anchor(NOW_S + HOUR_S, sight(NOW_S + HOUR_S, 3.0, "b")))


@pytest.mark.parametrize("wall_s", [0.0, RELEASED_S, NOW_S - 60])
def test_without_a_battery_clock_time_goes_on_from_what_was_kept(wall_s: float) -> None:
    judged = judge(at(NOW_S), sight(wall_s, 3.0, "b"))
    assert (judged.anchor.steady_s, judged.anchor.unset, judged.shift_s) == (NOW_S, True, 0)
    # And on, steadily, until the clock is set.
    later = judge(judged.anchor, sight(wall_s + 60, 63.0, "b"))
    assert (later.anchor.steady_s, later.anchor.unset, later.shift_s) == (NOW_S + 60, True, 0)
    was_set = judge(later.anchor, sight(NOW_S + HOUR_S, 64.0, "b"))
    assert was_set.shift_s == HOUR_S - 61
    assert not was_set.anchor.unset


def test_a_relay_is_believed_before_an_unset_clock_and_not_before_a_set_one() -> None:
    unset = judge(at(NOW_S), sight(0.0, 3.0, "b")).anchor
    judged = judge_relay(unset, NOW_S + HOUR_S)
    assert (judged.anchor.steady_s, judged.shift_s) == (NOW_S + HOUR_S, HOUR_S)
    assert judge_relay(unset, NOW_S + SET_S) == Judged(unset), "near enough"
    assert judge_relay(unset, 0.0) == Judged(unset), "a relay that has no time either"
    assert judge_relay(at(NOW_S), NOW_S + HOUR_S) == Judged(at(NOW_S))


def test_a_first_start_without_a_set_clock_waits_for_one() -> None:
    begun = first(sight(1_000.0))
    assert begun.unset
    was_set = judge(begun, sight(NOW_S, 160.0))
    assert (was_set.shift_s, was_set.anchor.unset) == (NOW_S - 1_060.0, False)


def test_what_is_kept_is_read_back() -> None:
    anchor = Anchor(NOW_S + 0.25, sight(1.5), unset=True)
    assert ANCHOR.validate_json(ANCHOR.dump_json(anchor)) == anchor


@dataclass
class Computer:
    """A computer, the true time, and one deadline that a program keeps as the daemon does."""

    true_s: float = NOW_S
    wrong_by_s: float = 0.0
    booted_s: float = NOW_S - 100
    boot_id: str = "first"
    off_s: float = 0.0
    deadline_true_s: float = NOW_S + HOUR_S
    anchor: Anchor = field(init=False)
    deadline_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.anchor = first(self.sees())
        self.deadline_s = self.anchor.steady_s + HOUR_S

    def sees(self) -> Sight:
        return Sight(self.true_s + self.wrong_by_s, self.true_s - self.booted_s, self.boot_id)

    def take(self, judged: Judged) -> None:
        self.anchor = judged.anchor
        self.deadline_s += judged.shift_s

    def look(self) -> None:
        """Look as the running daemon does, or as a restarted one does at its start."""
        self.take(judge(self.anchor, self.sees()))

    def passes(self, seconds: float) -> None:
        self.true_s += seconds
        self.look()

    def is_set(self, wrong_by_s: float) -> None:
        self.wrong_by_s = wrong_by_s
        self.look()

    def is_set_while_down(self, down_s: float, wrong_by_s: float) -> None:
        self.true_s += down_s
        self.is_set(wrong_by_s)

    def reboots(self, off_s: float, behind_s: float) -> None:
        """Lose power; ``behind_s`` > 0: the wall clock starts again that much behind where it was."""
        before_s = self.anchor.steady_s
        self.true_s += off_s
        self.off_s += off_s
        self.booted_s, self.boot_id = self.true_s - 5, f"boot {next(_boots)}"
        if behind_s:
            self.wrong_by_s -= off_s + behind_s
        self.look()
        assert self.anchor.steady_s >= before_s, "time never goes back over a reboot"

    def hears_relay(self) -> None:
        self.look()
        self.take(judge_relay(self.anchor, self.true_s))


seconds = st.integers(min_value=0, max_value=7_200).map(float)
wrong = st.integers(min_value=-100, max_value=100).map(lambda hours: hours * HOUR_S)
events = st.lists(
    st.one_of(
        st.tuples(st.just("passes"), seconds),
        st.tuples(st.just("is_set"), wrong),
        st.tuples(st.just("is_set_while_down"), seconds, wrong),
        st.tuples(st.just("reboots"), seconds, st.sampled_from([0.0, 600.0, 1e6])),
        st.tuples(st.just("hears_relay")),
    ),
    max_size=12,
)


@given(events)
@example([("reboots", 60.0, 1e6), ("passes", 60.0), ("is_set", 0.0), ("passes", 10.0)])
@example([("is_set", HOUR_S), ("reboots", 60.0, 600.0), ("hears_relay",), ("is_set", 0.0)])
@example([("is_set", HOUR_S), ("reboots", 0.0, 600.0), ("hears_relay",), ("reboots", 0.0, 0.0)])
def test_no_deadline_comes_early_and_none_later_than_the_power_was_off(
    history: list[tuple[str, *tuple[float, ...]]],
) -> None:
    computer = Computer()
    for name, *given_ in history:
        getattr(computer, name)(*given_)
        left_s = computer.deadline_s - computer.anchor.steady_s
        truly_left_s = computer.deadline_true_s - computer.true_s
        # What is within SET_S each time is no setting of a clock and may add up.
        slack_s = SET_S * len(history)
        assert left_s >= truly_left_s - slack_s, "never early"
        assert left_s <= truly_left_s + computer.off_s + slack_s, "never lost"
