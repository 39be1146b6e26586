"""Shelly's first generation: ``shellies/<id>/relay/<n>/power`` and ``.../energy``, each a plain number.

Power is in watts. The counter of a relay is in watt-**minutes** and starts at 0 with every reboot; that of
a wired meter (EM, 3EM: ``emeter/<n>/total``) is in watt-hours. Relays count from 0, channels here from 1.
Values come every 30 s and on change, or when ``update`` is published on ``shellies/<id>/command``, which
switches nothing. The topic is the plug's id alone, or what stands in its settings in its place.

Source: https://shelly-api-docs.shelly.cloud/gen1/#mqtt-support
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edge.sources import payload as payloads
from edge.sources.reading import Heard, Skip, SkipReason
from edge.sources.source import Ask, PlugSpec, checked_channel, checked_topic

NAME: Final = "shelly_gen1"
ROOT: Final = "shellies"
WH_PER_WATT_MINUTE: Final = 1 / 60
ONLINE: Final = b"true"
OFFLINE: Final = b"false"
_MEASURES: Final = re.compile(
    r"shellies/(?P<id>.+)/(?:relay/(?P<relay>\d{1,2})/(?:power|energy)"
    r"|emeter/(?P<meter>\d{1,2})/(?:power|total))"
)
_WILL: Final = re.compile(r"shellies/(?P<id>.+)/online")
_OTHER: Final = re.compile(r"shellies/.+/(?:relay|emeter|roller|input|light)/\d{1,2}(?:/.*)?")


@dataclass(frozen=True, slots=True)
class ShellyGen1Plug:
    """One machine behind one relay or meter of a Shelly; ``channel`` counts from 1."""

    machine: str
    topic: str
    channel: int = 1

    @property
    def _root(self) -> str:
        return f"{ROOT}/{self.topic}"

    @property
    def _scales(self) -> dict[str, float | None]:
        """Topic -> watt-hours in one of its counter's units; None: the topic is a power's."""
        relay = f"{self._root}/relay/{self.channel - 1}"
        meter = f"{self._root}/emeter/{self.channel - 1}"
        return {
            f"{relay}/power": None,
            f"{relay}/energy": WH_PER_WATT_MINUTE,
            f"{meter}/power": None,
            f"{meter}/total": 1.0,
        }

    def filters(self) -> tuple[str, ...]:
        """Name the topics of its power and counter, and of its will."""
        return (*self._scales, f"{self._root}/online")

    def asks(self) -> tuple[Ask, ...]:
        """Ask for all values now."""
        return (Ask(f"{self._root}/command", b"update"),)

    def parse(self, topic: str, payload: bytes, at: datetime) -> list[Heard | Skip] | Skip:
        """Read one message of the plug. Never raises; see ``Source.parse``."""
        if topic == f"{self._root}/online":
            return payloads.will(self.machine, at, payload, online=ONLINE, offline=OFFLINE)
        scales = self._scales
        if topic not in scales:
            return payloads.skip(SkipReason.UNKNOWN_TOPIC, topic)
        name, scale = topic.rpartition("/")[2], scales[topic]
        number = payloads.plain_number(payload, name)
        if scale is None:
            return payloads.measured(self.machine, at, power=payloads.power_w(number, name))
        return payloads.measured(self.machine, at, energy=payloads.energy_wh(number, name, scale))


def recognise(topic: str, payload: bytes) -> list[PlugSpec] | None:
    """Name the plug behind a message: one that measures, or one that came and can be asked."""
    measures = _MEASURES.fullmatch(topic)
    if measures is not None:
        number = measures["relay"] or measures["meter"]
        return [PlugSpec(NAME, measures["id"], int(number) + 1)]
    will = _WILL.fullmatch(topic)
    if will is not None:
        return [PlugSpec(NAME, will["id"], 1)] if payload == ONLINE else []
    return [] if _OTHER.fullmatch(topic) else None


def shelly_gen1_plug(machine: str, plug: PlugSpec) -> ShellyGen1Plug:
    """Build the source from a machine's settings; without a channel it is the first.

    Raises:
        SourceError: the topic or the channel cannot be used.

    """
    topic = checked_topic(machine, plug).removeprefix(f"{ROOT}/")
    return ShellyGen1Plug(machine, topic, checked_channel(machine, plug) or 1)
