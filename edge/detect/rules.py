"""The thresholds by kind of machine: one table, every number with its unit and its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from laundryd.wire.machines import MachineKind

SILENT_AFTER_S: Final = 600.0
"""A plug not heard for this long, seconds, is silent: its last value says nothing any more. Twice the
slowest usual report (Tasmota's 300 s), so one lost message is not a silence."""
FLOOR_TIME_CONSTANT_S: Final = 1_800.0
"""How fast the standby floor is learned, seconds of standing still: in the pause between two loads, but
not from the half minute in which a drum rests."""
FLOOR_STEP_S: Final = 60.0
"""The most that one sample may count for when the floor is learned, seconds."""
FLOOR_CEILING_W: Final = 19.0
"""Highest floor believed, watts: machines stand by at up to 17 W."""


@dataclass(frozen=True, slots=True)
class CycleRule:
    """How a machine's power is read. Powers in watts, times in seconds."""

    active_w: float
    """At or above it the machine works: pumps draw 20 to 40 W, displays and door locks less."""
    active_over_floor_w: float
    """The same, above a learned standby floor: the higher of the two counts."""
    quiet_w: float
    """Below it the machine stands still, unless its learned floor is higher."""
    quiet_over_floor_w: float
    """How far above the learned floor is still standing still: the noise of a cheap meter."""
    start_s: float
    """So long must it have worked before a start is told: longer than a spike or a door's light."""
    start_energy_wh: float
    """Or so much energy since the first active sample, once ``start_s`` have passed."""
    start_dip_s: float
    """A rest so long within the first minute is no start: drums turn and rest while the water runs in."""
    set_back_s: float
    """A turn that was no start by itself, but so shortly before one, belongs to it: some washers let the
    water in for two minutes after their first turn. Short for dryers, whose tumbling is of the load
    before."""
    lone_sample_s: float
    """One active report alone must stand so long uncontradicted: a slow plug may have caught a spike."""
    end_s: float
    """So long below ``quiet_w`` is an end. The longest rests within a wash were 170 to 341 s."""
    plateau_s: float
    """So long without reaching ``active_w`` is an end, for machines whose display or lock stays above
    ``quiet_w`` for hours."""
    burst_s: float
    """Work shorter than that does not put off an end: anti-crease tumbling, 15 to 20 s a turn. 0: any
    work counts, since a wash has short turns to its very end."""
    burst_gap_s: float
    """A rest longer than that parts two bursts of work."""
    longest_s: float
    """No programme is longer: after a silence that outlasts it, what runs is another load."""


_WASHER: Final = CycleRule(
    active_w=20.0,
    active_over_floor_w=8.0,
    quiet_w=10.0,
    quiet_over_floor_w=3.0,
    start_s=60.0,
    start_energy_wh=0.5,
    start_dip_s=45.0,
    set_back_s=180.0,
    lone_sample_s=120.0,
    end_s=300.0,
    plateau_s=600.0,
    burst_s=0.0,
    burst_gap_s=45.0,
    longest_s=6 * 3600.0,
)
_DRYER: Final = CycleRule(
    active_w=20.0,
    active_over_floor_w=8.0,
    quiet_w=10.0,
    quiet_over_floor_w=3.0,
    start_s=60.0,
    start_energy_wh=0.5,
    start_dip_s=45.0,
    set_back_s=45.0,
    lone_sample_s=120.0,
    end_s=300.0,
    plateau_s=600.0,
    burst_s=45.0,
    burst_gap_s=45.0,
    longest_s=6 * 3600.0,
)

RULES: Final[Mapping[MachineKind, CycleRule]] = MappingProxyType(
    {
        MachineKind.WASHER: _WASHER,
        MachineKind.DRYER: _DRYER,
        MachineKind.WASHER_DRYER: _WASHER,
    }
)
"""A washer-dryer washes first, so a wash's short turns count for it as they do for a washer."""
