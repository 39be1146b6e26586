"""What a bridge sends again, through the router, message by message as Zigbee2MQTT sends it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.reading import Heard, Reading, RepeatCause, RepeatsFollow, SkipReason
from edge.sources.repeats import FRESH_S, REPEATS_S, Repeats
from edge.sources.router import Router
from edge.sources.zigbee2mqtt import BIRTH_TOPIC, Zigbee2MqttPlug
from tests.edge.sources.parsing import AT

TOPIC = "zigbee2mqtt/washer-1"
STATE = "zigbee2mqtt/bridge/state"


class House:
    """A router with one Zigbee plug; times are seconds after ``AT``."""

    def __init__(self, *, says_last_seen: bool) -> None:
        self.router = Router([Zigbee2MqttPlug("w1", TOPIC, "zigbee2mqtt")])
        self._says_last_seen = says_last_seen

    def says(self, second: float, power: float, seen: float | None = None) -> bool:
        """Hear the plug's values; ``seen`` is when it spoke, None: now. Whether it was a measurement."""
        body: dict[str, object] = {"power": power, "energy": 1.0}
        if self._says_last_seen:
            body["last_seen"] = (
                AT + timedelta(seconds=second if seen is None else seen)
            ).isoformat()
        return bool(self._take(TOPIC, json.dumps(body).encode(), second))

    def bridge_starts(self, second: float, *, retained: bool = False) -> None:
        self._take(STATE, b'{"state":"online"}', second, retained=retained)

    def home_assistant_is_born(self, second: float, *, retained: bool = False) -> None:
        self._take(BIRTH_TOPIC, b"online", second, retained=retained)

    def _take(
        self, topic: str, payload: bytes, second: float, *, retained: bool = False
    ) -> list[Heard]:
        return self.router.take(topic, payload, AT + timedelta(seconds=second), retained=retained)


@pytest.fixture
def house() -> House:
    return House(says_last_seen=False)


@pytest.fixture
def seeing() -> House:
    return House(says_last_seen=True)


def test_in_quiet_times_every_message_is_a_measurement(house: House) -> None:
    assert all(house.says(second, 2000) for second in range(0, 300, 10))
    assert not house.router.skipped


def test_a_started_bridges_first_message_is_old_whatever_it_says(house: House) -> None:
    assert house.says(0, 3)
    house.bridge_starts(10)
    # Its file on disk was five minutes old: then the washer was still heating.
    assert not house.says(11, 2000)
    assert house.router.skipped == {SkipReason.REPEATED: 1}
    assert house.says(12, 3), "another value is the plug's own"


def test_after_a_birth_the_same_again_is_a_repeat_and_another_value_is_not(house: House) -> None:
    assert house.says(0, 2000)
    house.home_assistant_is_born(10)
    assert house.says(20, 2010)
    assert not house.says(40, 2010)
    assert house.says(41, 5)
    assert not house.says(42, 5)
    assert house.says(10 + REPEATS_S, 5), "the window is over"


def test_a_birth_before_anything_was_heard_makes_the_first_message_a_repeat(house: House) -> None:
    house.home_assistant_is_born(0)
    assert not house.says(30, 2000)
    assert house.says(31, 2001)


def test_what_the_broker_kept_of_a_start_or_a_birth_was_long_ago(house: House) -> None:
    house.bridge_starts(0, retained=True)
    house.home_assistant_is_born(0, retained=True)
    assert house.says(1, 2000)
    assert house.says(2, 2000)


def test_a_bridge_that_sends_no_memory_loses_one_message_at_most(house: House) -> None:
    house.bridge_starts(0)
    assert not house.says(5, 1)
    assert [house.says(second, second) for second in range(10, 60, 10)] == [True] * 5


def test_a_start_long_ago_makes_nothing_old(house: House) -> None:
    house.bridge_starts(0)
    assert house.says(REPEATS_S + 1, 2000)


def test_a_clock_set_back_ends_the_window(house: House) -> None:
    house.says(0, 5)
    house.home_assistant_is_born(3600)
    assert house.says(-60, 5)


def test_last_seen_tells_a_measurement_from_its_repeat_even_when_they_say_the_same(
    seeing: House,
) -> None:
    assert seeing.says(0, 2000)
    seeing.bridge_starts(10)
    assert not seeing.says(11, 2000, seen=0)
    assert seeing.says(12, 2000), "the plug spoke: its power is still the same"
    seeing.home_assistant_is_born(20)
    assert not seeing.says(50, 2000, seen=12)
    assert seeing.says(51, 2000)


def test_with_last_seen_a_started_bridges_memory_is_older_than_what_was_heard(
    seeing: House,
) -> None:
    assert seeing.says(0, 3)
    seeing.bridge_starts(10)
    assert not seeing.says(11, 2000, seen=-240)


def test_with_last_seen_a_repeat_is_known_without_any_announcement(seeing: House) -> None:
    assert not seeing.says(0, 2000, seen=-FRESH_S - 1), "the first message of all, and it is old"
    assert seeing.says(1, 2000)
    assert not seeing.says(2, 2000, seen=1)


def test_two_values_within_one_second_of_last_seen_are_two_measurements(seeing: House) -> None:
    assert seeing.says(0, 10, seen=0)
    assert seeing.says(0.4, 2000, seen=0)


def test_a_bridges_clock_that_is_wrong_costs_one_message(seeing: House) -> None:
    day = 86_400
    assert not seeing.says(0, 5, seen=-day)
    assert seeing.says(10, 5, seen=-day + 10)
    assert seeing.says(20, 5, seen=-day - 100), "set back once more"
    ahead = House(says_last_seen=True)
    assert ahead.says(0, 5, seen=day)


def test_one_machine_does_not_stand_for_another() -> None:
    repeats = Repeats()
    repeats.expect(RepeatsFollow("w1", AT, RepeatCause.START))
    assert not repeats.is_repeat(Reading("w2", AT, 5.0))
    assert repeats.is_repeat(Reading("w1", AT, 5.0))


_HOUSE_LIFE = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=300),
        st.sampled_from(["says", "says", "start", "birth"]),
        st.sampled_from([0.0, 5.0, 2000.0]),
    ),
    max_size=30,
    unique_by=lambda event: event[0],
).map(sorted)


@given(life=_HOUSE_LIFE, says_last_seen=st.booleans())
def test_a_plug_that_spoke_is_heard_at_once_with_last_seen_and_else_outside_of_the_windows(
    life: list[tuple[int, str, float]], *, says_last_seen: bool
) -> None:
    house = House(says_last_seen=says_last_seen)
    announced = -2 * REPEATS_S
    for second, kind, power in life:
        if kind == "says":
            is_awaited = second - announced < REPEATS_S
            assert house.says(second, power) or (is_awaited and not says_last_seen)
            continue
        announced = second
        if kind == "start":
            house.bridge_starts(second)
        else:
            house.home_assistant_is_born(second)


@given(life=_HOUSE_LIFE, says_last_seen=st.booleans(), wait_s=st.integers(0, int(REPEATS_S) - 1))
def test_what_a_bridge_sends_again_is_never_a_measurement(
    life: list[tuple[int, str, float]], wait_s: int, *, says_last_seen: bool
) -> None:
    house = House(says_last_seen=says_last_seen)
    last: tuple[int, float] | None = None
    for second, kind, power in life:
        if kind == "says":
            house.says(second, power)
            last = second, power
    if last is None:
        return
    house.home_assistant_is_born(301)
    assert not house.says(301 + wait_s, last[1], seen=last[0])
    house.bridge_starts(400)
    assert not house.says(400 + wait_s, last[1], seen=last[0])


@pytest.mark.parametrize("shift", [timedelta(days=1), -timedelta(hours=1)])
def test_a_clock_that_is_set_lets_no_remembered_value_through(shift: timedelta) -> None:
    house = House(says_last_seen=False)
    house.bridge_starts(0)
    house.router.clock_set(shift)
    after_s = shift.total_seconds()
    assert not house.says(after_s + 5, 2000)
    assert house.says(after_s + REPEATS_S + 5, 3)
