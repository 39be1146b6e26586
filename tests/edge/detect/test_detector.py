from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.detect.detector import Detector, DetectorStateError
from edge.detect.signals import CycleStarted, Signal
from edge.sources.reading import Reading
from laundryd.wire.machines import MachineKind

BEGIN = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
WASHER, DRYER = MachineKind.WASHER, MachineKind.DRYER
Stretch = tuple[float, float]
"""(seconds, watts)"""


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def samples(stretches: Iterable[Stretch], every_s: int = 1) -> list[tuple[int, float]]:
    taken, begin_s = [], 0.0
    for length_s, watts in stretches:
        first_s = -(-int(begin_s) // every_s) * every_s
        taken += [(s, watts) for s in range(first_s, int(begin_s + length_s), every_s)]
        begin_s += length_s
    return taken


def live(
    stretches: Iterable[Stretch], kind: MachineKind = WASHER, every_s: int = 1
) -> list[tuple[str, float, float, float | None]]:
    """(what, told, started, ended) in seconds, with a tick every second as in the running edge."""
    stretches = list(stretches)
    detector = Detector(kind)
    due = dict(samples(stretches, every_s))
    signals: list[Signal] = []
    for second in range(int(sum(length for length, _ in stretches))):
        signals += detector.tick(at(second))
        if second in due:
            signals += detector.feed(Reading("m", at(second), due[second]))
    return [told(signal) for signal in signals]


def told(signal: Signal) -> tuple[str, float, float, float | None]:
    def seconds(moment: datetime) -> float:
        return (moment - BEGIN).total_seconds()

    if isinstance(signal, CycleStarted):
        return "started", seconds(signal.at), seconds(signal.started_at), None
    return "finished", seconds(signal.at), seconds(signal.started_at), seconds(signal.ended_at)


def test_a_wash_is_told_after_a_minute_and_five_minutes_after_its_end_and_both_are_set_back() -> (
    None
):
    assert live([(600, 1), (1800, 200), (900, 1)]) == [
        ("started", 660, 600, None),
        ("finished", 2700, 600, 2399),
    ]


def test_the_turns_and_rests_of_a_drum_are_one_cycle() -> None:
    drum = [(10, 150.0), (15, 3.0)] * 60
    [started, finished] = live([(60, 0), *drum, (900, 0)])
    assert started[0] == "started"
    assert started[2] == 60
    assert finished[3] == 60 + 60 * 25 - 15 - 1


def test_a_first_turn_two_minutes_before_the_wash_belongs_to_it() -> None:
    assert live([(60, 0), (5, 80), (120, 5), (600, 200), (400, 0)])[0][2] == 60


@pytest.mark.parametrize(
    "stretches",
    [
        [(60, 0), (2, 2500), (3600, 0)],
        [(60, 0), (40, 25), (3600, 5)],
        [(60, 0), *[(1, 60.0), (59, 6.0)] * 60],
        [(3600, 17), (3600, 14)],
    ],
    ids=["a spike", "a lit display", "a blinking light", "a standby floor of 17 W"],
)
def test_what_is_no_wash_starts_nothing(stretches: list[Stretch]) -> None:
    assert live(stretches) == []


def test_a_soak_of_four_minutes_does_not_end_a_wash() -> None:
    assert len(live([(60, 0), (600, 200), (240, 4), (600, 200), (400, 0)])) == 2


def test_a_display_that_stays_lit_above_the_quiet_power_does_not_hold_up_the_end() -> None:
    [_, finished] = live([(60, 0), (600, 200), (3600, 15)])
    assert finished == ("finished", 660 + 600, 60, 659)


def test_a_learned_standby_floor_is_quiet() -> None:
    [_, finished] = live([(7200, 15), (600, 200), (3600, 15)])
    assert finished == ("finished", 7800 + 300, 7200, 7799)


def test_anti_crease_tumbling_neither_puts_off_a_dryers_end_nor_starts_a_cycle() -> None:
    tumbling = [(130, 1.0), (18, 140.0)] * 14
    [_, finished] = live([(60, 0), (2400, 2000), *tumbling, (600, 0)], DRYER)
    assert finished[3] == 2459
    assert finished[1] - 2459 < 330


def test_two_loads_a_quarter_of_an_hour_apart_are_two_cycles() -> None:
    load = [(1800.0, 300.0), (900.0, 2.0)]
    assert [one[0] for one in live([(60, 0), *load, *load])] == ["started", "finished"] * 2


@pytest.mark.parametrize("every_s", [5, 10, 60])
def test_slow_reports_find_the_cycle_to_within_a_report(every_s: int) -> None:
    [started, finished] = live([(600, 1), (3000, 200), (1200, 1)], every_s=every_s)
    assert abs(started[2] - 600) <= every_s
    assert finished[3] is not None
    assert abs(finished[3] - 3600) <= every_s


def on_change(detector: Detector, changes: dict[int, float], until_s: int) -> list[Signal]:
    signals: list[Signal] = []
    for second in range(until_s):
        if second in changes:
            signals += detector.feed(Reading("m", at(second), changes[second]))
        signals += detector.tick(at(second))
    return signals


def test_the_clock_alone_tells_the_end_on_a_plug_that_publishes_on_change() -> None:
    signals = on_change(Detector(WASHER), {0: 0.0, 60: 200.0, 400: 210.0, 900: 2.0}, 1500)
    assert [told(signal) for signal in signals] == [
        ("started", 120 + 60, 60, None),
        ("finished", 1200, 60, 400),
    ]


def test_a_plug_that_falls_silent_while_the_machine_works_ends_nothing() -> None:
    signals = on_change(Detector(WASHER), {0: 0.0, 60: 200.0, 70: 200.0}, 40_000)
    assert [told(signal)[0] for signal in signals] == ["started"]


def test_after_a_hole_in_the_data_the_end_is_the_last_work_that_was_seen() -> None:
    detector = Detector(WASHER)
    on_change(detector, dict(samples([(60, 0), (600, 200)])), 660)
    later_s = 660 + 3600
    signals = on_change(detector, dict.fromkeys(range(later_s, later_s + 400), 1.0), later_s + 400)
    assert [told(signal) for signal in signals] == [("finished", later_s + 300, 0 + 60, 659)]


def test_what_runs_a_day_after_a_silence_is_another_load() -> None:
    detector = Detector(WASHER)
    on_change(detector, dict(samples([(60, 0), (600, 200)])), 660)
    day = 86_400
    signals: list[Signal] = []
    for second in range(day, day + 100):
        signals += detector.feed(Reading("m", at(second), 300))
    assert [told(signal) for signal in signals] == [
        ("finished", day, 60, 659),
        ("started", day + 60, day, None),
    ]


def test_a_reading_without_power_shows_nothing() -> None:
    detector = Detector(WASHER)
    on_change(detector, {0: 0.0, 60: 200.0, 100: 200.0}, 200)
    before = detector.dump()
    assert detector.feed(Reading("m", at(150), None, 500.0)) == []
    assert detector.feed(Reading("m", at(151), float("nan"))) == []
    assert detector.dump() == before


def test_readings_from_before_a_clock_was_set_back_are_ignored_and_it_goes_on_when_it_caught_up() -> (
    None
):
    detector = Detector(WASHER)
    on_change(detector, dict(samples([(60, 0), (600, 200)])), 660)
    before = detector.dump()
    for second in range(-3600, -3500):
        assert detector.feed(Reading("m", at(second), 0.0)) == []
        assert detector.tick(at(second)) == []
    assert detector.dump() == before
    [signal] = on_change(detector, dict.fromkeys(range(661, 1100), 0.0), 1100)
    assert told(signal) == ("finished", 961, 60, 659)


def test_the_running_cycle_can_be_asked_for() -> None:
    detector = Detector(WASHER)
    assert detector.started_at is None
    on_change(detector, dict(samples([(60, 0), (600, 200)])), 660)
    assert detector.started_at == at(60)


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 0},
        {"kind": "dryer"},
        {"kind": None},
        {"last_s": "noon"},
        {"last_w": None},
        {"floor_w": float("nan")},
        {"unheard_of": 1},
    ],
)
def test_a_damaged_or_foreign_kept_state_is_refused(damage: dict[str, object]) -> None:
    kept = {**Detector(WASHER).dump(), **damage}
    with pytest.raises(DetectorStateError, match="anew"):
        Detector.load(WASHER, kept)


def test_a_kept_state_that_lacks_a_field_is_refused() -> None:
    kept = Detector(WASHER).dump()
    del kept["over_s"]
    with pytest.raises(DetectorStateError, match="over_s"):
        Detector.load(WASHER, kept)


_watts = st.one_of(
    st.sampled_from([0.0, 3.0, 12.0, 18.0, 25.0, 150.0, 2000.0]), st.floats(0, 3000, width=32)
)
_stretch = st.tuples(
    st.sampled_from([1, 5, 20, 40, 61, 130, 301, 599, 601, 3600, 30_000]), _watts, st.booleans()
)
"""(seconds to the next moment, watts, whether there is a reading or only a tick)"""
_course = st.lists(_stretch, max_size=60)
_kind = st.sampled_from(MachineKind)


def moments(course: list[tuple[int, float, bool]]) -> list[tuple[datetime, Reading | None]]:
    now_s, found = 0, []
    for step_s, watts, is_reading in course:
        now_s += step_s
        found.append((at(now_s), Reading("m", at(now_s), watts) if is_reading else None))
    return found


def take(detector: Detector, now: datetime, reading: Reading | None) -> list[Signal]:
    return detector.tick(now) if reading is None else detector.feed(reading)


@given(_kind, _course)
def test_starts_and_ends_alternate_and_their_times_never_go_back(
    kind: MachineKind, course: list[tuple[int, float, bool]]
) -> None:
    detector = Detector(kind)
    runs, told_at, ended_at = False, BEGIN, BEGIN
    for now, reading in moments(course):
        for signal in take(detector, now, reading):
            assert signal.at == now >= told_at
            told_at = now
            assert ended_at <= signal.started_at <= now
            if isinstance(signal, CycleStarted):
                assert not runs
                started_at = signal.started_at
            else:
                assert runs
                assert signal.started_at == started_at <= signal.ended_at <= now
                ended_at = signal.ended_at
            runs = not runs
        assert (detector.started_at is not None) == runs


@given(_kind, _course, st.data())
def test_duplicates_late_readings_and_repeated_ticks_change_nothing(
    kind: MachineKind, course: list[tuple[int, float, bool]], data: st.DataObject
) -> None:
    plain, pestered = Detector(kind), Detector(kind)
    seen: list[Reading] = []
    for now, reading in moments(course):
        expected = take(plain, now, reading)
        found = take(pestered, now, reading)
        if reading is not None:
            seen.append(reading)
        for again in data.draw(st.lists(st.sampled_from(seen), max_size=3)) if seen else []:
            found += pestered.feed(again)
        found += pestered.tick(now)
        assert found == expected
    assert plain.dump() == pestered.dump()


@given(_kind, _course)
def test_a_tick_just_before_a_reading_of_the_same_moment_takes_nothing_from_it(
    kind: MachineKind, course: list[tuple[int, float, bool]]
) -> None:
    plain, ticked = Detector(kind), Detector(kind)
    for now, reading in moments(course):
        assert ticked.tick(now) + take(ticked, now, reading) == take(plain, now, reading)


@given(_kind, _course)
@settings(max_examples=60)
def test_a_restart_at_any_moment_gives_the_same_signals_afterwards(
    kind: MachineKind, course: list[tuple[int, float, bool]]
) -> None:
    lasting, restarted = Detector(kind), Detector(kind)
    for now, reading in moments(course):
        restarted = Detector.load(kind, json.loads(json.dumps(restarted.dump())))
        assert take(restarted, now, reading) == take(lasting, now, reading)
