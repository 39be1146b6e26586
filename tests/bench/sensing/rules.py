"""The rival rules, written anew from their published numbers, so that a table can stand beside ours.

Each is a power over which a machine starts and one under which it stops, with how long either must last.
All are treated as kindly as the numbers allow: a value holds until the next sample, through any silence,
and their delays run by a clock of their own, so that a silent plug does not hold up an end (Home
Assistant's own timers do so; projects that count only when a sample comes would do worse). None sets an
end back, learns, or foretells anything: their "finished" speaks of the moment the power fell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from edge.replay import ReplayEvent

SECONDS_PER_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class RivalRule:
    """Over ``start_w`` for ``start_s`` and ``start_wh`` is a start; below ``stop_w`` for ``stop_s`` an end.

    Watts, seconds, watt-hours. One sample on the other side begins the delay anew.
    """

    name: str
    start_w: float
    start_s: float
    start_wh: float
    stop_w: float
    stop_s: float


BLUEPRINT: Final = RivalRule(
    "blueprint: 5 W 5 min both ways", start_w=5, start_s=300, start_wh=0, stop_w=5, stop_s=300
)
"""Home Assistant's well-known "appliance has finished" blueprint."""
MQTT_WASHDATA: Final = RivalRule(
    "mqtt-washdata: 20 W 20 s, 5 W 180 s", start_w=20, start_s=20, start_wh=0, stop_w=5, stop_s=180
)
HA_WASHDATA: Final = RivalRule(
    "ha_washdata: 3 W 5 s 0.2 Wh, 1.2 W 480 s",
    start_w=3,
    start_s=5,
    start_wh=0.2,
    stop_w=1.2,
    stop_s=480,
)
"""Its fallback while no profile is known."""
RIVALS: Final = (BLUEPRINT, MQTT_WASHDATA, HA_WASHDATA)


def rival_events(rule: RivalRule, samples: Iterable[tuple[float, float]]) -> Iterator[ReplayEvent]:
    """Run a rule over (Unix seconds, watts) in the order of time, from knowing nothing."""
    started_s: float | None = None
    since_s: float | None = None  # rising while stopped, falling while running
    energy_wh = 0.0
    last_s = last_w = 0.0
    for at_s, power_w in samples:
        if since_s is not None:
            energy_wh += last_w * (at_s - last_s) / SECONDS_PER_HOUR
            if started_s is not None and at_s - since_s >= rule.stop_s:
                yield ReplayEvent("finished", "", since_s + rule.stop_s, started_s, since_s)
                started_s = since_s = None
            elif started_s is None and _has_started(rule, at_s - since_s, energy_wh):
                told_s = max(since_s + rule.start_s, at_s if rule.start_wh else 0.0)
                yield ReplayEvent("started", "", told_s, since_s)
                started_s, since_s = since_s, None
        falling = power_w < rule.stop_w
        towards = falling if started_s is not None else power_w > rule.start_w
        if not towards:
            since_s = None
        elif since_s is None:
            since_s, energy_wh = at_s, 0.0
        last_s, last_w = at_s, power_w
    if started_s is not None and since_s is not None:
        # The recording is over, the rule's own clock is not.
        yield ReplayEvent("finished", "", since_s + rule.stop_s, started_s, since_s)


def _has_started(rule: RivalRule, lasted_s: float, energy_wh: float) -> bool:
    return lasted_s >= rule.start_s and energy_wh >= rule.start_wh
