from __future__ import annotations

from edge.detect.floor import Floor
from edge.detect.library import KEPT_CYCLES, LONGEST_BINS, Library
from edge.detect.profile import UNKNOWN, heating_of, level_of, power_of
from edge.detect.rules import FLOOR_CEILING_W, RULES
from laundryd.wire.machines import MachineKind


def test_a_level_stands_for_its_power_to_within_some_percent() -> None:
    for watts in (0.0, 2.0, 17.0, 150.0, 2400.0):
        assert abs(power_of(level_of(watts)) - watts) <= 0.1 + 0.03 * (watts + 5)
    assert level_of(1e9) < UNKNOWN


def test_only_the_newest_cycles_are_kept_and_what_is_no_programme_is_not() -> None:
    library = Library()
    library.learn([1], 60, None)
    library.learn([], 3600, None)
    library.learn([1] * (LONGEST_BINS + 1), 3600, None)
    assert (library.cycles, library.revision, library.longest_s()) == ([], 0, None)
    for number in range(KEPT_CYCLES + 5):
        library.learn([number], 1000 + number, 9.0)
    assert len(library.cycles) == KEPT_CYCLES
    assert library.cycles[-1].length_s == library.longest_s() == 1000 + KEPT_CYCLES + 4
    assert library.rests_at(10.5)
    assert not library.rests_at(15)


def test_a_lit_display_hardly_raises_the_floor_and_standby_lowers_it_soon() -> None:
    floor = Floor()
    for _ in range(60):
        floor.learn(1.0, 60)
    assert floor.floor_w == 1.0
    for _ in range(20):
        floor.learn(15.0, 60)
    assert floor.floor_w < 4
    for _ in range(30):
        floor.learn(1.0, 60)
    assert floor.floor_w < 1.2
    for _ in range(1000):
        floor.learn(500.0, 60)
    assert floor.floor_w <= FLOOR_CEILING_W


def bins(*parts: tuple[int, float]) -> list[int]:
    return [level_of(watts) for count, watts in parts for _ in range(count)]


def test_a_washer_dryer_dries_when_it_heats_long_after_its_wash_or_without_end() -> None:
    kind = MachineKind.WASHER_DRYER
    rule = RULES[kind]
    wash = ((10, 80.0), (30, 2000.0), (100, 90.0), (10, 400.0))
    assert not heating_of(bins(*wash), rule, kind).is_drying
    for heater_w in (600.0, 2000.0):
        dried = heating_of(bins(*wash, (60, heater_w), (10, 180.0)), rule, kind)
        assert dried.is_drying
        assert dried.since_s(len(bins(*wash)) + 70) == 300
    assert heating_of(bins((90, 2000.0), (10, 180.0)), rule, kind).is_drying
    assert not heating_of(bins(*wash, (60, 2000.0)), rule, MachineKind.WASHER).is_drying
