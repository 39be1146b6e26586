"""Zigbee plugs behind Zigbee2MQTT: ``<base>/<friendly name>``, one JSON object with all that is known.

Power is in watts, ``energy`` in kWh. A plug with several outlets writes ``power_l1``, ``power_l2``: that is
what ``channel`` means here. ``<base>/<friendly name>/availability`` says whether the plug answers, if that is
on; ``<base>/bridge/state`` whether Zigbee2MQTT itself is there. A plug is asked by ``{"power": ""}`` on
``.../get``, which switches nothing; one that cannot be read so leaves a line in Zigbee2MQTT's log.

Zigbee2MQTT sends remembered values again at its start and 30 s after ``online`` on ``homeassistant/status``;
those are not measurements. This file says when that is to be expected; ``repeats`` tells them apart, surely
if ``advanced.last_seen`` is set in Zigbee2MQTT (to anything but ``disable``), else by what they say.

Source: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html and, for what is sent again, its
lib/controller.ts and lib/extension/homeassistant.ts
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from edge.sources import payload as payloads
from edge.sources.reading import (
    PlugOnline,
    Reading,
    RepeatCause,
    RepeatsFollow,
    Skip,
    SkipReason,
    Told,
)
from edge.sources.source import (
    Ask,
    PlugSpec,
    checked_channel,
    checked_name,
    checked_topic,
    wrong,
)
from edge.sources.tasmota import WH_PER_KWH

NAME: Final = "zigbee2mqtt"
BIRTH_TOPIC: Final = "homeassistant/status"
ONLINE: Final = "online"
OFFLINE: Final = "offline"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_S: Final = 4e9
"""Largest ``last_seen`` believed, Unix seconds: the year 2096."""
_MS_FROM: Final = 1e11
"""From here on an ``epoch`` is milliseconds, as Zigbee2MQTT writes it; SLS gateways write seconds."""


@dataclass(frozen=True, slots=True)
class Zigbee2MqttPlug:
    """One machine behind a Zigbee plug, or behind one outlet of it; ``channel`` None: it has one.

    ``topic`` is the plug's whole topic, ``base`` the part of it that is Zigbee2MQTT's own.
    """

    machine: str
    topic: str
    base: str
    channel: int | None = None

    @property
    def _state_topic(self) -> str:
        return f"{self.base}/bridge/state"

    @property
    def _availability_topic(self) -> str:
        return f"{self.topic}/availability"

    def filters(self) -> tuple[str, ...]:
        """Name the topics of its values, of its and the bridge's presence, and of births."""
        return self.topic, self._availability_topic, self._state_topic, BIRTH_TOPIC

    def asks(self) -> tuple[Ask, ...]:
        """Ask the plug itself for its power."""
        question = json.dumps({self._field("power"): ""}, separators=(",", ":"))
        return (Ask(f"{self.topic}/get", question.encode()),)

    def parse(self, topic: str, payload: bytes, at: datetime) -> list[Told] | Skip:
        """Read one message of the plug or the bridge. Never raises; see ``Source.parse``."""
        if topic == self.topic:
            return self._values(payload, at)
        if topic not in self.filters():
            return payloads.skip(SkipReason.UNKNOWN_TOPIC, topic)
        presence = _presence(payload)
        if isinstance(presence, Skip):
            return presence
        is_online = presence == ONLINE
        if topic == self._availability_topic:
            return [PlugOnline(self.machine, at, online=is_online)]
        if is_online:
            is_birth = topic == BIRTH_TOPIC
            cause = RepeatCause.ASKED if is_birth else RepeatCause.START
            return [RepeatsFollow(self.machine, at, cause)]
        # Without the bridge nothing is heard of the plug; when it is back, the plug may still be away.
        return [] if topic == BIRTH_TOPIC else [PlugOnline(self.machine, at, online=False)]

    def _field(self, name: str) -> str:
        return name if self.channel is None else f"{name}_l{self.channel}"

    def _values(self, payload: bytes, at: datetime) -> list[Told] | Skip:
        body = payloads.json_object(payload)
        if isinstance(body, Skip):
            return body
        names = self._field("power"), self._field("energy")
        power = payloads.power_w(body.get(names[0]), names[0])
        if isinstance(power, Skip):
            return power
        energy = payloads.energy_wh(body.get(names[1]), names[1], WH_PER_KWH)
        if isinstance(energy, Skip):
            return energy if power is None else [self._reading(body, at, power, None), energy]
        if power is None and energy is None:
            return payloads.skip(SkipReason.NOT_MEASURED, f"neither {names[0]} nor {names[1]}")
        return [self._reading(body, at, power, energy)]

    def _reading(
        self, body: dict[str, object], at: datetime, power: float | None, energy: float | None
    ) -> Reading:
        return Reading(self.machine, at, power, energy, _said_at(body.get("last_seen")))


def _presence(payload: bytes) -> str | Skip:
    """Read ``{"state": "online"}``, or the plain word that older versions and Home Assistant write."""
    text = payloads.text_of(payload)
    if isinstance(text, Skip):
        return text
    if text.startswith("{"):
        body = payloads.json_object(payload)
        if isinstance(body, Skip):
            return body
        text = str(body.get("state"))
    # Zigbee2MQTT takes a birth in any case, and so may find it where we would not.
    text = text.lower()
    if text in {ONLINE, OFFLINE}:
        return text
    return payloads.skip(SkipReason.MALFORMED, f"{text!r} is neither online nor offline")


def _said_at(value: object) -> datetime | None:
    """Read ``last_seen``, ISO 8601 or Unix; None: it is not set, or not to be understood."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo is not None else None
        except (ValueError, OverflowError):
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    unix_s = value / 1000 if value >= _MS_FROM else float(value)
    return _EPOCH + timedelta(seconds=unix_s) if 0 <= unix_s < _LATEST_S else None


def recognise(topic: str, payload: bytes) -> list[PlugSpec] | None:
    """Name the plugs behind a message: Zigbee2MQTT writes each device's ``linkquality``."""
    parts = topic.split("/")
    if "bridge" in parts[1:2]:
        return []
    if len(parts) < 2 or b'"linkquality"' not in payload:  # noqa: PLR2004 -- a base and a name
        return None
    body = payloads.json_object(payload)
    if isinstance(body, Skip):
        return None
    if "power" in body:
        return [PlugSpec(NAME, topic)]
    outlets = (name.removeprefix("power_l") for name in body if name.startswith("power_l"))
    return [PlugSpec(NAME, topic, int(one)) for one in outlets if one in "12345678" and one]


def zigbee2mqtt_plug(machine: str, plug: PlugSpec) -> Zigbee2MqttPlug:
    """Build the source from a machine's settings.

    Raises:
        SourceError: the topic, the base topic or the channel cannot be used.

    """
    topic = checked_topic(machine, plug)
    base, _, name = topic.partition("/")
    if plug.base_topic is not None:
        base = checked_name(machine, plug.base_topic, "base_topic", "Zigbee2MQTT's base topic")
        name = topic.removeprefix(f"{base}/") if topic.startswith(f"{base}/") else ""
    if not name:
        raise wrong(
            machine,
            f"topic is {plug.topic!r}; write Zigbee2MQTT's base topic before the plug's friendly "
            f"name, as in {plug.base_topic or 'zigbee2mqtt'}/washer-1",
        )
    return Zigbee2MqttPlug(machine, topic, base, checked_channel(machine, plug))
