"""The cloud's broker and the ways to it, in simulated time: they hold, lose, double and reorder.

Of MQTT it has what the programs build on: clean sessions, subscriptions, retained messages, wills, and
a PUBACK that says no more than that the broker had the message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NoReturn

from laundryd.daemon.mqtt import BrokerSettings, Message, Will

WAY_S: Final = 0.005
"""Seconds from a program to the broker, and from it to a program."""
PUBACK_WITHIN_S: Final = 10.0
RECONNECT_S: Final = 0.5
"""As in ``laundryd.daemon.mqtt``: a publish fails after the one, a lost link returns after the other."""
ROOM_BROKER: Final = "room broker"
"""The name of the edge's other link: nobody is there in these tests."""


class Mode(Enum):
    """What a way does with messages."""

    FLOW = "flow"
    HOLD = "hold"
    LOSE = "lose"


@dataclass
class Parcel:
    """A message on its way. ``arrived`` hears of its arrival, None when nobody cares."""

    message: Message
    connection: int
    arrived: asyncio.Future[bool] | None = None


@dataclass
class Way:
    """One direction between one program and the broker."""

    name: str
    take: Callable[[Parcel], None]
    mode: Mode = Mode.FLOW
    held: list[Parcel] = field(default_factory=list)

    def send(self, parcel: Parcel) -> None:
        """Put a message on the way."""
        if self.mode is Mode.FLOW:
            asyncio.get_running_loop().call_later(WAY_S, self.take, parcel)
        elif self.mode is Mode.HOLD:
            self.held.append(parcel)

    def deliver(self, index: int, *, keep: bool) -> None:
        """Let one held message arrive, out of its turn perhaps; ``keep``: and once more later."""
        if self.held:
            index %= len(self.held)
            self.take(self.held[index] if keep else self.held.pop(index))

    def lose(self, index: int) -> None:
        """Lose one held message."""
        if self.held:
            self.held.pop(index % len(self.held))

    def flow(self) -> None:
        """Let everything held arrive in order, and what follows too."""
        self.mode = Mode.FLOW
        waiting, self.held = self.held, []
        for parcel in waiting:
            self.send(parcel)


class Broker:
    """The broker. ``up`` false: it is not there."""

    def __init__(self) -> None:
        self.up = True
        self.changed = asyncio.Event()
        self.retained: dict[str, Message] = {}
        self._ways: dict[str, tuple[Way, Way]] = {}
        self._there: dict[str, SimulatedLink] = {}
        self._connections = 0

    def ways(self) -> Iterator[Way]:
        """All directions of all programs that ever connected, in the order of their names."""
        for name in sorted(self._ways):
            yield from self._ways[name]

    def way(self, name: str) -> Way:
        """The direction called ``name``, as ``edge up``."""
        return next(way for way in self.ways() if way.name == name)

    def make_link(
        self,
        settings: BrokerSettings,
        client_id: str,
        *,
        name: str,
        subscriptions: Sequence[str] = (),
        will: Will | None = None,
        **_more: object,
    ) -> SimulatedLink:
        """Stand in for the class ``MqttLink``."""
        del settings
        return SimulatedLink(self, client_id, name, subscriptions, will)

    def stop(self, *, forget: bool) -> None:
        """Kill the broker: everybody's connection is lost; ``forget``: and what it retained."""
        self.up = False
        for link in list(self._there.values()):
            self.lose_connection(link.program, with_will=False)
        for way in self.ways():
            way.held.clear()
        if forget:
            self.retained.clear()

    def start(self) -> None:
        """Let the broker come back."""
        self.up = True
        self._wake()

    def lose_connection(self, program: str, *, with_will: bool = True) -> None:
        """Cut the connection of ``edge`` or ``relay``; it comes back by itself when it may."""
        link = self._there.pop(program, None)
        if link is None:
            return
        self._ways[program][1].held.clear()  # a clean session: what waited for it is gone
        link.lost()
        if with_will and link.will is not None:
            self._publish(Message(link.will.topic, link.will.payload, retained=True))

    # -- for links

    def enter(self, link: SimulatedLink) -> int:
        """Let a link in and give it what is retained; return the connection's number."""
        program = link.program
        if program not in self._ways:
            self._ways[program] = (
                Way(f"{program} up", self._arrived),
                Way(f"{program} down", self._reached),
            )
        self.lose_connection(program)  # the same client id takes over
        self._connections += 1
        self._there[program] = link
        for message in self.retained.values():
            if link.wants(message.topic):
                self._ways[program][1].send(Parcel(message, self._connections))
        return self._connections

    def take(self, program: str, parcel: Parcel) -> None:
        """Take what a program publishes."""
        self._ways[program][0].send(parcel)

    def may_enter(self, program: str) -> bool:
        """Whether the broker is there and the program's ways are not cut."""
        ways = self._ways.get(program, ())
        return self.up and all(way.mode is not Mode.LOSE for way in ways)

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def let_in(self) -> None:
        """Look again who may enter."""
        self._wake()

    def _arrived(self, parcel: Parcel) -> None:
        if not self.up:
            return
        if parcel.arrived is not None and not parcel.arrived.done():
            parcel.arrived.set_result(True)
        self._publish(parcel.message)

    def _publish(self, message: Message) -> None:
        if message.retained:
            self.retained[message.topic] = message
        for program, link in self._there.items():
            if link.wants(message.topic):
                self._ways[program][1].send(Parcel(message, link.connection))

    def _reached(self, parcel: Parcel) -> None:
        for link in self._there.values():
            if link.connection == parcel.connection:
                link.heard(parcel.message)


class SimulatedLink:
    """Stands where ``MqttLink`` stands, at one program's end."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        name: str,
        subscriptions: Sequence[str],
        will: Will | None,
    ) -> None:
        self._broker = broker
        self._subscriptions = [pattern.split("/") for pattern in subscriptions]
        self._name = name
        self.program = "relay" if "relay" in client_id else "edge"
        self.will = will
        self.connection = 0
        self.trouble: str | None = None
        self._on_message: Callable[[Message], None] = lambda _message: None
        self._lost: asyncio.Event | None = None
        self._unanswered: list[asyncio.Future[bool]] = []
        self.is_dead = False
        """Its process was killed."""

    @property
    def connected(self) -> bool:
        """Whether the broker let us in and we did not hear of a loss since."""
        return self._lost is not None and not self._lost.is_set()

    def wants(self, topic: str) -> bool:
        """Whether one of our filters matches ``topic``."""
        levels = topic.split("/")
        return any(_matches(pattern, levels) for pattern in self._subscriptions)

    def heard(self, message: Message) -> None:
        """Take a message from the broker."""
        self._on_message(message)

    def lost(self) -> None:
        """Take note that the connection is lost."""
        if self._lost is not None:
            self._lost.set()
        for arrived in self._unanswered:
            if not arrived.done():
                arrived.set_result(False)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Publish at QoS 1."""
        lost = self._lost
        if lost is None or lost.is_set() or self.is_dead:
            return False
        arrived: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        message = Message(topic, payload, retained=retain)
        self._broker.take(self.program, Parcel(message, self.connection, arrived))
        self._unanswered.append(arrived)
        try:
            async with asyncio.timeout(PUBACK_WITHIN_S):
                return await arrived
        except TimeoutError:
            return False
        finally:
            self._unanswered.remove(arrived)

    async def run(
        self,
        on_message: Callable[[Message], None],
        on_connect: Callable[[], Awaitable[None]],
        on_disconnect: Callable[[], None] = lambda: None,
    ) -> NoReturn:
        """Connect, and again whenever the connection is lost, until cancelled."""
        self._on_message = on_message
        while True:
            while self._name == ROOM_BROKER or not self._broker.may_enter(self.program):
                await self._broker.changed.wait()
            self._lost = asyncio.Event()
            self.connection = self._broker.enter(self)
            greeting = asyncio.ensure_future(on_connect())
            try:
                await self._lost.wait()
            finally:
                self._lost.set()
                on_disconnect()
                greeting.cancel()
            await asyncio.sleep(RECONNECT_S)


def _matches(pattern: list[str], levels: list[str]) -> bool:
    for index, part in enumerate(pattern):
        if part == "#":
            return True
        if index >= len(levels) or part not in {"+", levels[index]}:
            return False
    return len(pattern) == len(levels)
