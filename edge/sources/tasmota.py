"""Tasmota plugs: ``tele/<topic>/SENSOR``, ``stat/<topic>/STATUS10``, ``tele/<topic>/LWT``.

Power is in watts, the counter ``Total`` in kWh. A plug with several channels sends lists. ``Time`` is
local without a zone, so a reading's time is when it was heard. With the default full topic
``%prefix%/%topic%/``; values come every 300 s unless ``PowerDelta`` or ``TelePeriod`` is set, or when
asked by ``cmnd/<topic>/Status 10``.

A bulb or a plain switch sounds like a plug until it is asked: its birth is recognised, its answer tells.

Source: https://tasmota.github.io/docs/MQTT/ and https://tasmota.github.io/docs/JSON-Status-Responses/
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edge.sources import payload as payloads
from edge.sources.reading import Heard, Skip, SkipReason
from edge.sources.source import Ask, PlugSpec, checked_channel, checked_topic

NAME: Final = "tasmota"
WH_PER_KWH: Final = 1000.0
ONLINE: Final = b"Online"
OFFLINE: Final = b"Offline"


def sensor_topic(topic: str) -> str:
    """Topic of a plug's regular report."""
    return f"tele/{topic}/SENSOR"


def status_topic(topic: str) -> str:
    """Topic of a plug's answer to ``Status 10``."""
    return f"stat/{topic}/STATUS10"


def lwt_topic(topic: str) -> str:
    """Topic of a plug's birth and will, retained."""
    return f"tele/{topic}/LWT"


@dataclass(frozen=True, slots=True)
class TasmotaPlug:
    """One machine behind a Tasmota plug, or behind one channel of it (counted from 1).

    ``channel`` None: the plug has one, or several that all feed this machine (three phases): their
    powers are added.
    """

    machine: str
    topic: str
    channel: int | None = None

    def filters(self) -> tuple[str, ...]:
        """Name the topics of its regular report, of its answer when asked, and of its will."""
        return sensor_topic(self.topic), status_topic(self.topic), lwt_topic(self.topic)

    def asks(self) -> tuple[Ask, ...]:
        """Ask for the values now: the next regular report may be five minutes away."""
        return (Ask(f"cmnd/{self.topic}/Status", b"10"),)

    def parse(self, topic: str, payload: bytes, at: datetime) -> list[Heard | Skip] | Skip:
        """Read one message of the plug. Never raises; see ``Source.parse``."""
        if topic == lwt_topic(self.topic):
            return payloads.will(self.machine, at, payload, online=ONLINE, offline=OFFLINE)
        body = payloads.json_object(payload)
        if isinstance(body, Skip):
            return body
        if topic == status_topic(self.topic):
            inner = body.get("StatusSNS")
            if not isinstance(inner, dict):
                return payloads.skip(SkipReason.NOT_MEASURED, "no StatusSNS in the answer")
            body = inner
        elif topic != sensor_topic(self.topic):
            return payloads.skip(SkipReason.UNKNOWN_TOPIC, topic)
        return self._energy(body, at)

    def _energy(self, body: dict[str, object], at: datetime) -> list[Heard | Skip] | Skip:
        energy = body.get("ENERGY")
        if not isinstance(energy, dict):
            return payloads.skip(SkipReason.NOT_MEASURED, "no ENERGY: is this a metering plug?")
        return payloads.measured(
            self.machine,
            at,
            power=self._power(energy.get("Power")),
            energy=self._total(energy.get("Total"), several=isinstance(energy.get("Power"), list)),
            missing="neither Power nor Total in ENERGY",
        )

    def _power(self, value: object) -> float | Skip | None:
        if not isinstance(value, list):
            if value is not None and self.channel is not None and self.channel > 1:
                return self._no_channel(1)
            return payloads.power_w(value, "Power")
        if self.channel is None:
            return _sum([payloads.power_w(one, "Power") for one in value])
        if self.channel > len(value):
            return self._no_channel(len(value))
        return payloads.power_w(value[self.channel - 1], "Power")

    def _total(self, value: object, *, several: bool) -> float | Skip | None:
        if isinstance(value, list):
            if self.channel is None:
                return _sum([payloads.energy_wh(one, "Total", WH_PER_KWH) for one in value])
            # Fewer counters than channels: this channel's energy is not measured on its own.
            one = value[self.channel - 1] if self.channel <= len(value) else None
            return payloads.energy_wh(one, "Total", WH_PER_KWH)
        if several and self.channel is not None:
            # One counter for several machines: it is not this machine's energy.
            return None
        return payloads.energy_wh(value, "Total", WH_PER_KWH)

    def _no_channel(self, found: int) -> Skip:
        return payloads.skip(
            SkipReason.NO_SUCH_CHANNEL, f"channel {self.channel} is set, the plug has {found}"
        )


def _sum(values: list[float | Skip | None]) -> float | Skip | None:
    """Add the channels. One that is not measured makes the sum not measured; an empty list likewise."""
    total = 0.0
    for value in values:
        if value is None or isinstance(value, Skip):
            return value
        total += value
    return total if values else None


def recognise(topic: str, payload: bytes) -> list[PlugSpec] | None:
    """Name the plugs behind a message; a plug that sends lists is one for each channel."""
    match topic.split("/"):
        case ["tele", *middle, "LWT"] if middle:
            return [PlugSpec(NAME, "/".join(middle))] if payload == ONLINE else []
        case ["tele", *middle, "SENSOR"] | ["stat", *middle, "STATUS10"] if middle:
            return _metering("/".join(middle), payload)
        case ["tele" | "stat" | "cmnd", _, *_]:
            return []
        case _:
            return None


def _metering(topic: str, payload: bytes) -> list[PlugSpec]:
    body = payloads.json_object(payload)
    inner = {} if isinstance(body, Skip) else body.get("StatusSNS", body)
    energy = inner.get("ENERGY") if isinstance(inner, dict) else None
    if not isinstance(energy, dict):
        return []
    power = energy.get("Power")
    if isinstance(power, list):
        return [PlugSpec(NAME, topic, channel) for channel in range(1, len(power) + 1)]
    return [PlugSpec(NAME, topic)]


def tasmota_plug(machine: str, plug: PlugSpec) -> TasmotaPlug:
    """Build the source from a machine's settings.

    Raises:
        SourceError: the topic or the channel cannot be used.

    """
    return TasmotaPlug(machine, checked_topic(machine, plug), checked_channel(machine, plug))
