from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.detect.detector import Detector, DetectorStateError
from edge.detect.signals import (
    CycleFinished,
    CycleResumed,
    CycleStarted,
    EndingSoon,
    MinutesLeft,
    Signal,
)
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

    match signal:
        case CycleStarted():
            return "started", seconds(signal.at), seconds(signal.started_at), None
        case CycleFinished() | CycleResumed():
            what = "finished" if isinstance(signal, CycleFinished) else "resumed"
            ended_s = seconds(signal.ended_at)
            return what, seconds(signal.at), seconds(signal.started_at), ended_s
        case MinutesLeft() | EndingSoon():
            ends_s = seconds(signal.ends_at)
            return "expected", seconds(signal.at), seconds(signal.started_at), ends_s


def test_a_wash_is_told_after_a_minute_and_four_minutes_after_its_end_and_both_are_set_back() -> (
    None
):
    assert live([(600, 1), (1800, 200), (900, 1)]) == [
        ("started", 660, 600, None),
        ("finished", 2630, 600, 2399),
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
    assert finished == ("finished", 660 + 400, 60, 659)


def test_a_learned_standby_floor_is_quiet() -> None:
    [_, finished] = live([(7200, 15), (600, 200), (3600, 15)])
    assert finished == ("finished", 7800 + 350, 7200, 7799)


def test_anti_crease_tumbling_neither_puts_off_a_dryers_end_nor_starts_a_cycle() -> None:
    tumbling = [(130, 1.0), (18, 140.0)] * 14
    [_, finished] = live([(60, 0), (2400, 2000), *tumbling, (600, 0)], DRYER)
    assert finished[3] == 2459
    assert finished[1] - 2459 < 330


def test_two_cold_loads_a_quarter_of_an_hour_apart_are_two_cycles() -> None:
    load = [(1800.0, 300.0), (900.0, 2.0)]
    told = [one[0] for one in live([(60, 0), *load, *load]) if one[0] != "expected"]
    assert told == ["started", "finished"] * 2


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
        ("finished", 1250, 60, 900),
    ]


def test_a_plug_that_falls_silent_while_the_machine_works_ends_nothing() -> None:
    signals = on_change(Detector(WASHER), {0: 0.0, 60: 200.0, 70: 200.0}, 40_000)
    assert [told(signal)[0] for signal in signals] == ["started"]


def test_after_a_hole_in_the_data_the_end_is_the_last_work_that_was_seen() -> None:
    detector = Detector(WASHER)
    on_change(detector, dict(samples([(60, 0), (600, 200)])), 660)
    later_s = 660 + 3600
    signals = on_change(detector, dict.fromkeys(range(later_s, later_s + 400), 1.0), later_s + 400)
    [finished] = [told(signal) for signal in signals]
    assert finished == ("finished", later_s + 350, 60, 659)


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
    assert told(signal) == ("finished", 1010, 60, 659)


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
        {"state": None},
        {"state": {}},
        {"state": {"last_s": "noon"}},
        {"unheard_of": 1},
    ],
)
def test_a_damaged_or_foreign_kept_state_is_refused(damage: dict[str, object]) -> None:
    kept = {**Detector(WASHER).dump(), **damage}
    with pytest.raises(DetectorStateError, match="anew"):
        Detector.load(WASHER, kept)


def wash(seconds: float = 2400) -> list[Stretch]:
    """A wash that heats, turns, and spins at its end, and two hours of rest."""
    drum = [(12.0, 150.0), (6.0, 3.0)] * int(seconds * 0.6 / 18)
    return [(seconds * 0.25, 2000.0), *drum, (seconds * 0.15, 400.0), (7200.0, 1.0)]


def test_nothing_is_expected_of_the_first_cycle_and_the_end_of_the_fourth_is_known() -> None:
    told = live([(60, 1), *wash() * 4])
    ends = [one[3] for one in told if one[0] == "finished" and one[3] is not None]
    assert len(ends) == 4
    starts = [one[2] for one in told if one[0] == "started"]
    expected = [one for one in told if one[0] == "expected"]
    assert not [one for one in expected if one[2] == starts[0]]
    of_last = [one for one in expected if one[2] == starts[3]]
    half_s = (starts[3] + ends[3]) / 2
    said = [one for one in of_last if one[1] <= half_s][-1]
    assert said[3] == pytest.approx(ends[3], abs=60)
    assert all(one[3] is not None and one[3] > one[1] for one in of_last)


def signals_of(detector: Detector, stretches: Iterable[Stretch], begin_s: int = 0) -> list[Signal]:
    signals: list[Signal] = []
    for second, watts in samples(stretches):
        signals += detector.feed(Reading("m", at(begin_s + second), watts))
    return signals


def test_the_end_is_said_to_be_soon_once_and_about_five_minutes_before() -> None:
    signals = signals_of(Detector(WASHER), [(60, 1), *wash() * 4])
    soon = [one for one in signals if isinstance(one, EndingSoon)]
    ends = {one.started_at: one.ended_at for one in signals if isinstance(one, CycleFinished)}
    assert len({one.started_at for one in soon}) == len(soon) == 3
    for one in soon:
        left_s = (ends[one.started_at] - one.at).total_seconds()
        assert 120 <= left_s <= 600
        assert 0 <= one.confidence <= 1


def test_minutes_left_never_go_up_without_cause_nor_reach_nothing() -> None:
    signals = signals_of(Detector(WASHER), [(60, 1), *wash() * 5])
    left: dict[datetime, list[float]] = {}
    for one in signals:
        if isinstance(one, MinutesLeft):
            left.setdefault(one.started_at, []).append((one.ends_at - one.at).total_seconds())
    assert len(left) == 4
    for said in left.values():
        assert all(after <= before for before, after in pairwise(said))
        assert min(said) > 0


def test_a_soak_of_ten_minutes_is_taken_back_and_the_true_end_told() -> None:
    [started, early, resumed, finished] = live(
        [(60, 0), (600, 2000), (600, 2), (1200, 150), (900, 0)]
    )
    assert [started[0], early[0], resumed[0], finished[0]] == [
        "started",
        "finished",
        "resumed",
        "finished",
    ]
    assert started[2] == early[2] == resumed[2] == finished[2] == 60
    assert early[3] == resumed[3] == 659
    assert finished[3] == 60 + 600 + 600 + 1200 - 1


def test_a_plug_that_is_known_to_be_gone_ends_nothing() -> None:
    detector = Detector(WASHER)
    on_change(detector, dict(samples([(60, 0), (600, 200), (60, 1)])), 720)
    detector.gone(at(725))
    assert [one for second in range(726, 9000) for one in detector.tick(at(second))] == []
    assert detector.started_at == at(60)
    later = on_change(detector, dict.fromkeys(range(9000, 9400), 1.0), 9400)
    assert [told(one)[0] for one in later if told(one)[1] >= 9000] == ["finished"]


def test_what_was_learned_is_small_and_serves_a_detector_that_begins_anew() -> None:
    teacher = Detector(WASHER)
    revision = teacher.learned_revision
    signals_of(teacher, [(60, 1), *wash() * 3])
    assert teacher.learned_revision == revision + 3
    learned = json.loads(json.dumps(teacher.dump_learned()))
    assert len(json.dumps(learned)) < 5_000
    pupil = Detector.load(WASHER, None, learned)
    assert [one for one in signals_of(pupil, [(60, 1), *wash()]) if isinstance(one, MinutesLeft)]


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 0},
        {"kind": "dryer"},
        {"cycles": [{}]},
        {"cycles": [{"levels": "0x", "length_s": 900.0, "rest_w": None}]},
        {"cycles": [{"levels": "00", "length_s": -1.0, "rest_w": None}]},
        {"unheard_of": 1},
    ],
)
def test_damaged_or_foreign_learning_is_refused(damage: dict[str, object]) -> None:
    learned = {**Detector(WASHER).dump_learned(), **damage}
    with pytest.raises(DetectorStateError, match="anew"):
        Detector.load(WASHER, None, learned)


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
def test_signals_come_in_a_legal_order_and_their_times_never_go_back(
    kind: MachineKind, course: list[tuple[int, float, bool]]
) -> None:
    detector = Detector(kind)
    runs, told_at, ended_at = False, BEGIN, BEGIN
    started_at: datetime | None = None
    for now, reading in moments(course):
        for signal in take(detector, now, reading):
            assert signal.at == now >= told_at
            told_at = now
            match signal:
                case CycleStarted():
                    assert not runs
                    assert ended_at <= signal.started_at <= now
                    started_at, runs = signal.started_at, True
                case CycleFinished():
                    assert runs
                    assert signal.started_at == started_at
                    assert signal.started_at <= signal.ended_at <= now
                    ended_at, runs = signal.ended_at, False
                case CycleResumed():
                    assert not runs
                    assert (signal.started_at, signal.ended_at) == (started_at, ended_at)
                    runs = True
                case MinutesLeft() | EndingSoon():
                    assert runs
                    assert signal.started_at == started_at
                    assert signal.ends_at > now
        assert (detector.started_at is not None) == runs


@given(_kind, _course, st.integers(-7200, 7200))
def test_a_clock_that_is_set_moves_everything_and_changes_nothing_else(
    kind: MachineKind, course: list[tuple[int, float, bool]], by_s: int
) -> None:
    plain, shifted = Detector(kind), Detector(kind)
    by = timedelta(seconds=by_s)
    half = len(course) // 2
    for index, (now, reading) in enumerate(moments(course)):
        if index == half:
            shifted.shift(by_s)
        moved = by if index >= half else timedelta()
        there = None if reading is None else replace(reading, at=reading.at + moved)
        expected = [told(one) for one in take(plain, now, reading)]
        found = [told(one) for one in take(shifted, now + moved, there)]
        away_s = moved.total_seconds()
        assert found == [
            (what, at_s + away_s, from_s + away_s, None if to_s is None else to_s + away_s)
            for what, at_s, from_s, to_s in expected
        ]


def changes(signals: Iterable[Signal]) -> list[tuple[str, float, float | None]]:
    """What was told and the times it speaks of; not what was expected, which is soon outdated."""
    found = [told(one) for one in signals]
    return [(what, from_s, to_s) for what, _, from_s, to_s in found if what != "expected"]


@given(_kind, _course)
@settings(max_examples=40)
def test_ticking_at_every_moment_changes_only_when_things_are_told(
    kind: MachineKind, course: list[tuple[int, float, bool]]
) -> None:
    rare, often = Detector(kind), Detector(kind)
    before, of_rare, of_often = BEGIN, [], []
    for now, reading in moments(course):
        if reading is None:
            continue
        step = (now - before) / 4
        for part in range(1, 4):
            of_often += often.tick(before + step * part)
        of_often += often.feed(reading)
        of_rare += rare.feed(reading)
        before = now
    assert changes(of_rare) == changes(of_often)
    assert rare.dump() == often.dump()
    assert rare.dump_learned() == often.dump_learned()


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
        kept = json.loads(json.dumps([restarted.dump(), restarted.dump_learned()]))
        restarted = Detector.load(kind, kept[0], kept[1])
        assert take(restarted, now, reading) == take(lasting, now, reading)
