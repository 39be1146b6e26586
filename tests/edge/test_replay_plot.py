from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

from edge.errors import PlotError
from edge.replay import ReplayEvent, replay
from edge.replay_envelope import Envelope
from edge.replay_plot import (
    DAY_S,
    MARKS,
    MOST_PANELS,
    MOST_TICKS,
    _cycles,
    _Panel,
    _panels,
    _ticks_s,
    plot,
)
from laundryd.wire.machines import MachineKind
from tests.edge.detect.synthetic.plug import EVERY_SECOND, JITTERED, lines
from tests.edge.detect.synthetic.scenarios import months, soaking

BEGIN_S = 1_700_006_400.0
"""A midnight in UTC plus some hours."""
MIDNIGHT_S = BEGIN_S // DAY_S * DAY_S


def size_px(path: Path) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_a_wash_is_drawn_with_all_that_was_told(tmp_path: Path) -> None:
    scenario = soaking(10, 0.5, 1)
    samples = EVERY_SECOND.samples(scenario.timeline)
    told_at = BEGIN_S + 3600
    events = [ReplayEvent(event, "m", told_at, told_at - 60, told_at) for event in MARKS]
    path = tmp_path / "wash.png"
    plot(samples, events, path, "a wash")
    assert size_px(path) == (1650, 660)
    plain = tmp_path / "plain.png"
    plot(samples, [], plain, "a wash")
    assert plain.read_bytes() != path.read_bytes()


def test_months_have_a_panel_for_each_day_with_samples(tmp_path: Path) -> None:
    scenario = months(MachineKind.DRYER, 6, 1)
    samples = JITTERED.samples(scenario.timeline)
    days = len({at_s // DAY_S for at_s, _ in samples})
    assert days > 3
    path = tmp_path / "months.png"
    plot(samples, list(replay(lines(samples), scenario.kind)), path)
    assert size_px(path)[1] == pytest.approx(110 * (1.5 * days + 1), abs=1)


def test_a_year_has_panels_of_several_days() -> None:
    samples = [(MIDNIGHT_S + hour * 3600.0, 1.0) for hour in range(365 * 24)]
    panels = _panels(Envelope.of(samples).buckets())
    assert 20 < len(panels) <= MOST_PANELS
    assert {panel.length_s for panel in panels} == {11 * DAY_S}
    assert panels[0].begin_s == MIDNIGHT_S


@pytest.mark.parametrize("length_s", [1.0, 100.0, 7200.0, DAY_S, 1.5 * DAY_S, 11 * DAY_S])
def test_the_times_below_a_panel_are_round_and_few(length_s: float) -> None:
    ticks_s = _ticks_s(_Panel(BEGIN_S, BEGIN_S + length_s))
    assert len(ticks_s) <= MOST_TICKS + 1
    assert all(at_s % 60 == 0 and BEGIN_S <= at_s <= BEGIN_S + length_s for at_s in ticks_s)


def test_a_day_is_written_in_utc_from_midnight_to_midnight() -> None:
    ticks_s = _ticks_s(_Panel(MIDNIGHT_S, MIDNIGHT_S + DAY_S))
    assert [(at_s - MIDNIGHT_S) / 3600 for at_s in ticks_s] == list(range(0, 25, 2))


def test_a_cycle_is_shaded_to_the_end_that_was_told_last() -> None:
    told = [
        ReplayEvent("started", "m", 60, 0),
        ReplayEvent("minutes_left", "m", 100, 0, minutes_left=30),
        ReplayEvent("finished", "m", 400, 0, 200),
    ]
    back = [ReplayEvent("resumed", "m", 500, 0)]
    again = [ReplayEvent("finished", "m", 900, 0, 700)]
    assert list(_cycles(told, 1000)) == [(0, 200)]
    assert list(_cycles(told + back, 1000)) == [(0, 1000)]
    assert list(_cycles(told + back + again, 1000)) == [(0, 700)]


def test_without_samples_or_a_folder_nothing_is_drawn_and_the_reason_told(tmp_path: Path) -> None:
    path = tmp_path / "no" / "folder.png"
    with pytest.raises(PlotError, match="no sample to draw"):
        plot([], [], path)
    with pytest.raises(PlotError, match=r"folder\.png cannot be written: No such file"):
        plot([(BEGIN_S, 1.0)], [], path)


def test_without_matplotlib_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PlotError, match=r'pip install "laundryd\[plot\]"'):
        plot([(BEGIN_S, 1.0)], [], tmp_path / "wash.png")
