"""The table of sources: what may stand as ``source`` in a plug's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edge.sources.source import PlugSpec, Source, SourceBuilder, SourceError
from edge.sources.tasmota import tasmota_plug

SOURCES: Final[Mapping[str, SourceBuilder]] = {
    "tasmota": tasmota_plug,
}
"""Name in the settings -> how to build it. A new make of plug is one file and one row."""


def build_source(machine: str, plug: PlugSpec) -> Source:
    """Build the source of one machine.

    Raises:
        SourceError: no such source, or settings that it cannot use.

    """
    builder = SOURCES.get(plug.source)
    if builder is None:
        raise SourceError(
            f"plug of machine {machine}: source is {plug.source!r}; "
            f"allowed: {', '.join(sorted(SOURCES))}"
        )
    return builder(machine, plug)
