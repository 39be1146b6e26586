"""A running cycle, as far as it has come: its profile, and when it last worked and began to rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import Field

from edge.detect.profile import UNKNOWN, level_of
from edge.detect.rising import Rising
from edge.detect.rules import BEAT_S, BIN_S, CycleRule

_HEARD_SHARE: Final = 0.3
"""So much of a bin must have been heard to know its mean."""
BLIP_S: Final = 10.0
"""A door's light or a lock draws for so long, seconds: no work."""
BLIPS_MAX: Final = 3
"""More than so many within a rest are a soak, in which the drum turns."""
CALM_S: Final = 900.0
"""Nor does a rest with blips count for longer, seconds."""

Level = Annotated[int, Field(ge=0, le=UNKNOWN)]
Verdict = Literal["complete", "unsure", "doubtful", "incomplete"]
"""What the course before a seam looked like: one of the four below."""
COMPLETE: Final[Verdict] = "complete"
"""Over, as past cycles of the plug were, or as a dryer is that cooled its load down."""
UNSURE: Final[Verdict] = "unsure"
"""Late enough to be over, but nobody knows."""
DOUBTFUL: Final[Verdict] = "doubtful"
"""Late enough to be over, but past cycles went on from here."""
INCOMPLETE: Final[Verdict] = "incomplete"
"""Nothing speaks for its end but its rest."""


@dataclass(slots=True)
class Seam:
    """A rest in a course at which one load may have ended and another begun. Unix seconds.

    ``resumed_s``: first work after it; None: none yet. ``is_told``: the end was told.
    ``unheard_s``: for how long since it the plug was silent; such time does not make it older.
    ``turned_s``: last turn since, too short to be work; None: none. ``dried``: it dried before.
    """

    ended_s: float
    verdict: Verdict
    is_told: bool
    resumed_s: float | None = None
    turned_s: float | None = None
    dried: bool = False
    unheard_s: float = 0.0

    def since_s(self) -> float:
        """Since when it rests: a soaking drum that turns now and then does not begin anew."""
        return (self.ended_s if self.turned_s is None else self.turned_s) + self.unheard_s


@dataclass(slots=True)
class Course:
    """What is remembered of a running cycle, or of one that ended but may go on. Unix seconds, watts.

    ``grid_s``: where its first bin begins. ``low_s``: since when it draws less than work does, None: it
    works; ``idle_s``: the same, tumbling not counted as work; ``still_s``: since when it stands still;
    ``hole_s``: for how long of this rest the plug was not heard. ``calm_s``: last work before a rest that
    only ``blips`` interrupted: a door's light. ``is_cut``: there is a hole in it, so it teaches nothing.
    ``is_headless``: it was already running when the plug was first heard, for how long nobody knows.
    """

    started_s: float
    grid_s: float
    beats: int = 0
    levels: list[Level] = field(default_factory=list)
    bin_ws: float = 0.0
    bin_s: float = 0.0
    over_s: float = 0.0
    """Last active sample."""
    worked_s: float = 0.0
    """Last sample of work that counts for a dryer (see ``burst_s`` in the rules)."""
    burst_s: float = 0.0
    burst_on_s: float = 0.0
    low_s: float | None = None
    idle_s: float | None = None
    still_s: float | None = None
    hole_s: float = 0.0
    calm_s: float | None = None
    blips: int = 0
    is_cut: bool = False
    is_headless: bool = False
    seam: Seam | None = None

    def next_beat_s(self) -> float:
        """When it is next judged."""
        return self.grid_s + (self.beats + 1) * BEAT_S

    def calm_until(self) -> float:
        """Take note of work after a rest; since when there was no more than blips."""
        calm_s = self.calm_s
        is_blip = self.over_s - self.burst_s <= BLIP_S
        if (
            calm_s is None
            or not is_blip
            or self.over_s - calm_s > CALM_S
            or self.blips >= BLIPS_MAX
        ):
            calm_s, self.blips = self.over_s, 0
        else:
            self.blips += 1
        self.calm_s = calm_s
        return calm_s

    def hold(self, power_w: float, for_s: float) -> None:
        """Let ``power_w`` last for ``for_s`` seconds."""
        self.bin_ws += power_w * for_s
        self.bin_s += for_s

    def beat(self) -> int | None:
        """Pass a beat; the level of the bin that it completes, None: it completes none."""
        self.beats += 1
        if self.beats % round(BIN_S / BEAT_S):
            return None
        level = (
            level_of(self.bin_ws / self.bin_s) if self.bin_s >= _HEARD_SHARE * BIN_S else UNKNOWN
        )
        self.bin_ws = self.bin_s = 0.0
        self.levels.append(level)
        return level

    def work(self, at_s: float, since_s: float, rule: CycleRule, pace_s: float) -> None:
        """Take an active sample; ``since_s``: how long it has been active without a break before it."""
        self.over_s = at_s
        self.low_s = self.still_s = None
        self.hole_s = 0.0
        self.burst_on_s += since_s
        long_s = at_s - self.burst_s
        if long_s >= max(rule.dryer_burst_s, 1.5 * pace_s) and (
            self.burst_on_s >= rule.burst_duty * long_s
        ):
            self.worked_s, self.idle_s = at_s, None

    def work_since(self, rising: Rising) -> None:
        """Take the work that a start was told from."""
        self.over_s = self.worked_s = rising.over_s
        self.burst_s = rising.over_s if rising.rising_s is None else rising.rising_s
        self.burst_on_s = rising.on_s
        self.low_s = self.idle_s = self.still_s = self.calm_s = None
        self.hole_s = 0.0

    def fill(self, risen_ws: float, at_s: float) -> None:
        """Give a course that was told at ``at_s`` the bins that it has had, of so many watt-seconds."""
        mean_w = risen_ws / max(1.0, at_s - self.grid_s)
        while self.next_beat_s() <= at_s:
            self.hold(mean_w, BEAT_S)
            self.beat()
        self.hold(mean_w, at_s - self.grid_s - self.beats * BEAT_S)

    def unheard_until(self, at_s: float) -> list[int]:
        """Pass the time until ``at_s`` unheard; the bins that it completes, mostly unknown."""
        passed = []
        while self.next_beat_s() <= at_s:
            level = self.beat()
            if level is not None:
                passed.append(level)
        self.low_s = self.idle_s = self.still_s = None
        # What turns now is a new burst: the old one's share would be spoilt by the hole.
        self.burst_s, self.burst_on_s = at_s, 0.0
        return passed

    def begin_at(self, started_s: float) -> None:
        """Forget what was before another load began."""
        first_bin = self.index_of(started_s)
        self.grid_s += first_bin * BIN_S
        self.beats -= first_bin * round(BIN_S / BEAT_S)
        del self.levels[:first_bin]
        self.started_s, self.seam, self.calm_s = started_s, None, None
        self.is_cut = self.is_headless = False

    def is_ended(self) -> bool:
        """Say whether its end was told."""
        return self.seam is not None and self.seam.is_told

    def is_resting(self) -> bool:
        """Say whether its end was told, and no work was found since."""
        return self.seam is not None and self.seam.is_told and self.seam.resumed_s is None

    def index_of(self, moment_s: float) -> int:
        """Give the bin that a moment is in."""
        return max(0, min(len(self.levels), int((moment_s - self.grid_s) // BIN_S)))

    def ended_levels(self, ended_s: float) -> list[int]:
        """Give the bins up to an end."""
        return self.levels[: self.index_of(ended_s) + 1]
