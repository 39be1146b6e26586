"""The door of every source: which topics to listen to, and what a message on them means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

from edge.sources.reading import Skip, Told

MAX_TOPIC_BYTES: Final = 65_535
"""Longest topic that MQTT can carry, bytes of UTF-8 (MQTT 5, 1.5.4)."""


PowerUnit = Literal["W", "kW", "mW"]
EnergyUnit = Literal["Wh", "kWh"]
W_PER_UNIT: Final[dict[PowerUnit, float]] = {"W": 1.0, "kW": 1_000.0, "mW": 0.001}
WH_PER_UNIT: Final[dict[EnergyUnit, float]] = {"Wh": 1.0, "kWh": 1_000.0}


class SourceError(ValueError):
    """A plug's settings cannot be used; the message says which, what was found and what is allowed."""


@dataclass(frozen=True, slots=True)
class PlugSpec:
    """A machine's plug as its settings name it.

    ``source`` is a name from ``table.SOURCES``; ``topic`` the plug's own topic or prefix, without a
    wildcard; ``channel`` counts a plug's channels from 1, None: it has one, or all of them feed this
    machine. The others are for the sources whose row in the table names them; None: not set.
    """

    source: str
    topic: str
    channel: int | None = None
    base_topic: str | None = None
    power_sensor: str | None = None
    energy_sensor: str | None = None
    power_path: str | None = None
    energy_topic: str | None = None
    energy_path: str | None = None
    power_unit: PowerUnit | None = None
    energy_unit: EnergyUnit | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A message that makes a plug say its values at once. Never publish one retained."""

    topic: str
    payload: bytes


class Source(Protocol):
    """One machine's plug. Pure: it holds settings only, so one message always means the same."""

    @property
    def machine(self) -> str:
        """The machine behind the plug."""
        ...

    def filters(self) -> tuple[str, ...]:
        """Name the topics to subscribe to; whole topics without wildcards."""
        ...

    def asks(self) -> tuple[Ask, ...]:
        """Say what to publish after a connect to hear its values at once; may be empty."""
        ...

    def parse(self, topic: str, payload: bytes, at: datetime) -> Sequence[Told] | Skip:
        """Read one message that came on one of ``filters()``; ``at`` (aware UTC) is when it came.

        Never raises for what a plug may send. Empty: understood, and it says nothing of this machine.
        """
        ...


SourceBuilder = Callable[[str, PlugSpec], Source]
"""(machine, plug) -> its source; raises SourceError when the settings make no sense for it."""
Recogniser = Callable[[str, bytes], Sequence[PlugSpec] | None]
"""(topic, payload) -> the plugs that such a message may come from; None: it is not of this make. Empty:
of this make, and it names no plug. Never raises for what came over the wire."""


def wrong(machine: str, what: str) -> SourceError:
    """Make the error of one machine's plug; ``what`` says what was found and what is allowed."""
    return SourceError(f"plug of machine {machine}: {what}")


def checked_topic(machine: str, plug: PlugSpec) -> str:
    """Return the plug's topic without slashes around it.

    Raises:
        SourceError: it is empty, too long, or holds a wildcard or a NUL.

    """
    return checked_name(machine, plug.topic, "topic", "the plug's own topic")


def checked_name(machine: str, found: str, name: str, what: str) -> str:
    """Return a topic, or a part of one, without slashes around it; ``name`` is the setting's.

    Raises:
        SourceError: it is empty, too long, or holds a wildcard or a NUL.

    """
    topic = found.strip("/")
    if not topic or any(mark in topic for mark in "+#\0"):
        raise wrong(machine, f"{name} is {found!r}; write {what}, not empty and without + or #")
    # Room for what a source puts around it.
    if len(topic.encode("utf-8", "replace")) > MAX_TOPIC_BYTES // 2:
        raise wrong(machine, f"its {name} is longer than MQTT can carry")
    return topic


def checked_channel(machine: str, plug: PlugSpec) -> int | None:
    """Return the plug's channel.

    Raises:
        SourceError: it is below 1.

    """
    if plug.channel is not None and plug.channel < 1:
        raise wrong(machine, f"channel is {plug.channel}; channels count from 1")
    return plug.channel
