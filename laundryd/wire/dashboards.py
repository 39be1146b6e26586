"""What dashboards read over MQTT: flat JSON, numbers with units in their names, never who."""

from __future__ import annotations

from laundryd.wire.ids import Slug, WireModel
from laundryd.wire.machines import MachineKind
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.times import Moment


class MachineState(WireModel):
    """One machine for a dashboard. A field that is not known or not measured is None, never 0."""

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


class MachineEvent(WireModel):
    """One change of one machine, as an event entity reads it."""

    event_type: Cause
    at: Moment
    machine: Slug
    phase: Phase
