"""Shelly's second generation and later: JSON under the plug's own prefix.

- ``<prefix>/status/switch:<n>`` (a relay) or ``.../pm1:<n>`` (a meter without one): the whole component,
  if "Generic status update over MQTT" is on in the plug;
- ``<prefix>/events/rpc``: ``NotifyStatus`` with only what changed, ``NotifyFullStatus`` with everything, if
  "RPC status notifications over MQTT" is on, as it is when new;
- ``<prefix>/online``: its birth and will, ``true`` or ``false``.

``apower`` is in watts, ``aenergy.total`` in watt-hours. Components count from 0, channels here from 1. A plug
is asked by a ``Shelly.GetStatus`` on ``<prefix>/rpc``, which switches nothing; it answers on the topic that
the question's ``src`` names, ours stands under the plug's own prefix so that one rule of the broker covers
both.

Source: https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Mqtt,
https://shelly-api-docs.shelly.cloud/gen2/General/RPCChannels
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edge.sources import payload as payloads
from edge.sources.reading import Heard, Skip, SkipReason
from edge.sources.source import Ask, PlugSpec, checked_channel, checked_topic

NAME: Final = "shelly_gen2"
KINDS: Final = ("switch", "pm1")
"""Components that measure one load."""
METERS: Final = frozenset({"apower", "aenergy"})
"""What a component that measures has, one of them at least."""
ONLINE: Final = b"true"
OFFLINE: Final = b"false"
ASKER: Final = "laundryd"
_COMPONENT: Final = re.compile(r"(?:switch|pm1):(?P<number>\d{1,2})")
_TOPIC: Final = re.compile(
    r"(?P<prefix>.+)/(?P<end>status/[a-z0-9_]+:\d{1,3}|status|events/rpc|laundryd/rpc|online)"
)


def events_topic(prefix: str) -> str:
    """Topic of a plug's notifications."""
    return f"{prefix}/events/rpc"


def answer_topic(prefix: str) -> str:
    """Topic of a plug's answers to us."""
    return f"{prefix}/{ASKER}/rpc"


@dataclass(frozen=True, slots=True)
class ShellyGen2Plug:
    """One machine behind one component of a Shelly; ``channel`` counts from 1."""

    machine: str
    topic: str
    channel: int = 1

    @property
    def _components(self) -> tuple[str, ...]:
        return tuple(f"{kind}:{self.channel - 1}" for kind in KINDS)

    def filters(self) -> tuple[str, ...]:
        """Name the topics of its component, its notifications, its answers and its will."""
        return (
            *(f"{self.topic}/status/{component}" for component in self._components),
            events_topic(self.topic),
            answer_topic(self.topic),
            f"{self.topic}/online",
        )

    def asks(self) -> tuple[Ask, ...]:
        """Ask for the whole status now."""
        question = {"id": 1, "src": f"{self.topic}/{ASKER}", "method": "Shelly.GetStatus"}
        return (Ask(f"{self.topic}/rpc", json.dumps(question, separators=(",", ":")).encode()),)

    def parse(self, topic: str, payload: bytes, at: datetime) -> list[Heard | Skip] | Skip:
        """Read one message of the plug. Never raises; see ``Source.parse``."""
        if topic == f"{self.topic}/online":
            return payloads.will(self.machine, at, payload, online=ONLINE, offline=OFFLINE)
        if topic not in self.filters():
            return payloads.skip(SkipReason.UNKNOWN_TOPIC, topic)
        body = payloads.json_object(payload)
        if isinstance(body, Skip):
            return body
        if topic == answer_topic(self.topic):
            return self._whole(body, at)
        if topic == events_topic(self.topic):
            return self._changed(body, at)
        found = self._component(body, at)
        return found or payloads.skip(
            SkipReason.NOT_MEASURED, "no apower: is this a metering plug?"
        )

    def _whole(self, body: dict[str, object], at: datetime) -> list[Heard | Skip] | Skip:
        result = body.get("result")
        if not isinstance(result, dict):
            return payloads.skip(SkipReason.NOT_MEASURED, f"no result: {body.get('error')!r}")
        for component in self._components:
            status = result.get(component)
            if isinstance(status, dict):
                return self._component(status, at)
        return payloads.skip(
            SkipReason.NO_SUCH_CHANNEL, f"channel {self.channel} is set, the plug has no such"
        )

    def _changed(self, body: dict[str, object], at: datetime) -> list[Heard | Skip] | Skip:
        """Read a notification; what it does not name did not change, and was not measured."""
        params = body.get("params")
        if body.get("method") not in ("NotifyStatus", "NotifyFullStatus"):
            return []
        if not isinstance(params, dict):
            return payloads.skip(SkipReason.MALFORMED, "a notification without params")
        for component in self._components:
            status = params.get(component)
            if isinstance(status, dict) and METERS & status.keys():
                return self._component(status, at)
        return []

    def _component(self, status: dict[str, object], at: datetime) -> list[Heard | Skip] | Skip:
        counter = status.get("aenergy")
        total = counter.get("total") if isinstance(counter, dict) else None
        return payloads.measured(
            self.machine,
            at,
            power=payloads.power_w(status.get("apower"), "apower"),
            energy=payloads.energy_wh(total, "aenergy.total", 1.0),
            missing="neither apower nor aenergy.total: is this a metering plug?",
        )


def recognise(topic: str, payload: bytes) -> list[PlugSpec] | None:
    """Name the plugs behind a message: those that measure, or one that came and can be asked."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        return None
    prefix, end = found["prefix"], found["end"]
    if end == "online":
        return [PlugSpec(NAME, prefix, 1)] if payload == ONLINE else None
    body = payloads.json_object(payload)
    if isinstance(body, Skip):
        return None
    if end == "status":
        # What a plug sends when another program asks; other things have a topic of that name too.
        return _measuring(prefix, body) or None
    if end.startswith("status/"):
        return _measuring(prefix, {end.removeprefix("status/"): body})
    inner = body.get("params", body.get("result"))
    return _measuring(prefix, inner) if isinstance(inner, dict) else []


def _measuring(prefix: str, status: dict[str, object]) -> list[PlugSpec]:
    channels: list[int] = []
    for name, component in status.items():
        match = _COMPONENT.fullmatch(name)
        if match and isinstance(component, dict) and METERS & component.keys():
            channels.append(int(match["number"]) + 1)
    return [PlugSpec(NAME, prefix, channel) for channel in channels]


def shelly_gen2_plug(machine: str, plug: PlugSpec) -> ShellyGen2Plug:
    """Build the source from a machine's settings; without a channel it is the first.

    Raises:
        SourceError: the topic or the channel cannot be used.

    """
    return ShellyGen2Plug(
        machine, checked_topic(machine, plug), checked_channel(machine, plug) or 1
    )
