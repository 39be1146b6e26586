from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import BaseModel

from cloud_relay.ingest.order import Before, decide
from edge.link.roster import RosterKeeper
from edge.link.uplink import Uplink
from edge.local.announced import Announced
from edge.local.desk import LinkedRoom, RoomDesk
from edge.room.reconcile import MachineSetup
from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import SESSION_EXPIRY_S, Message, MqttLink, Will
from laundryd.daemon.tokens import SigningKey
from laundryd.demo.broker import Broker, Mosquitto, Nats
from laundryd.wire.commands import CommandName, DownCommand, ResidentCommand, UpAnswer
from laundryd.wire.events import Entry
from laundryd.wire.ids import Position, RoomRef, Run
from laundryd.wire.machines import MachineKind
from laundryd.wire.topics import Topic, parse_topic, topic_name
from laundryd.wire.uplink import (
    DownAck,
    DownHello,
    DownRoster,
    DownTold,
    Roster,
    UpEvents,
    UpHello,
    UpPresence,
    UpSnapshot,
)

ROOM = RoomRef(site="maple-hall", room="basement")
WASHERS = [MachineSetup(f"w{n}", MachineKind.WASHER, f"Washer {n}", has_plug=False) for n in (1, 2)]
Model = TypeVar("Model", bound=BaseModel)


async def until(found: Callable[[], bool], timeout_s: float = 20) -> None:
    """Wait for what no event tells; the condition is looked at often."""
    async with asyncio.timeout(timeout_s):
        while not found():  # noqa: ASYNC110 -- the things under test have no events for tests
            await asyncio.sleep(0.02)


class TinyRelay:
    """Speaks the relay's half over a real broker and keeps what it hears, in memory."""

    def __init__(self, broker: Broker) -> None:
        self.link = MqttLink(
            broker.settings,
            "relay",
            name="relay",
            subscriptions=["laundry/v1/+/+/up/#", "laundry/v1/+/+/availability"],
        )
        self.kept: Position | None = None
        self.kept_run: Run | None = None
        self.entries: list[Entry] = []
        self.hellos: list[UpHello] = []
        self.snapshots: list[UpSnapshot] = []
        self.presence: list[UpPresence] = []
        self.answers: list[UpAnswer] = []
        self.caught_up = 0
        self.availability = ""
        self.answers_words = True
        self.ahead = timedelta()
        """How far this relay's clock is ahead of the edge's."""
        self.batches: list[UpEvents] = []
        self.connects = 0
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            await self.link.run(self._inbox.put_nowait, self._greet)

    async def say(self, topic: Topic, payload: BaseModel | bytes, *, retain: bool = False) -> None:
        body = payload if isinstance(payload, bytes) else payload.model_dump_json().encode()
        assert await self.link.publish(topic_name(ROOM, topic), body, retain=retain)

    async def command(self, id_: str, machine: str = "w1", *, expires_in_s: float = 10) -> UpAnswer:
        now = datetime.now(UTC) + self.ahead
        before = len(self.answers)
        await self.say(
            Topic.DOWN_COMMAND,
            DownCommand(
                request_id=id_,
                relay_id="relay-1",
                command=ResidentCommand(
                    id=id_, resident="anna", machine=machine, name=CommandName.CLAIM
                ),
                sent_at=now,
                expires_at=now + timedelta(seconds=expires_in_s),
            ),
        )
        await until(lambda: len(self.answers) > before)
        return self.answers[-1]

    async def _greet(self) -> None:
        self.connects += 1

    async def _read(self) -> None:
        while True:
            message = await self._inbox.get()
            address = parse_topic(message.topic)
            assert address is not None
            match address.topic:
                case Topic.AVAILABILITY:
                    self.availability = message.payload.decode()
                case Topic.UP_PRESENCE:
                    self.presence.append(UpPresence.model_validate_json(message.payload))
                case Topic.UP_ANSWER:
                    assert address.variable == "relay-1"
                    self.answers.append(UpAnswer.model_validate_json(message.payload))
                case Topic.UP_HELLO:
                    self.hellos.append(UpHello.model_validate_json(message.payload))
                    await self._hello(self.hellos[-1])
                case Topic.UP_SNAPSHOT:
                    self.snapshots.append(UpSnapshot.model_validate_json(message.payload))
                    body = self.snapshots[-1]
                    self.kept, self.kept_run = body.snapshot.position, body.run
                    await self._ack(
                        DownAck(epoch=self.kept.epoch, offset=self.kept.offset, word=body.word)
                    )
                case Topic.UP_EVENTS:
                    await self._events(UpEvents.model_validate_json(message.payload))
                case _:
                    raise AssertionError(address)

    async def _hello(self, hello: UpHello) -> None:
        known = self.kept is not None and self.kept.epoch == hello.head.epoch
        answer = DownHello(
            version="1",
            epoch=hello.head.epoch,
            acked=self.kept.offset if self.kept and known else None,
            echo_sent_at=hello.sent_at,
            relay_at=datetime.now(UTC) + self.ahead,
            word=hello.word,
            run=self.kept_run if known else None,
        )
        name = topic_name(ROOM, Topic.DOWN_HELLO)
        await self.link.publish(name, answer.model_dump_json().encode())

    async def _events(self, batch: UpEvents) -> None:
        self.batches.append(batch)
        decision = decide(
            self.kept,
            batch.entries,
            kept_run=self.kept_run,
            before=Before(batch.after, batch.after_run),
            word=batch.word,
        )
        if decision.take:
            self.entries += decision.take
            self.kept, self.kept_run = decision.take[-1].position, decision.take[-1].run
        self.caught_up += batch.caught_up
        if decision.answer is not None and self.answers_words:
            await self._ack(decision.answer)

    async def _ack(self, ack: DownAck) -> None:
        await self.link.publish(topic_name(ROOM, Topic.DOWN_ACK), ack.model_dump_json().encode())


@dataclass
class LinkedEdge:
    """The edge's half: a real room on a real store, linked."""

    store: EdgeStore
    writer: RoomWriter
    uplink: Uplink
    told: list[DownTold]
    roster: RosterKeeper
    announced: Announced

    async def claim_and_release(self, round_: int) -> None:
        for name in ("claim", "release"):
            answer = await self.writer.command(
                ResidentCommand(
                    id=f"{name}-{round_}", resident="anna", machine="w1", name=CommandName(name)
                )
            )
            assert answer.ok, answer


@dataclass
class Link:
    """What a test needs of both sides."""

    broker: Broker
    relay: TinyRelay
    enrolment_key: SigningKey
    folder: Path

    @asynccontextmanager
    async def edge(self, machines: list[MachineSetup] = WASHERS) -> AsyncIterator[LinkedEdge]:
        """An edge on this folder's store, running."""
        store = await EdgeStore.open(self.folder / "room.db")
        clock = Clock()
        writer = await RoomWriter.open(ROOM, machines, store, clock)
        announced = Announced(ROOM.key, store.documents, store.room, clock)
        await announced.load()
        desk = RoomDesk(
            writer,
            store,
            clock,
            name="Basement",
            on_presence=lambda: None,
            present=list,
            announced=announced,
        )
        told: list[DownTold] = []

        async def keep_told(one: DownTold) -> None:
            told.append(one)

        async def save(_roster: Roster) -> None:
            return None

        roster = RosterKeeper(
            enrolment_key=self.enrolment_key.verify_key,
            audience=ROOM.audience,
            current=None,
            save=save,
        )
        uplink = Uplink(
            ref=ROOM,
            name="Basement",
            local_url="http://127.0.0.1:1",
            mqtt=MqttLink(
                self.broker.settings,
                "edge",
                name="cloud broker",
                subscriptions=[f"laundry/v1/{ROOM.site}/{ROOM.room}/down/#"],
                will=Will(topic_name(ROOM, Topic.AVAILABILITY), b"offline"),
                session_expiry_s=SESSION_EXPIRY_S,
            ),
            room=LinkedRoom(desk, writer, store),
            roster=roster,
            clock=clock,
            acked=store.room.acked,
            told=keep_told,
            announced=announced,
            on_connected=lambda: None,
        )
        writer.on_entries.append(lambda _entries, _changes: uplink.appended())
        writer.on_new_epoch.append(uplink.appended)
        task = asyncio.create_task(uplink.run())
        try:
            yield LinkedEdge(store, writer, uplink, told, roster, announced)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await writer.settle()
            await store.close()

    def roster(self, version: int, key: SigningKey | None = None, audience: str = "") -> DownRoster:
        signer = key or self.enrolment_key
        roster = Roster(
            version=version,
            audience=audience or ROOM.audience,
            keys=[signer.verify_key],
            relay_url="https://laundry.example.org",
        )
        return DownRoster(jws=signer.sign(roster.model_dump(mode="json")))


@asynccontextmanager
async def linked(broker: Broker, folder: Path) -> AsyncIterator[Link]:
    relay = TinyRelay(broker)
    task = asyncio.create_task(relay.run())
    await until(lambda: relay.connects > 0)
    key = SigningKey.load_or_create(folder / "enrolment.pem")
    yield Link(broker, relay, key, folder)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def link(mosquitto: Mosquitto, tmp_path: Path) -> AsyncIterator[Link]:
    async with linked(mosquitto, tmp_path) as found:
        yield found


@pytest.fixture
async def link_over_311(tmp_path: Path) -> AsyncIterator[Link]:
    """Over a broker that speaks MQTT 3.1.1 alone."""
    broker = Nats(tmp_path / "nats")
    broker.start()
    try:
        async with linked(broker, tmp_path) as found:
            yield found
    finally:
        broker.stop()


Waiter = Callable[..., Awaitable[None]]


@pytest.fixture
def wait_until() -> Waiter:
    return until
