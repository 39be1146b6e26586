"""Any other plug or meter: one topic with a plain number, or with JSON and the path to a number in it.

A path is names with dots between them, a number counts into a list from 0: ``ENERGY.Power``,
``meters.0.power``. A name with a dot of its own cannot be written. Numbers may stand in quotes. Nothing is
known of such a plug's presence, and it cannot be asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
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
    PowerUnit,
    checked_name,
    checked_topic,
    wrong,
)

NAME: Final = "generic"
DEPTH_MAX: Final = 8
"""Names in a path; no known payload nests deeper than four."""
_LOOK_DEPTH: Final = 3
_OURS: Final = ("laundry/", "homeassistant/", "$SYS/")
"""What no plug sends: our own topics, and descriptions of values."""
_POWER_NAMES: Final[dict[str, PowerUnit]] = {
    "power": "W",
    "power_w": "W",
    "apower": "W",
    "act_power": "W",
    "active_power": "W",
    "activepower": "W",
    "power_watts": "W",
    "watt": "W",
    "watts": "W",
    "power_mw": "mW",
    "power_kw": "kW",
}
"""What a power is called, lower case, and the unit that the name means."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one number stands. ``path`` None: the payload is the number."""

    topic: str
    path: tuple[str, ...] | None
    per_unit: float


@dataclass(frozen=True, slots=True)
class GenericPlug:
    """One machine behind one or two numbers; ``energy`` None: it is not measured."""

    machine: str
    power: Place
    energy: Place | None = None

    def filters(self) -> tuple[str, ...]:
        """Name the one topic or the two."""
        places = [self.power, *([self.energy] if self.energy else [])]
        return tuple(dict.fromkeys(place.topic for place in places))

    def asks(self) -> tuple[Ask, ...]:
        """Give no question: nobody knows one."""
        return ()

    def parse(self, topic: str, payload: bytes, at: datetime) -> list[Heard | Skip] | Skip:
        """Read one message of the plug. Never raises; see ``Source.parse``."""
        if topic not in self.filters():
            return payloads.skip(SkipReason.UNKNOWN_TOPIC, topic)
        power = energy = None
        if topic == self.power.topic:
            found = _value_at(payload, self.power.path, "power")
            power = payloads.power_w(found, "power", self.power.per_unit)
        if self.energy is not None and topic == self.energy.topic:
            found = _value_at(payload, self.energy.path, "energy")
            energy = payloads.energy_wh(found, "energy", self.energy.per_unit)
        missing = "no number where the settings say"
        return payloads.measured(self.machine, at, power=power, energy=energy, missing=missing)


def _value_at(payload: bytes, path: tuple[str, ...] | None, name: str) -> object:
    """Find what stands at ``path``, a number in quotes as a number; None: nothing, a skip: why not."""
    if path is None:
        if payload.lstrip().startswith((b"{", b"[")):
            return payloads.skip(
                SkipReason.MALFORMED, f"JSON: set {name}_path to find {name} in it"
            )
        return payloads.plain_number(payload, name)
    value: object = payloads.json_object(payload)
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isascii() and step.isdigit():
            index = int(step)
            value = value[index] if index < len(value) else None
        else:
            # Nothing is there, or it is a skip.
            return value if isinstance(value, Skip) else None
    return payloads.number_of(value.strip(), name) if isinstance(value, str) else value


def recognise(topic: str, payload: bytes) -> list[PlugSpec] | None:
    """Name the plugs behind a message that no make claims: numbers that are called power."""
    if topic.startswith(_OURS):
        return []
    body = payloads.json_object(payload)
    if not isinstance(body, Skip):
        return [
            PlugSpec(NAME, topic, power_path=".".join(path), power_unit=unit)
            for path, unit in _powers(body, ())
        ]
    unit = _POWER_NAMES.get(topic.rpartition("/")[2].lower())
    if unit is None or not isinstance(payloads.plain_number(payload, "power"), float):
        return None
    return [PlugSpec(NAME, topic, power_unit=unit)]


def _powers(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], PowerUnit]]:
    if isinstance(value, list):
        value = {str(index): one for index, one in enumerate(value)}
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        unit = _POWER_NAMES.get(name.lower())
        is_number = isinstance(inner, int | float) and not isinstance(inner, bool)
        if unit is not None and is_number and "." not in name:
            yield (*path, name), unit
        elif len(path) < _LOOK_DEPTH and "." not in name:
            yield from _powers(inner, (*path, name))


def generic_plug(machine: str, plug: PlugSpec) -> GenericPlug:
    """Build the source from a machine's settings.

    Raises:
        SourceError: a topic, a path or a unit is missing or cannot be used.

    """
    topic = checked_topic(machine, plug)
    power = Place(
        topic,
        _checked_path(machine, plug.power_path, "power_path"),
        W_PER_UNIT[plug.power_unit or "W"],
    )
    has_energy = plug.energy_topic is not None or plug.energy_path is not None
    if has_energy != (plug.energy_unit is not None):
        raise wrong(machine, "energy_unit goes with energy_topic or energy_path: give both or none")
    if plug.energy_unit is None:
        return GenericPlug(machine, power)
    energy = Place(
        topic
        if plug.energy_topic is None
        else checked_name(machine, plug.energy_topic, "energy_topic", "the counter's topic"),
        _checked_path(machine, plug.energy_path, "energy_path"),
        WH_PER_UNIT[plug.energy_unit],
    )
    if energy.topic == topic and (energy.path is None or energy.path == power.path):
        raise wrong(machine, "power and energy are the same number: give each its own path")
    if energy.topic == topic and power.path is None:
        raise wrong(
            machine, "energy_path needs power_path: one payload is not both number and JSON"
        )
    return GenericPlug(machine, power, energy)


def _checked_path(machine: str, path: str | None, name: str) -> tuple[str, ...] | None:
    if path is None:
        return None
    steps = tuple(path.split("."))
    if not all(steps) or len(steps) > DEPTH_MAX:
        raise wrong(
            machine,
            f"{name} is {json.dumps(path)}; write names with dots between them, {DEPTH_MAX} at most",
        )
    return steps
