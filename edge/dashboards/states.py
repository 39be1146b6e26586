"""Machine states for dashboards: what to publish where, and when, decided without I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from laundryd.wire.dashboards import MachineState
from laundryd.wire.ids import Slug
from laundryd.wire.machines import MachineView

MEASURED_INTERVAL_S: Final = 10.0
"""Real seconds between two states of one machine that differ only in what was measured."""
SECONDS_A_MINUTE: Final = 60
COUNTED_INTERVAL_S: Final = 60.0
"""Real seconds after which the minutes left that stand at the broker are no longer true."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The newest measurement of one plug; None is not measured."""

    power_w: float | None = None
    energy_wh: float | None = None


@dataclass(frozen=True, slots=True)
class Faults:
    """What residents reported of one machine. ``text``: the newest report's; None where it may not go."""

    reports: int = 0
    text: str | None = None


def machine_state(
    view: MachineView,
    now: datetime,
    measured: Measured = Measured(),
    faults: Faults = Faults(),
    *,
    durable: bool = True,
) -> MachineState:
    """Return the flat state of ``view`` at room time ``now``.

    A machine that still runs has a minute left at least: an expected end that has passed is about to be
    taken back, and nobody should read it as done.
    """
    minutes_left = None
    if view.ends_at is not None:
        left_s = (view.ends_at - now).total_seconds()
        minutes_left = max(1, math.ceil(left_s / SECONDS_A_MINUTE))
    return MachineState(
        machine=view.machine,
        kind=view.kind,
        name=view.name,
        phase=view.phase,
        sensor=view.sensor,
        since=view.since,
        held_until=view.held_until,
        started_at=view.started_at,
        ends_at=view.ends_at,
        ended_at=view.ended_at,
        minutes_left=minutes_left,
        minutes_left_confidence=view.ends_confidence,
        fault_reports=faults.reports,
        fault_text=faults.text,
        power_w=measured.power_w,
        energy_wh=measured.energy_wh,
        durable=durable,
    )


class StateBoard:
    """Which machines' states are due at the room's broker and at the cloud's.

    A change of a machine is due at once at both; a new measurement is due at the room's broker alone,
    ``MEASURED_INTERVAL_S`` after the last state of that machine, and so are minutes left that nobody
    measures, ``COUNTED_INTERVAL_S`` after it.
    """

    def __init__(self) -> None:
        self._changed_room: set[Slug] = set()
        self._changed_cloud: set[Slug] = set()
        self._measured: dict[Slug, Measured] = {}
        self._stale: set[Slug] = set()
        self._sent_at_s: dict[Slug, float] = {}

    def changed(self, machine: Slug) -> None:
        """Take note that residents see ``machine`` differently now."""
        self._changed_room.add(machine)
        self._changed_cloud.add(machine)

    def missed(self, machine: Slug, *, at_cloud: bool) -> None:
        """Take note that a broker did not take the state: it stays due, or the old one stands for ever."""
        (self._changed_cloud if at_cloud else self._changed_room).add(machine)

    def all_changed(self, machines: Mapping[Slug, object], *, at_cloud: bool) -> None:
        """Make every machine due: the broker is new to us, or lost what it kept."""
        (self._changed_cloud if at_cloud else self._changed_room).update(machines)

    def measured(self, machine: Slug, measured: Measured) -> None:
        """Take note of a new measurement."""
        self._measured[machine] = measured
        self._stale.add(machine)

    def measurement(self, machine: Slug) -> Measured:
        """Return the newest measurement of ``machine``."""
        return self._measured.get(machine, Measured())

    def due_room(self, now_s: float, counting_down: Iterable[Slug] = ()) -> list[Slug]:
        """Return the machines whose state goes to the room's broker at monotonic ``now_s``.

        ``counting_down``: the machines with minutes left.
        """
        settled = {
            machine
            for machine in self._stale
            if now_s >= self._sent_at_s.get(machine, -math.inf) + MEASURED_INTERVAL_S
        }
        due = self._changed_room | settled
        due |= {
            machine
            for machine in counting_down
            if now_s >= self._sent_at_s.get(machine, now_s) + COUNTED_INTERVAL_S
        }
        self._changed_room = set()
        self._stale -= due
        self._sent_at_s.update(dict.fromkeys(due, now_s))
        return sorted(due)

    def due_cloud(self) -> list[Slug]:
        """Return the machines whose state goes to the cloud's broker."""
        due, self._changed_cloud = sorted(self._changed_cloud), set()
        return due
