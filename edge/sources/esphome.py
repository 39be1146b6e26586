"""ESPHome nodes: ``<prefix>/sensor/<sensor>/state``, each a plain number, ``nan`` when it has none.

Power is in watts unless the node's settings say otherwise; of the energy sensors some count Wh and some kWh,
so the unit must be said. ``<prefix>/status`` is the node's birth and will. A node cannot be asked: set
``update_interval: 10s`` on its sensors. It restarts every 15 min without a broker unless its
``reboot_timeout`` is ``0s``; its counters may begin again then.

Source: https://esphome.io/components/mqtt.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edge.sources import payload as payloads
from edge.sources.reading import Heard, Skip, SkipReason
from edge.sources.source import (
    W_PER_UNIT,
    WH_PER_UNIT,
    Ask,
    PlugSpec,
    checked_name,
    checked_topic,
    wrong,
)

NAME: Final = "esphome"
ONLINE: Final = b"online"
OFFLINE: Final = b"offline"
_STATE: Final = re.compile(r"(?P<prefix>.+)/sensor/(?P<sensor>[^/]+)/state")
_NOT_REAL_POWER: Final = ("factor", "apparent", "reactive")


def state_topic(prefix: str, sensor: str) -> str:
    """Topic of one sensor's values."""
    return f"{prefix}/sensor/{sensor}/state"


@dataclass(frozen=True, slots=True)
class EspHomePlug:
    """One machine behind a node's sensors. ``energy_sensor`` None: energy is not measured.

    ``w_per_unit`` and ``wh_per_unit`` are the sensors' units in watts and watt-hours.
    """

    machine: str
    topic: str
    power_sensor: str
    energy_sensor: str | None = None
    w_per_unit: float = 1.0
    wh_per_unit: float = 1.0

    def filters(self) -> tuple[str, ...]:
        """Name the topics of its sensors and of its will."""
        sensors = [self.power_sensor, *([self.energy_sensor] if self.energy_sensor else [])]
        return (*(state_topic(self.topic, one) for one in sensors), f"{self.topic}/status")

    def asks(self) -> tuple[Ask, ...]:
        """Give no question: a node knows none."""
        return ()

    def parse(self, topic: str, payload: bytes, at: datetime) -> list[Heard | Skip] | Skip:
        """Read one message of the node. Never raises; see ``Source.parse``."""
        if topic == f"{self.topic}/status":
            return payloads.will(self.machine, at, payload, online=ONLINE, offline=OFFLINE)
        if topic not in self.filters():
            return payloads.skip(SkipReason.UNKNOWN_TOPIC, topic)
        number = payloads.plain_number(payload, "state")
        if topic == state_topic(self.topic, self.power_sensor):
            power = payloads.power_w(number, self.power_sensor, self.w_per_unit)
            return payloads.measured(self.machine, at, power=power)
        energy = payloads.energy_wh(number, "energy", self.wh_per_unit)
        return payloads.measured(self.machine, at, energy=energy)


def recognise(topic: str, payload: bytes) -> list[PlugSpec] | None:
    """Name the plug behind a message of a sensor that is called power or watts."""
    found = _STATE.fullmatch(topic)
    if found is None:
        return None
    sensor = found["sensor"].lower()
    is_power = "power" in sensor or "watt" in sensor
    if not is_power or any(word in sensor for word in _NOT_REAL_POWER):
        return []
    if isinstance(payloads.plain_number(payload, "state"), Skip):
        return []
    return [PlugSpec(NAME, found["prefix"], power_sensor=found["sensor"])]


def esphome_plug(machine: str, plug: PlugSpec) -> EspHomePlug:
    """Build the source from a machine's settings.

    Raises:
        SourceError: a topic or a sensor's name is missing or cannot be used, or a unit is missing.

    """
    if plug.power_sensor is None:
        raise wrong(machine, "power_sensor is not set; write the id of the node's power sensor")
    if (plug.energy_sensor is None) != (plug.energy_unit is None):
        raise wrong(machine, "energy_sensor and energy_unit go together: give both or none")
    what = "the id in .../sensor/ID/state"
    return EspHomePlug(
        machine,
        checked_topic(machine, plug),
        checked_name(machine, plug.power_sensor, "power_sensor", what),
        checked_name(machine, plug.energy_sensor, "energy_sensor", what)
        if plug.energy_sensor is not None
        else None,
        W_PER_UNIT[plug.power_unit or "W"],
        WH_PER_UNIT[plug.energy_unit or "Wh"],
    )
