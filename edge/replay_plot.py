"""A picture of replayed power with its cycles marked: ``laundryd edge replay --plot FILE.png``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from edge.detect.rules import SILENT_AFTER_S
from edge.errors import PlotError
from edge.replay import ReplayEvent
from edge.replay_envelope import Bucket, Envelope

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DAY_S: Final = 86_400.0
MOST_PANELS: Final = 35
"""A month has a panel a day; a longer recording has panels of several days."""
TICK_STEPS_S: Final = (60.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0)
"""Steps between the times written below a panel, seconds; beyond them whole days."""
MOST_TICKS: Final = 13
WIDTH_IN: Final = 15.0
PANEL_IN: Final = 1.5
LONE_PANEL_IN: Final = 5.0
HEAD_IN: Final = 1.0
"""Room for title and legend, inches."""
_DPI: Final = 110
_POWER: Final = "#33475b"
_CYCLE: Final = "#9fd8b4"


class _Mark(NamedTuple):
    """How a told event is drawn: a line at the moment it was told."""

    label: str
    colour: str
    style: Literal["-", "--", ":"]


MARKS: Final[Mapping[str, _Mark]] = MappingProxyType(
    {
        "started": _Mark("told: started", "#1b7f4b", "-"),
        "ending_soon": _Mark("told: ending soon", "#d98200", "--"),
        "finished": _Mark("told: finished", "#b3261e", "-"),
        "resumed": _Mark("told: resumed", "#7b1fa2", ":"),
    }
)
"""Minutes left are told too often to be drawn."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """One strip of the picture, Unix seconds."""

    begin_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.begin_s

    def shows(self, from_s: float, to_s: float) -> bool:
        return from_s < self.end_s and to_s >= self.begin_s


def plot(
    samples: Iterable[tuple[float, float]],
    events: Sequence[ReplayEvent],
    path: Path,
    title: str = "",
) -> None:
    """Draw (Unix seconds, watts) in the order of time with the cycles of ``events`` into a PNG file.

    Up to a day and a half is one panel; more has a panel for each UTC day that has samples. Each cycle is
    shaded from its start to its end as last told; lines stand where something was told. Power is drawn by
    its extremes, so a month takes seconds; where the plug was silent for ten minutes there is no line.

    Raises:
        PlotError: matplotlib is not installed, there is no sample, or ``path`` cannot be written.

    """
    # An extra of its own, and slow to load: a room's daemon never needs it.
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        raise PlotError(
            "drawing a picture needs matplotlib: install laundryd with its extra 'plot', "
            'as in pip install "laundryd[plot]"'
        ) from None
    buckets = Envelope.of(samples).buckets()
    if not buckets:
        raise PlotError(f"{path} was not drawn: there is no sample to draw")
    panels = _panels(buckets)
    height_in = LONE_PANEL_IN if len(panels) == 1 else PANEL_IN * len(panels)
    figure = Figure(figsize=(WIDTH_IN, height_in + HEAD_IN), dpi=_DPI)
    cycles = list(_cycles(events, buckets[-1].to_s))
    axes = figure.subplots(len(panels), 1, squeeze=False, sharey=True)[:, 0]
    for panel, ax in zip(panels, axes, strict=True):
        _draw(ax, panel, [one for one in buckets if panel.shows(one.from_s, one.to_s)])
        _mark(ax, panel, cycles, events)
        _name_axes(ax, panel, alone=len(panels) == 1)
    _finish(figure, title, height_in)
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise PlotError(f"{path} cannot be written: {error.strerror or error}") from error


def _panels(buckets: Sequence[Bucket]) -> list[_Panel]:
    begin_s, end_s = buckets[0].from_s, buckets[-1].to_s
    if end_s - begin_s <= 1.5 * DAY_S:
        margin_s = max(60.0, 0.01 * (end_s - begin_s))
        return [_Panel(begin_s - margin_s, end_s + margin_s)]
    days = 1
    while True:
        length_s = days * DAY_S
        first_s = math.floor(begin_s / DAY_S) * DAY_S
        starts = {first_s + (one.from_s - first_s) // length_s * length_s for one in buckets}
        if len(starts) <= MOST_PANELS:
            return [_Panel(start_s, start_s + length_s) for start_s in sorted(starts)]
        days += 1


def _cycles(events: Iterable[ReplayEvent], until_s: float) -> Iterator[tuple[float, float]]:
    """Yield start and end of each cycle as last told; one that still runs goes to ``until_s``."""
    ends: dict[float, float] = {}
    for event in events:
        if event.started_at is None or event.event not in {"started", "finished", "resumed"}:
            continue
        ended_s = event.ended_at if event.event == "finished" else None
        ends[event.started_at] = until_s if ended_s is None else ended_s
    yield from ends.items()


def _draw(ax: Axes, panel: _Panel, buckets: Sequence[Bucket]) -> None:
    times: list[float] = []
    watts: list[float] = []
    for before, one in zip([None, *buckets], buckets, strict=False):
        if before is not None and one.from_s - before.to_s > SILENT_AFTER_S:
            times.append(before.to_s)
            watts.append(math.nan)
        for at_s, power_w in one.points():
            times.append(at_s)
            watts.append(power_w)
    ax.plot(times, watts, color=_POWER, linewidth=0.7)
    ax.set_xlim(panel.begin_s, panel.end_s)
    ax.set_ylim(bottom=0)


def _mark(
    ax: Axes,
    panel: _Panel,
    cycles: Iterable[tuple[float, float]],
    events: Iterable[ReplayEvent],
) -> None:
    for from_s, to_s in cycles:
        if panel.shows(from_s, to_s):
            ax.axvspan(from_s, to_s, color=_CYCLE, alpha=0.55, linewidth=0)
    for event in events:
        mark = MARKS.get(event.event)
        if mark is not None and panel.shows(event.at, event.at):
            ax.axvline(event.at, color=mark.colour, linestyle=mark.style, linewidth=1.2)


def _name_axes(ax: Axes, panel: _Panel, *, alone: bool) -> None:
    """Write the hours in UTC below a panel, and its day beside it."""
    begin = datetime.fromtimestamp(panel.begin_s, UTC)
    one_day = not alone and panel.length_s == DAY_S
    ticks_s = _ticks_s(panel)
    shape = "%H:%M" if one_day else "%m-%d %H:%M"
    ax.set_xticks(ticks_s, [f"{datetime.fromtimestamp(at_s, UTC):{shape}}" for at_s in ticks_s])
    ax.tick_params(labelsize=8)
    ax.grid(axis="x", color="#dddddd", linewidth=0.5)
    ax.set_ylabel("W" if alone else f"{begin:%Y-%m-%d}\nW", fontsize=8)


def _ticks_s(panel: _Panel) -> list[float]:
    """Return round moments, few enough to be read."""
    step_s = next(
        (step_s for step_s in TICK_STEPS_S if panel.length_s / step_s <= MOST_TICKS),
        math.ceil(panel.length_s / MOST_TICKS / DAY_S) * DAY_S,
    )
    first, last = math.ceil(panel.begin_s / step_s), math.floor(panel.end_s / step_s)
    return [number * step_s for number in range(first, last + 1)]


def _finish(figure: Figure, title: str, height_in: float) -> None:
    """Write what the picture shows: title and legend."""
    from matplotlib.lines import Line2D  # noqa: PLC0415
    from matplotlib.patches import Patch  # noqa: PLC0415

    figure.axes[-1].set_xlabel("UTC")
    handles = [
        Line2D([], [], color=_POWER, label="power, W"),
        Patch(color=_CYCLE, label="cycle, from its start to its end as last told"),
        *(
            Line2D([], [], color=mark.colour, linestyle=mark.style, label=mark.label)
            for mark in MARKS.values()
        ),
    ]
    full_in = height_in + HEAD_IN
    figure.suptitle(title, x=0.06, y=1 - 0.15 / full_in, ha="left", va="top", fontsize=12)
    legend_at = (0.06, 1 - 0.4 / full_in)
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=legend_at,
        ncols=len(handles),
        fontsize=9,
        frameon=False,
        borderaxespad=0,
    )
    figure.subplots_adjust(
        left=0.06,
        right=0.985,
        top=1 - 0.75 / full_in,
        bottom=0.5 / full_in,
        hspace=0.42,
    )
