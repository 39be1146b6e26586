"""How a plug measures a timeline: every second, now and then, on change, with holes. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.edge.detect.synthetic.load import Run, seeded
from tests.edge.detect.synthetic.timeline import Timeline

Sample = tuple[float, float]
"""(Unix seconds, watts)"""


@dataclass(frozen=True, slots=True)
class Plug:
    """How one plug samples. Each sample holds what was drawn at its moment.

    ``every_s``: the steps between samples, one drawn at random for each.
    ``step_w``: its resolution, watts. ``noise``: how far it wanders, as a share of the power at work.
    ``on_change_w``: it says nothing until the power moved so far from what it last said; None: it
    repeats itself.
    """

    every_s: Sequence[float] = (1.0,)
    step_w: float = 0.1
    noise: float = 0.02
    on_change_w: float | None = None

    def samples(self, timeline: Timeline, seed: int = 0) -> list[Sample]:
        """Measure a timeline from its first moment to its last."""
        rng = seeded(f"plug {seed}")
        said_w = math.inf
        taken: list[Sample] = []
        for at_s, watts in self._measured(timeline.runs, timeline.begin_s, rng):
            if self.on_change_w is None or abs(watts - said_w) >= self.on_change_w:
                taken.append((at_s, watts))
                said_w = watts
        return taken

    def _measured(self, runs: Iterable[Run], begin_s: float, rng: Random) -> Iterator[Sample]:
        at_s = ends_s = begin_s
        for length, watts in runs:
            ends_s += length
            if math.isnan(watts):
                at_s = max(at_s, ends_s)
            while at_s < ends_s:
                # Noise only at work: a plug on change is silent for hours while a machine stands by.
                wanders = rng.uniform(-self.noise, self.noise) if watts > 20 else 0.0
                yield at_s, round(round(watts * (1 + wanders) / self.step_w) * self.step_w, 3)
                still = self.on_change_w is not None and watts <= 20
                at_s += max(rng.choice(self.every_s), ends_s - at_s if still else 0.0)


EVERY_SECOND = Plug()
JITTERED = Plug(every_s=(1, 1, 2, 2, 3, 4, 8), step_w=2.0)
"""As the recorded traces: 1 to 8 s apart, 2 W steps."""
ON_CHANGE = Plug(step_w=0.1, on_change_w=2.0)
"""Silent for hours while nothing changes."""
EVERY_MINUTE = Plug(every_s=(60.0,), step_w=1.0)

PLUGS = {
    "every second": EVERY_SECOND,
    "jittered": JITTERED,
    "on change": ON_CHANGE,
    "every minute": EVERY_MINUTE,
}


def lost(samples: Iterable[Sample], from_s: float, length_s: float) -> list[Sample]:
    """Return the samples without those of a hole in the data."""
    return [one for one in samples if not from_s <= one[0] < from_s + length_s]


def rebooted(samples: Iterable[Sample], at_s: float, away_s: float = 25.0) -> list[Sample]:
    """Return the samples of a plug that starts anew: away, then a first value of 0 W, then the truth."""
    kept = lost(samples, at_s, away_s)
    return sorted([*kept, (at_s + away_s - 0.5, 0.0)])


def clock_jumped(samples: Iterable[Sample], at_s: float, by_s: float = 3600.0) -> list[Sample]:
    """Return the samples in their order of arrival when the clock jumps by ``by_s`` at ``at_s``."""
    return [(at + by_s if at >= at_s else at, watts) for at, watts in samples]


def lines(samples: Iterable[Sample]) -> list[str]:
    """Write samples as a replay reads them."""
    return ["unix_s,watts\n", *(f"{at:.3f},{watts:g}\n" for at, watts in samples)]
