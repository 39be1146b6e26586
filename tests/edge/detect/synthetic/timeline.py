"""What one plug would have to measure over days: loads, displays, spikes, pauses between them. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from tests.bench.sensing.score import ReferenceCycle
from tests.edge.detect.synthetic.load import Load, Run, seeded

BEGIN_S: Final = 1_700_000_000.0
HOUR_S: Final = 3600.0
UNKNOWN_W: Final = math.nan
"""Power of a run in which the plug says nothing: it is unplugged, or the network is gone."""


@dataclass(slots=True)
class Timeline:
    """The true power of a machine from ``begin_s`` (Unix seconds) on, with its reference cycles."""

    floor_w: float = 0.0
    """Drawn all the time beside everything else, watts."""
    begin_s: float = BEGIN_S
    runs: list[Run] = field(default_factory=list)
    references: list[ReferenceCycle] = field(default_factory=list)
    now_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.now_s = self.begin_s

    def draw(self, *runs: Run) -> Timeline:
        """Draw these runs, floor included; no cycle."""
        for length, watts in runs:
            self.runs.append((length, watts + self.floor_w))
            self.now_s += length
        return self

    def idle(self, length_s: float) -> Timeline:
        return self.draw((length_s, 0.0))

    def spike(self, length_s: float = 4.0, watts: float = 400.0) -> Timeline:
        """Somebody switches it on and off, a pump drains what dripped: no cycle."""
        return self.draw((length_s, watts))

    def door(self, length_s: float = 40.0, watts: float = 5.0) -> Timeline:
        """The door is opened: a light burns, the lock clicks; no cycle."""
        return self.draw((1.0, 18.0), (length_s, watts), (1.0, 15.0))

    def delayed_start(self, length_s: float = 3 * HOUR_S, watts: float = 5.5) -> Timeline:
        """A delayed start is chosen: a blip of 20 W, then hours of a lit display; no cycle."""
        return self.draw((3.0, 24.0), (length_s, watts))

    def display(self, length_s: float, watts: float) -> Timeline:
        """The door stays closed after the end, the display on: 2 to 17 W with the floor."""
        return self.draw((length_s, max(0.0, watts - self.floor_w)))

    def silence(self, length_s: float) -> Timeline:
        """The plug says nothing, whatever happens; the traces' days without a file are such."""
        self.runs.append((length_s, UNKNOWN_W))
        self.now_s += length_s
        return self

    def load(self, load: Load, flag: str = "") -> Timeline:
        """Do a load: one reference cycle."""
        begin_s = self.now_s
        self.references.append(
            ReferenceCycle(
                begin_s + load.first_work_s,
                begin_s + load.last_work_s,
                begin_s + load.ready_s,
                flag,
            )
        )
        return self.draw(*load.runs)

    def swap(self, gap_s: float, seed: int = 0) -> Timeline:
        """Take the laundry out and put the next in, within ``gap_s``: the door is opened between."""
        rng = seeded(f"swap {seed}")
        opened_s = rng.uniform(0.2, 0.5) * gap_s
        open_s = min(rng.uniform(30, 120), gap_s - opened_s - 2)
        self.display(opened_s, max(2.5, self.floor_w)).door(open_s)
        return self.idle(gap_s - opened_s - open_s - 2)
