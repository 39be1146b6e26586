"""The broker link as those see it who speak over it (``laundryd.daemon.mqtt.MqttLink``)."""

from __future__ import annotations

from typing import Protocol


class Publisher(Protocol):
    """The part of the broker link that speaks."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Publish at QoS 1; False when it certainly did not leave or nobody confirmed it."""
        ...


class BrokerLink(Publisher, Protocol):
    """The broker link, which knows whether it is up."""

    @property
    def connected(self) -> bool:
        """Whether the broker is reached, as far as is known."""
        ...
