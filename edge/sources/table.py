"""The table of sources: what may stand as ``source`` in a plug's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final

from edge.sources import esphome, generic, shelly_gen1, shelly_gen2, tasmota, zigbee2mqtt
from edge.sources.source import PlugSpec, Recogniser, Source, SourceBuilder, SourceError, wrong


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One make of plug. ``uses`` are the settings that it knows besides ``source`` and ``topic``."""

    build: SourceBuilder
    recognise: Recogniser
    uses: frozenset[str]


SOURCES: Final[Mapping[str, SourceRow]] = {
    tasmota.NAME: SourceRow(tasmota.tasmota_plug, tasmota.recognise, frozenset({"channel"})),
    shelly_gen1.NAME: SourceRow(
        shelly_gen1.shelly_gen1_plug, shelly_gen1.recognise, frozenset({"channel"})
    ),
    shelly_gen2.NAME: SourceRow(
        shelly_gen2.shelly_gen2_plug, shelly_gen2.recognise, frozenset({"channel"})
    ),
    zigbee2mqtt.NAME: SourceRow(
        zigbee2mqtt.zigbee2mqtt_plug, zigbee2mqtt.recognise, frozenset({"channel", "base_topic"})
    ),
    esphome.NAME: SourceRow(
        esphome.esphome_plug,
        esphome.recognise,
        frozenset({"power_sensor", "energy_sensor", "power_unit", "energy_unit"}),
    ),
    generic.NAME: SourceRow(
        generic.generic_plug,
        generic.recognise,
        frozenset({"power_path", "energy_topic", "energy_path", "power_unit", "energy_unit"}),
    ),
}
"""Name in the settings -> the make. A new one is one file and one row; the one that guesses is last."""


def build_source(machine: str, plug: PlugSpec) -> Source:
    """Build the source of one machine.

    Raises:
        SourceError: no such source, or settings that it cannot use.

    """
    row = SOURCES.get(plug.source)
    if row is None:
        raise SourceError(
            f"plug of machine {machine}: source is {plug.source!r}; "
            f"allowed: {', '.join(sorted(SOURCES))}"
        )
    for name in _given(plug):
        if name not in row.uses:
            users = ", ".join(other for other, one in SOURCES.items() if name in one.uses)
            raise wrong(machine, f"{name} is not for the source {plug.source} but for {users}")
    return row.build(machine, plug)


def recognised(topic: str, payload: bytes) -> list[PlugSpec]:
    """Name the plugs that a message may come from, as each make that claims it says.

    The generic one is asked only when no make claims the message.
    """
    found: list[PlugSpec] = []
    claimed = False
    for name, row in SOURCES.items():
        if name == generic.NAME and claimed:
            break
        specs = row.recognise(topic, payload)
        if specs is not None:
            claimed = True
            found += specs
    return found


def _given(plug: PlugSpec) -> Iterator[str]:
    for field in fields(plug):
        if field.name not in {"source", "topic"} and getattr(plug, field.name) is not None:
            yield field.name
