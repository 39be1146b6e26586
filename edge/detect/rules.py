"""The thresholds by kind of machine: one table, every number with its unit and its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from laundryd.wire.machines import MachineKind

SECONDS_PER_HOUR: Final = 3600.0
SILENT_AFTER_S: Final = 600.0
"""A plug not heard for this long, seconds, is silent: its last value says nothing any more. Twice the
slowest usual report (Tasmota's 300 s), so one lost message is not a silence."""
BEAT_S: Final = 10.0
"""While a machine runs, what the passing of time shows is judged this often, seconds, on a grid of the
cycle's own: so neither samples nor ticks in between change what is found."""
BIN_S: Final = 30.0
"""One point of a cycle's profile, seconds: longer than a turn of a drum and its rest, so that two runs
of a programme look alike. A whole number of beats."""
FLOOR_RISE_S: Final = 7_200.0
"""How fast the standby floor is believed to be higher, seconds: a display lit for an hour is no floor."""
FLOOR_FALL_S: Final = 600.0
"""How fast it is believed to be lower, seconds: nothing draws less than standby."""
FLOOR_STEP_S: Final = 60.0
"""The floor is learned from means over so many seconds of standing still."""
FLOOR_CEILING_W: Final = 19.0
"""Highest floor believed, watts: machines stand by at up to 17 W."""
WEAK_W: Final = 15.0
"""What draws less than so much more than work at least does is only a start, watts, ..."""
WEAK_S: Final = 600.0
"""... if it lasts so long, seconds: a light in the drum, a pump that drains; a drum draws more."""
USUAL_PACE_S: Final = 10.0
"""A plug that reports so often, seconds, misses no turn of a drum."""
REST_PACES: Final = 6.0
"""A slower one may catch a turning drum at rest so many times in a row."""
REPEATS_NEVER: Final = 0.03
"""A plug of which so few reports repeat the last value reports on change: its silence says that nothing
changed. Of any other a silence is a hole in the data."""
SILENCE_PACES: Final = 4.0
"""A report so many times later than is usual for this plug is missing, not late."""
SILENCE_MIN_S: Final = 45.0
"""No silence is shorter, seconds: reports come late over a busy radio."""
HEARD_REST_S: Final = 90.0
"""So much of a rest must have been heard, seconds, before silence may make an end of it: the last report
before a hole may have caught a drum that rested for a moment."""
RESUME_S: Final = 1_200.0
"""So long after its end a load may still go on, seconds: soaks and a resident's pauses last up to
fifteen minutes. What starts later is another load."""
CUT_S: Final = 120.0
"""A cycle with a longer hole in it, seconds, teaches nothing of its shape."""
SOAK_S: Final = 3_600.0
"""And no longer than that, however often its drum turns meanwhile."""


@dataclass(frozen=True, slots=True)
class CycleRule:
    """How a machine's power is read. Powers in watts, times in seconds."""

    active_w: float = 20.0
    """At or above it the machine works: pumps draw 20 to 40 W, displays and door locks less."""
    active_over_floor_w: float = 8.0
    """The same, above a learned standby floor: the higher of the two counts."""
    still_w: float = 5.0
    """Below it the machine stands still, unless its learned floor is higher: valves and pumps draw more."""
    still_over_floor_w: float = 3.0
    """How far above the learned floor is still standing still: the noise of a cheap meter."""
    start_s: float = 60.0
    """So long must it have worked before a start is told: longer than a spike or a door's light."""
    start_energy_wh: float = 0.5
    """Or so much energy since the first active sample, once ``start_s`` have passed."""
    start_dip_s: float = 45.0
    """A rest so long within the first minute is no start: drums turn and rest while the water runs in."""
    set_back_s: float = 180.0
    """A turn that was no start by itself, but so shortly before one, belongs to it: some washers let the
    water in for two minutes after their first turn. Short for dryers, whose tumbling is of the load
    before."""
    lone_sample_s: float = 120.0
    """One active report alone must stand so long uncontradicted: a slow plug may have caught a spike."""
    end_s: float = 345.0
    """So long a rest is an end when nothing else speaks for one: the longest dip seen within a wash was
    341 s, part of it lost samples."""
    end_late_s: float = 210.0
    """The same, late in a programme: long after a washer heated; a dryer that cooled down."""
    end_spun_s: float = 230.0
    """The same, after a cold wash has just spun at its fastest: it may also have been a spin between."""
    end_known_s: float = 180.0
    """The same, where past cycles of this plug ended: more than any rest that was seen standing still."""
    end_unsteady_s: float = 400.0
    """The same, while more is drawn than by standing still (a lit display, or a valve: the longest dip
    under 20 W within a wash was 341 s)."""
    end_unheard_s: float = 570.0
    """The same, with the plug unheard for minutes of the rest: a dip may lie in the hole wholly."""
    end_known_unsteady_s: float = 240.0
    """The same, where past cycles of this plug ended."""
    known_rest_s: float = 180.0
    """A rest that past cycles had at this point may last so much longer than it did then."""
    heat_w: float = 1_000.0
    """A mean over a bin that is heating; for a dryer at least ``heat_min_w`` and ``heat_share`` of its
    peak: a heat pump draws 400 to 900 W."""
    late_s: float = 1_200.0
    """A washer that heated so long ago is late in its programme: rinses and spins are left."""
    dryer_burst_s: float = 45.0
    """Work shorter than that does not put off the end of drying: anti-crease tumbling, 15 to 20 s a turn.
    For a wash any work counts: it has short turns to its very end."""
    burst_gap_s: float = 20.0
    """A rest longer than that parts two bursts of work."""
    burst_duty: float = 0.75
    """Work must fill so much of a burst: tumbling by turns of half a minute does not."""
    spin_w: float = 150.0
    """A spin draws at least so much in the mean of a bin, and the most that this cycle's motor does."""
    spun_s: float = 480.0
    """A wash that spun at its fastest so shortly before it rests may be over."""
    seam_rest_s: float = 90.0
    """After a rest so long within a cycle, what follows may be another load."""
    longest_s: float = 6 * 3600.0
    """No programme is longer: after a silence that outlasts it, what runs is another load."""
    longest_silence_s: float = 2 * 3600.0
    """After a silence so long what was running is over, whatever is seen then."""


HEAT_MIN_W: Final = 350.0
"""A dryer's drum and fan draw less, watts."""
HEAT_SHARE: Final = 0.4
"""Share of the highest bin of a dryer's cycle that is still heating."""
COOLED_S: Final = 180.0
"""A dryer that turned so long without heating cooled its load down: the pauses of a thermostat last one
minute."""
COOLED_LONG_S: Final = 480.0
"""One that turned so long without heating is done when it stops; before, somebody may have stopped it."""
STEADY_TURN_S: Final = 90.0
"""So long does no drum tumble in one go only against creases; in a load that was stopped it does."""
TUMBLING_S: Final = 45 * 60.0
"""So long after a dryer's end its drum may turn without being a new load: half an hour was seen."""
DRYING_WINDOW_S: Final = 1_200.0
DRYING_SHARE: Final = 0.6
"""A washer-dryer of which so great a share of the bins of such a window is warm dries."""
DRYING_AGAIN_S: Final = 1_200.0
"""If it did not heat for so long before: a prewash and a wash lie closer together."""
DRY_AT_ONCE_S: Final = 150.0
"""Drying heats so soon, seconds; a wash lets the water in first."""

_WASHER: Final = CycleRule()
_DRYER: Final = CycleRule(set_back_s=45.0, end_known_s=120.0, end_late_s=150.0)
_WASHER_DRYER: Final = CycleRule(end_late_s=240.0, end_spun_s=240.0, end_known_s=200.0)

RULES: Final[Mapping[MachineKind, CycleRule]] = MappingProxyType(
    {
        MachineKind.WASHER: _WASHER,
        MachineKind.DRYER: _DRYER,
        MachineKind.WASHER_DRYER: _WASHER_DRYER,
    }
)
"""A washer-dryer washes first, so a wash's short turns count for it as they do for a washer, until it
dries: then a dryer's rule counts. Between the two it may rest."""
