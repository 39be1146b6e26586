"""``laundryd edge discover``: what in the room sounds like a metering plug, with its line of settings.

It listens to everything on the room's broker. What looks like a plug is asked for its values once, because
a plug left alone may say nothing for five minutes; no question switches anything. What is remembered is
bounded, whatever the broker carries.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final, TextIO

from pydantic import ValidationError

from edge.errors import BrokerUnreachableError
from edge.settings import PlugSettings
from edge.sources.reading import Reading
from edge.sources.router import Router
from edge.sources.source import Ask, PlugSpec, Source, SourceError
from edge.sources.table import build_source, recognised
from laundryd.daemon.mqtt import BrokerSettings, Message, MqttLink

PLUGS_MAX: Final = 500
"""Plugs and suspects remembered; a room has 200 machines at most."""
INBOX_MAX: Final = 10_000
"""Messages waiting for us; past it they are counted and dropped, for they come again."""
CONNECT_S: Final = 10.0
"""How long the broker may take to let us in, seconds: a few tries."""


@dataclass(slots=True)
class Found:
    """One plug, or one channel of one. ``power_w`` and ``energy_wh`` None: not measured.

    ``is_old``: what is known is only the broker's memory of it.
    """

    spec: PlugSpec
    source: Source
    router: Router
    power_w: float | None = None
    energy_wh: float | None = None
    readings: int = 0
    is_old: bool = True

    @property
    def measures(self) -> bool:
        """Whether it said a power or an energy at all, now or once."""
        return self.power_w is not None or self.energy_wh is not None


class Discovery:
    """Makes a list of plugs out of messages. Pure: it takes the time as an argument."""

    def __init__(self, plugs_max: int = PLUGS_MAX) -> None:
        self.plugs_max = plugs_max
        self._found: dict[PlugSpec, Found] = {}
        self._by_topic: dict[str, list[Found]] = {}
        self.messages = 0
        self.left_out = 0
        self.dropped = 0

    def take(self, message: Message, at: datetime) -> list[Ask]:
        """Take one message; return what to ask now, each question once. Never raises for what came."""
        self.messages += 1
        asks: list[Ask] = []
        for spec in recognised(message.topic, message.payload):
            asks += self._suspect(spec)
        for found in self._by_topic.get(message.topic, ()):
            self._measure(found, message, at)
        return asks

    def plugs(self) -> list[Found]:
        """Return what measures, in the order of source, topic and channel.

        A plug of several channels stands there by channel only; without one it is all of them.
        """
        measuring = [found for found in self._found.values() if found.measures]
        several = {(one.spec.source, one.spec.topic) for one in measuring if one.spec.channel}
        plugs = [
            one
            for one in measuring
            if one.spec.channel or (one.spec.source, one.spec.topic) not in several
        ]
        return sorted(
            plugs, key=lambda one: (one.spec.source, one.spec.topic, one.spec.channel or 0)
        )

    def _suspect(self, spec: PlugSpec) -> list[Ask]:
        if spec in self._found:
            return []
        if len(self._found) >= self.plugs_max:
            self.left_out += 1
            return []
        given = {name: value for name, value in asdict(spec).items() if value is not None}
        try:
            source = build_source("found", PlugSettings.model_validate(given).spec)
        except (SourceError, ValidationError):
            # A stranger's topic that no settings could name.
            return []
        known = {ask for found in self._found.values() for ask in found.source.asks()}
        found = self._found[spec] = Found(spec, source, Router([source]))
        for topic in source.filters():
            self._by_topic.setdefault(topic, []).append(found)
        return [ask for ask in source.asks() if ask not in known]

    @staticmethod
    def _measure(found: Found, message: Message, at: datetime) -> None:
        readings = found.source.parse(message.topic, message.payload, at)
        is_fresh = bool(
            found.router.take(message.topic, message.payload, at, retained=message.retained)
        )
        if not isinstance(readings, list):
            return
        for one in readings:
            # What is old is better than nothing, and never takes the place of what is new.
            if isinstance(one, Reading) and (is_fresh or found.is_old):
                found.power_w = found.power_w if one.power_w is None else one.power_w
                found.energy_wh = found.energy_wh if one.energy_wh is None else one.energy_wh
                found.is_old = not is_fresh
                found.readings += is_fresh


def settings_line(spec: PlugSpec) -> str:
    """Write a plug as its machine's table takes it, in TOML."""
    given = {
        name: value
        for name, value in asdict(spec).items()
        if value is not None and (name, value) != ("power_unit", "W")
    }
    # A JSON string is a TOML string: topics hold no control characters.
    inner = ", ".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in given.items()
    )
    return f"plug = {{ {inner} }}"


def report(discovery: Discovery, *, as_json: bool) -> Iterator[str]:
    """Write the list, a line or a few for each plug."""
    plugs = discovery.plugs()
    for found in plugs:
        line = settings_line(found.spec)
        if as_json:
            measured = {"power_w": found.power_w, "energy_wh": found.energy_wh}
            counts = {"readings": found.readings, "only_retained": found.is_old}
            yield json.dumps({**asdict(found.spec), **measured, **counts, "settings": line})
        else:
            yield f"{found.spec.source}, {found.spec.topic}: {_in_words(found)}"
            yield f"    {line}"
    if not as_json:
        yield _summary(discovery, len(plugs))


def _in_words(found: Found) -> str:
    power = "power not measured" if found.power_w is None else f"{found.power_w:g} W"
    energy = "energy not measured" if found.energy_wh is None else f"{found.energy_wh:.0f} Wh"
    how = "only the broker's memory" if found.is_old else f"{found.readings} measurements"
    return f"{power}, {energy} ({how})"


def _summary(discovery: Discovery, plugs: int) -> str:
    heard = f"{discovery.messages} messages heard, {plugs} plugs found."
    if discovery.left_out:
        heard += f" More than {discovery.plugs_max} looked like plugs"
        heard += f"; {discovery.left_out} messages of others."
    if discovery.dropped:
        heard += f" {discovery.dropped} messages more came faster than they could be looked at."
    if not plugs:
        heard += (
            " Is the plug connected to this broker, may this user read its topics, and does it "
            "publish? Switch its machine on and listen again."
        )
    return heard


async def discover(
    broker: BrokerSettings, seconds: float, out: TextIO, *, as_json: bool
) -> Discovery:
    """Listen for ``seconds`` from the moment the broker lets us in, and write what was found.

    Raises:
        BrokerUnreachableError: nobody answers there, or it did not let us in within ``CONNECT_S``.

    """
    where = f"{broker.host} port {broker.port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            _, probe = await asyncio.open_connection(broker.host, broker.port)
    except OSError as error:
        reason = error.strerror or str(error) or "no answer"
        raise BrokerUnreachableError(
            f"no broker at {where}: {reason}; start it, or name another by --host and --port"
        ) from None
    probe.close()
    discovery = Discovery()
    inbox: asyncio.Queue[Message] = asyncio.Queue(INBOX_MAX)
    up = asyncio.Event()

    def arrived(message: Message) -> None:
        if inbox.full():
            discovery.dropped += 1
        else:
            inbox.put_nowait(message)

    async def connected() -> None:
        up.set()

    # Its own name: the daemon that runs meanwhile keeps its place at the broker.
    link = MqttLink(
        broker, f"laundryd-discover-{id(inbox):x}", name="room broker", subscriptions=["#"]
    )
    running = asyncio.create_task(link.run(arrived, connected))
    try:
        try:
            async with asyncio.timeout(CONNECT_S):
                await up.wait()
        except TimeoutError:
            raise BrokerUnreachableError(
                f"the broker at {where} answers and does not let us in: check username, password and tls"
            ) from None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    for ask in discovery.take(await inbox.get(), datetime.now(UTC)):
                        await link.publish(ask.topic, ask.payload)
        except TimeoutError:
            pass
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    out.writelines(line + "\n" for line in report(discovery, as_json=as_json))
    return discovery
