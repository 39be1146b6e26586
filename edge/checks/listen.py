"""Asks brokers in, and listens to the room's plugs, for ``laundryd edge check``.

It has a name of its own at each broker: an edge that runs meanwhile keeps its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from edge.checks.wire import BrokerSight, PlugSight
from edge.discover import Discovery, settings_line
from edge.settings import MachineSettings
from edge.sources.reading import Reading
from edge.sources.router import Router
from edge.sources.table import build_source
from laundryd.daemon.mqtt import BrokerSettings, Message, MqttLink
from laundryd.wire.ids import RoomRef
from laundryd.wire.topics import Topic, topic_name

CONNECT_S: Final = 10.0
"""How long a broker may take to let us in, seconds; one that refuses is not waited for."""
CARRY_S: Final = 5.0
"""How long a broker may take to bring us our own words, seconds."""
LOOK_S: Final = 0.05
"""Seconds between two looks whether the link failed: it tells nobody, it only tries again."""
INBOX_MAX: Final = 10_000
"""Messages waiting for us; past it they are dropped, for they come again."""


class PlugEars:
    """Keeps what was heard of each machine's plug. Pure: it takes the time as an argument."""

    def __init__(self, machines: Sequence[MachineSettings]) -> None:
        self.sights: list[PlugSight] = []
        self._ears: list[tuple[Router, PlugSight]] = []
        for machine in machines:
            if machine.plug is None:
                continue
            source = build_source(machine.id, machine.plug.spec)
            sight = PlugSight(
                machine.id, machine.plug.source, machine.plug.topic, bool(source.asks())
            )
            self.sights.append(sight)
            self._ears.append((Router([source]), sight))

    @property
    def all_heard(self) -> bool:
        """Whether every plug was measured."""
        return all(sight.readings for sight in self.sights)

    def take(self, message: Message, at: datetime) -> None:
        """Take one message. Never raises for what came."""
        for router, sight in self._ears:
            if message.topic not in router.filters():
                continue
            for heard in router.take(message.topic, message.payload, at, retained=message.retained):
                if not isinstance(heard, Reading):
                    sight.is_offline = not heard.online
                    continue
                sight.is_offline = False
                sight.readings += 1
                sight.power_w = sight.power_w if heard.power_w is None else heard.power_w
            sight.skipped = Counter({one.value: count for one, count in router.skipped.items()})


async def hear_room(
    broker: BrokerSettings, room: RoomRef, machines: Sequence[MachineSettings], seconds: float
) -> tuple[BrokerSight, list[PlugSight], list[str]]:
    """Listen until every plug was heard, ``seconds`` at most.

    Returns the broker, the plugs of the machines, and the settings lines of plugs that are no machine's.
    """
    seen, ears, strangers = _sight(broker), PlugEars(machines), Discovery()
    mine, nonce = topic_name(room, Topic.CHECK), secrets.token_hex(8).encode()
    inbox: asyncio.Queue[Message] = asyncio.Queue(INBOX_MAX)
    carried = asyncio.Event()

    def arrived(message: Message) -> None:
        if message.topic == mine:
            if message.payload == nonce:
                carried.set()
        elif not inbox.full():
            inbox.put_nowait(message)

    plugs = Router([build_source(one.id, one.plug.spec) for one in machines if one.plug])
    # What the edge itself subscribes to; and everything, on a second connection, because a broker may
    # refuse that one without harm.
    named = _link(broker, "room broker", [mine, *plugs.filters()])
    everything = _link(broker, "room broker", ["#"])

    def overheard(message: Message) -> None:
        strangers.take(message, datetime.now(UTC))

    async with _in(named, arrived) as trouble:
        seen.trouble = trouble
        if trouble is not None:
            return seen, ears.sights, []
        async with _in(everything, overheard):
            await named.publish(mine, nonce)
            for ask in plugs.asks():
                await named.publish(ask.topic, ask.payload)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await _hear(ears, inbox)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CARRY_S):
                    await carried.wait()
            seen.carried = carried.is_set()
    return seen, ears.sights, _unused(strangers, machines)


async def knock(broker: BrokerSettings, name: str) -> BrokerSight:
    """See whether a broker lets us in; nothing is said there."""
    seen = _sight(broker)
    async with _in(_link(broker, name, []), lambda _message: None) as trouble:
        seen.trouble = trouble
    return seen


@asynccontextmanager
async def _in(link: MqttLink, on_message: Callable[[Message], None]) -> AsyncIterator[str | None]:
    """Hold a connection; yields why there is none, None when there is."""

    async def nothing() -> None:
        return

    running = asyncio.create_task(link.run(on_message, nothing))
    try:
        try:
            async with asyncio.timeout(CONNECT_S):
                while not link.connected and link.trouble is None:  # noqa: ASYNC110 -- see LOOK_S
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            yield "no answer"
        else:
            yield None if link.connected else link.trouble
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _hear(ears: PlugEars, inbox: asyncio.Queue[Message]) -> None:
    while not ears.all_heard:
        ears.take(await inbox.get(), datetime.now(UTC))


def _link(broker: BrokerSettings, name: str, subscriptions: Sequence[str]) -> MqttLink:
    client_id = f"laundryd-check-{secrets.token_hex(4)}"
    return MqttLink(broker, client_id, name=name, subscriptions=subscriptions)


def _sight(broker: BrokerSettings) -> BrokerSight:
    return BrokerSight(f"{broker.host} port {broker.port}", broker.username)


def _unused(strangers: Discovery, machines: Sequence[MachineSettings]) -> list[str]:
    used = {(one.plug.source, one.plug.topic) for one in machines if one.plug}
    specs = [found.spec for found in strangers.plugs()]
    return [settings_line(spec) for spec in specs if (spec.source, spec.topic) not in used]
