"""What dashboards read over MQTT: flat JSON, numbers with units in their names, never who."""

from __future__ import annotations

from laundryd.wire.ids import Slug, WireModel
from laundryd.wire.machines import MachineKind
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.times import Moment


class MachineState(WireModel):
    """One machine for a dashboard. A field that is not known or not measured is None, never 0.

    ``minutes_left_confidence``, 0 to 1: how sure the plug's past cycles are; None: a timer says it.
    ``fault_reports``: how many residents' reports staff has not cleared, 20 at most; ``fault_text``: the
    newest one's words, on the room's own broker alone.
    """

    machine: Slug
    kind: MachineKind
    name: str
    phase: Phase
    sensor: Sensor
    since: Moment
    held_until: Moment | None = None
    started_at: Moment | None = None
    ends_at: Moment | None = None
    ended_at: Moment | None = None
    minutes_left: int | None = None
    minutes_left_confidence: float | None = None
    fault_reports: int = 0
    fault_text: str | None = None
    power_w: float | None = None
    energy_wh: float | None = None
    durable: bool = True
    """False while the room runs from memory: its disk is full, read-only or damaged."""


class MachineEvent(WireModel):
    """One change of one machine, as an event entity reads it. ``fault_text`` goes with ``fault_reported``."""

    event_type: Cause
    at: Moment
    machine: Slug
    phase: Phase
    fault_text: str | None = None
