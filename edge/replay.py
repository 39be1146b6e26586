"""Replaying recorded power through the detector as if it were live: ``laundryd edge replay``."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

from rich.console import Console
from rich.table import Table

from edge.detect.finder import Finder
from edge.detect.marks import End, Left, Mark, Resumed, Start
from edge.detect.rules import SILENT_AFTER_S
from edge.replay_lines import BadLines, Lines, samples
from laundryd.wire.machines import MachineKind

TICK_S: Final = 1.0
"""The running edge ticks its detectors about that often, seconds: closer samples need no tick between."""


@dataclass(frozen=True, slots=True)
class ReplayEvent:
    """One line of a replay. Times are Unix seconds; None: does not apply, or nobody knows.

    ``event`` is ``started``, ``minutes_left``, ``ending_soon``, ``finished`` or ``resumed``. ``at`` is when
    it was told, ``started_at`` and ``ended_at`` are what it speaks of: the end as it was, of ``resumed``
    the end that is taken back, of ``minutes_left`` and ``ending_soon`` the expected one. ``minutes_left``
    are whole, at least 1; ``confidence`` is 0 to 1.
    """

    event: str
    machine: str
    at: float
    started_at: float | None = None
    ended_at: float | None = None
    minutes_left: float | None = None
    confidence: float | None = None


def replay(
    lines: Iterable[str],
    kind: MachineKind,
    *,
    machine: str = "",
    bad: BadLines | None = None,
) -> Iterator[ReplayEvent]:
    """Run a detector that knows nothing yet over ``unix_s,watts`` lines; a header is optional.

    A line that cannot be used goes into ``bad`` and changes nothing. A second line of the same moment
    is a duplicate and passed over, as the running edge does.
    """
    bad = BadLines() if bad is None else bad
    finder = Finder(kind)
    last_s = -math.inf
    for at_s, power_w in samples(lines, bad):
        if at_s - last_s > TICK_S:
            yield from _let_pass(finder, at_s, machine)
        last_s = at_s
        for mark in finder.sample(at_s, power_w):
            yield _event(mark, at_s, machine)
    # The recording is over, the clock is not: what was quiet at its end still comes due.
    yield from _let_pass(finder, last_s + SILENT_AFTER_S, machine)


def run_replay(
    files: Sequence[Path],
    kind: MachineKind,
    as_json: bool,  # noqa: FBT001 - the command line's own switch, handed on as it is
    out: TextIO,
    err: TextIO | None = None,
    *,
    picture: Path | None = None,
) -> int:
    """Replay each file by itself and print its events to ``out``: a JSON object a line, or a table.

    Bad lines and files that cannot be read are named on ``err`` (standard error unless given).
    ``picture``: a PNG file to draw the power and its cycles into; of several files each gets its own, with
    the machine's name in that of the picture. None: none is drawn.

    Returns:
        0, or 1 when a file could not be read to its end, or a picture not be drawn; what was read of it
        is printed.

    """
    err = sys.stderr if err is None else err
    failed = False
    for path in files:
        bad = BadLines()
        lines = Lines(path)
        events = replay(lines, kind, machine=_machine_name(path), bad=bad)
        kept: list[ReplayEvent] = []
        if as_json:
            out.writelines(json.dumps(asdict(event)) + "\n" for event in _keep(events, kept))
        else:
            kept = list(events)
            _print_table(path, kept, out)
        for number, reason in bad.named:
            err.write(f"{path}:{number}: {reason}\n")
        if bad.count:
            err.write(f"{path}: {bad.count} of {lines.count} lines could not be used\n")
        if lines.error:
            err.write(f"{path}: {lines.error}\n")
            failed = True
        elif bad.count == 0 and lines.count == 0:
            err.write(f"{path}: is empty: there is nothing to replay\n")
        if picture is not None:
            name = picture if len(files) == 1 else _of_machine(picture, path)
            failed |= not _draw(path, kept, name, err)
    return 1 if failed else 0


def _keep(events: Iterable[ReplayEvent], kept: list[ReplayEvent]) -> Iterator[ReplayEvent]:
    """Hand the events on, and keep those that a picture shows."""
    for event in events:
        if event.event != "minutes_left":
            kept.append(event)
        yield event


def _draw(path: Path, events: Sequence[ReplayEvent], picture: Path, err: TextIO) -> bool:
    # Only here: drawing is an extra that a room's daemon does not have.
    from edge.errors import PlotError  # noqa: PLC0415
    from edge.replay_plot import plot  # noqa: PLC0415

    try:
        plot(samples(Lines(path), BadLines()), events, picture, _machine_name(path))
    except PlotError as error:
        err.write(f"{error}\n")
        return False
    return True


def _of_machine(picture: Path, path: Path) -> Path:
    return picture.with_name(f"{picture.stem}-{_machine_name(path)}{picture.suffix}")


def _let_pass(finder: Finder, until_s: float, machine: str) -> Iterator[ReplayEvent]:
    """Tick at each moment before ``until_s`` at which something comes due, as the running edge would."""
    while (due_s := finder.due_s()) is not None and due_s < until_s:
        for mark in finder.advance(due_s):
            yield _event(mark, due_s, machine)
        if finder.due_s() == due_s:
            # Due, but the plug has fallen silent: only its next sample tells.
            return


def _event(mark: Mark, at_s: float, machine: str) -> ReplayEvent:
    match mark:
        case Start():
            return ReplayEvent("started", machine, at_s, mark.started_s)
        case End():
            return ReplayEvent("finished", machine, at_s, mark.started_s, mark.ended_s)
        case Resumed():
            return ReplayEvent("resumed", machine, at_s, mark.started_s, mark.ended_s)
        case Left():
            return ReplayEvent(
                "ending_soon" if mark.is_soon else "minutes_left",
                machine,
                at_s,
                mark.started_s,
                mark.ends_s,
                max(1, math.ceil((mark.ends_s - at_s) / 60 - 0.5)),
                mark.confidence,
            )


def _machine_name(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".csv")


def _print_table(path: Path, events: Sequence[ReplayEvent], out: TextIO) -> None:
    said = sum(event.event == "minutes_left" for event in events)
    caption = f"minutes left, said {said} times, are printed with --json" if said else None
    table = Table(
        title=f"{path.name}, times in UTC",
        title_justify="left",
        caption=caption,
        caption_justify="left",
    )
    for column in ("event", "started", "ended", "told, min", "ran, min"):
        table.add_column(column, no_wrap=True)
    for event in events:
        if event.event == "minutes_left":
            continue
        of_s = event.started_at if event.ended_at is None else event.ended_at
        table.add_row(
            "soon" if event.event == "ending_soon" else event.event,
            _utc(event.started_at),
            _utc(event.ended_at),
            _minutes(of_s, event.at),
            _minutes(event.started_at, event.ended_at),
        )
    Console(file=out).print(table)


def _utc(unix_s: float | None) -> str:
    return "" if unix_s is None else f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d %H:%M:%S}"


def _minutes(from_s: float | None, to_s: float | None) -> str:
    return "" if from_s is None or to_s is None else f"{(to_s - from_s) / 60:.1f}"
