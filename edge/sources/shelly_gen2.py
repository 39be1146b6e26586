"""Shelly's second generation and later: JSON under the plug's own prefix.

- ``<prefix>/status/switch:<n>`` (a relay), ``.../pm1:<n>`` or ``.../em1:<n>`` (a meter without one, of one
  phase) or ``.../em:0`` (a meter of three): the whole component, if "Generic status update over MQTT" is on
  in the plug; the counters of the last two are components of their own, ``em1data:<n>`` and ``emdata:0``;
- ``<prefix>/events/rpc``: ``NotifyStatus`` with only what changed, ``NotifyFullStatus`` with everything, if
  "RPC status notifications over MQTT" is on, as it is when new;
- ``<prefix>/online``: its birth and will, ``true`` or ``false``.

All powers are in watts, all counters in watt-hours. Components count from 0, channels here from 1. Of a meter
of three phases a channel is a phase, and without one they all feed this machine. A plug is asked by a
``Shelly.GetStatus`` on ``<prefix>/rpc``, which switches nothing; it answers on the topic that the question's
``src`` names, ours stands under the plug's own prefix so that one rule of the broker covers both.

Source: https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Mqtt, .../Switch, .../EM1, .../EM and
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
PHASES: Final = "abc"
ONLINE: Final = b"true"
OFFLINE: Final = b"false"
ASKER: Final = "laundryd"
_COMPONENT: Final = re.compile(r"(?P<kind>[a-z0-9]+):(?P<number>\d{1,2})")
_OF_ONE: Final = {
    "switch": frozenset({"apower", "aenergy"}),
    "pm1": frozenset({"apower", "aenergy"}),
    "em1": frozenset({"act_power"}),
    "em1data": frozenset({"total_act_energy"}),
}
"""Components that measure one load -> what they have then, one of them at least."""
_OF_THREE: Final = {
    "em": frozenset({"total_act_power", "a_act_power"}),
    "emdata": frozenset({"total_act", "a_total_act_energy"}),
}
"""The same of those that measure three phases."""
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
class Meter:
    """A component, and where in it power and counter stand; empty: not in this one."""

    component: str
    power: str = ""
    energy: tuple[str, ...] = ()

    @property
    def fields(self) -> set[str]:
        """What it has when it measures."""
        return {name for name in (self.power, *self.energy[:1]) if name}


@dataclass(frozen=True, slots=True)
class ShellyGen2Plug:
    """One machine behind one component of a Shelly; ``channel`` counts from 1.

    None: the first, or all the phases of a meter of three.
    """

    machine: str
    topic: str
    channel: int | None = None

    @property
    def _meters(self) -> tuple[Meter, ...]:
        number = (self.channel or 1) - 1
        meters = (
            *(
                Meter(f"{kind}:{number}", "apower", ("aenergy", "total"))
                for kind in ("switch", "pm1")
            ),
            Meter(f"em1:{number}", "act_power"),
            Meter(f"em1data:{number}", energy=("total_act_energy",)),
        )
        if self.channel is None:
            whole = Meter("em:0", "total_act_power"), Meter("emdata:0", energy=("total_act",))
            return (*meters, *whole)
        if self.channel > len(PHASES):
            return meters
        phase = PHASES[number]
        return (
            *meters,
            Meter("em:0", f"{phase}_act_power"),
            Meter("emdata:0", energy=(f"{phase}_total_act_energy",)),
        )

    def filters(self) -> tuple[str, ...]:
        """Name the topics of its components, its notifications, its answers and its will."""
        return (
            *(f"{self.topic}/status/{meter.component}" for meter in self._meters),
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
        return self._measured({topic.removeprefix(f"{self.topic}/status/"): body}, at)

    def _whole(self, body: dict[str, object], at: datetime) -> list[Heard | Skip] | Skip:
        result = body.get("result")
        if not isinstance(result, dict):
            return payloads.skip(SkipReason.NOT_MEASURED, f"no result: {body.get('error')!r}")
        if any(isinstance(result.get(meter.component), dict) for meter in self._meters):
            return self._measured(result, at)
        return payloads.skip(
            SkipReason.NO_SUCH_CHANNEL, f"channel {self.channel or 1} is set, the plug has no such"
        )

    def _changed(self, body: dict[str, object], at: datetime) -> list[Heard | Skip] | Skip:
        """Read a notification; what it does not name did not change, and was not measured."""
        params = body.get("params")
        if body.get("method") not in ("NotifyStatus", "NotifyFullStatus"):
            return []
        if not isinstance(params, dict):
            return payloads.skip(SkipReason.MALFORMED, "a notification without params")
        for meter in self._meters:
            status = params.get(meter.component)
            if isinstance(status, dict) and meter.fields & status.keys():
                return self._measured(params, at)
        return []

    def _measured(self, status: dict[str, object], at: datetime) -> list[Heard | Skip] | Skip:
        """Take power and counter from wherever they stand: a switch beside a meter has none."""
        power = energy = None
        for meter in self._meters:
            component = status.get(meter.component)
            if not isinstance(component, dict):
                continue
            if power is None and meter.power:
                power = payloads.power_w(component.get(meter.power), meter.power)
            if energy is None and meter.energy:
                name = ".".join(meter.energy)
                energy = payloads.energy_wh(_at(component, meter.energy), name, 1.0)
        return payloads.measured(
            self.machine,
            at,
            power=power,
            energy=energy,
            missing="neither power nor counter: is this a metering plug?",
        )


def _at(value: object, path: tuple[str, ...]) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


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
        # A component that is none of ours may be what another source can read.
        return _measuring(prefix, {end.removeprefix("status/"): body}) or None
    inner = body.get("params", body.get("result"))
    return _measuring(prefix, inner) if isinstance(inner, dict) else []


def _measuring(prefix: str, status: dict[str, object]) -> list[PlugSpec]:
    channels: set[int] = set()
    for name, component in status.items():
        match = _COMPONENT.fullmatch(name)
        if not match or not isinstance(component, dict):
            continue
        kind, number = match["kind"], int(match["number"])
        if _OF_ONE.get(kind, frozenset()) & component.keys():
            channels.add(number + 1)
        elif number == 0 and _OF_THREE.get(kind, frozenset()) & component.keys():
            channels.update(range(1, len(PHASES) + 1))
    return [PlugSpec(NAME, prefix, channel) for channel in sorted(channels)]


def shelly_gen2_plug(machine: str, plug: PlugSpec) -> ShellyGen2Plug:
    """Build the source from a machine's settings.

    Raises:
        SourceError: the topic or the channel cannot be used.

    """
    return ShellyGen2Plug(machine, checked_topic(machine, plug), checked_channel(machine, plug))
