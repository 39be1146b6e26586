"""A relay without network, on a real database, whose time stands until a test moves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiosqlite
from pydantic import BaseModel
from typing_extensions import override

from cloud_relay.clock_watch import take_up
from cloud_relay.ingest.commands import RemoteCommands
from cloud_relay.ingest.handlers import Handlers
from cloud_relay.ingest.told import ToldSender
from cloud_relay.ingest.uplink import Ingest
from cloud_relay.migrations import MIGRATIONS
from cloud_relay.notify.planner import Planner
from cloud_relay.push.outcomes import Outcome, Result
from cloud_relay.push.queue import PushQueue
from cloud_relay.push.subscriptions import Attempted, Subscription, Way
from cloud_relay.push.webpush import Sender
from cloud_relay.rooms import store
from cloud_relay.rooms.presence import EdgePresence
from cloud_relay.rooms.rooms import Rooms
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import Message
from laundryd.daemon.sqlite import open_database
from laundryd.wire.events import AckKind, Entry, NoticeAck, PublicEvent, Waiting
from laundryd.wire.frames import RoomStatus
from laundryd.wire.ids import Position, RoomRef
from laundryd.wire.machines import MachineKind, MachineView, RoomSnapshot
from laundryd.wire.notices import Lang, Notice, NoticeCard, NoticeKind, derive
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.preferences import NoticePreferences
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import (
    DownAck,
    DownHello,
    PresentSession,
    UpEvents,
    UpHello,
    UpPresence,
    UpSnapshot,
)
from tests.cloud_relay.neighbours import Members, RosterVersions

ROOM = "maple-hall.basement"
REF = RoomRef.from_key(ROOM)
EPOCH = "e1"
START = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
ME = "resident-me"
OTHER = "resident-other"
RELAY_ID = "relay-1"


class HandClock(Clock):
    """Room time and real time are the same, and move by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = START

    @override
    def now(self) -> datetime:
        return self.moment

    @override
    def real_now(self) -> datetime:
        return self.moment

    @override
    def monotonic_s(self) -> float:
        return (self.moment - START).total_seconds()

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def machine(slug: str = "w1", phase: Phase = Phase.FREE, **more: object) -> MachineView:
    return MachineView.model_validate(
        {
            "machine": slug,
            "kind": MachineKind.WASHER,
            "name": slug.upper(),
            "phase": phase,
            "since": START,
            "sensor": Sensor.OK,
            **more,
        }
    )


def notice(offset: int, resident: str = ME, epoch: str = EPOCH, room: str = ROOM) -> Notice:
    return derive(
        NoticeKind.DONE,
        room=room,
        position=Position(epoch=epoch, offset=offset),
        machine="w1",
        resident=resident,
        params={"name": "W1"},
        at=START,
    )


def entry(
    offset: int,
    *,
    view: MachineView | None = None,
    epoch: str = EPOCH,
    owner: str | None = None,
    notices: Sequence[Notice] = (),
    room: str = ROOM,
) -> Entry:
    event = PublicEvent(
        room=room,
        epoch=epoch,
        offset=offset,
        follows=offset - 1,
        at=START,
        cause=Cause.SENSOR_CHANGED,
        machine=view or machine(),
    )
    return Entry(epoch=epoch, offset=offset, event=event, owner=owner, notices=list(notices))


def waiting_entry(
    offset: int,
    resident: str = ME,
    watches: Mapping[MachineKind, datetime | None] | None = None,
    *,
    muted: bool = False,
    notices: Sequence[Notice] = (),
) -> Entry:
    waiting = Waiting(resident=resident, watches=dict(watches or {}), pickup_muted=muted)
    return Entry(epoch=EPOCH, offset=offset, waiting=waiting, notices=list(notices))


def ack_entry(
    offset: int, notice_id: str, resident: str = ME, *, kind: AckKind = AckKind.SHOWN
) -> Entry:
    ack = NoticeAck(notice_id=notice_id, resident=resident, kind=kind, at=START)
    return Entry(epoch=EPOCH, offset=offset, ack=ack)


def snapshot(
    offset: int = 0, *, epoch: str = EPOCH, machines: Sequence[MachineView] = (), room: str = ROOM
) -> UpSnapshot:
    return UpSnapshot(
        snapshot=RoomSnapshot(
            room=room,
            name="Basement",
            position=Position(epoch=epoch, offset=offset),
            at=START,
            machines=list(machines) or [machine("w1"), machine("w2")],
        ),
        owners={},
        reason="new_epoch",
    )


def hello(
    head: int,
    epoch: str = EPOCH,
    acked: int = 0,
    *,
    word: str | None = None,
    connection: str | None = None,
    run: str | None = None,
    nth: int = 0,
    renewal: bool = False,
) -> UpHello:
    return UpHello(
        word=word,
        connection=connection,
        run=run,
        nth=nth,
        renewal=renewal,
        name="Basement",
        version="0",
        head=Position(epoch=epoch, offset=head),
        acked=acked,
        durable=True,
        sent_at=START,
        local_url="http://192.0.2.7",
    )


def presence(seq: int, *, attentive: bool = True, resident: str = ME) -> UpPresence:
    session = PresentSession(session_id="s1", resident=resident, attentive=attentive)
    return UpPresence(seq=seq, sessions=[session])


@dataclass
class Link:
    """Records what was published; ``up`` False refuses; ``confirms`` False: the broker dies over it."""

    up: bool = True
    confirms: bool = True
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        del retain
        if self.up:
            self.sent.append((topic, payload))
        return self.up and self.confirms

    @property
    def connected(self) -> bool:
        return self.up

    def of(self, topic: Topic) -> list[bytes]:
        name = topic_name(REF, topic)
        return [payload for sent, payload in self.sent if sent == name]

    @property
    def acks(self) -> list[DownAck]:
        return [DownAck.model_validate_json(payload) for payload in self.of(Topic.DOWN_ACK)]

    @property
    def hellos(self) -> list[DownHello]:
        return [DownHello.model_validate_json(payload) for payload in self.of(Topic.DOWN_HELLO)]


@dataclass
class Session:
    attentive: bool = True


@dataclass
class Live:
    """Stands where the live server stands, and records what it would send."""

    here: dict[str, list[Session]] = field(default_factory=dict)
    events: list[PublicEvent] = field(default_factory=list)
    mine: list[str] = field(default_factory=list)
    statuses: list[RoomStatus] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    gone: list[tuple[str, str, str | None]] = field(default_factory=list)

    def publish(self, event: PublicEvent) -> None:
        self.events.append(event)

    async def send_mine(self, resident: str) -> None:
        self.mine.append(resident)

    def room_status(self, status: RoomStatus) -> None:
        self.statuses.append(status)

    def sessions(self, resident: str) -> list[Session]:
        return self.here.get(resident, [])

    def notify(self, card: NoticeCard, resident: str) -> int:
        count = len(self.sessions(resident))
        if count:
            self.told.append((resident, card.id))
        return count

    def notice_gone(self, resident: str, ids: Sequence[str], *, but: str | None) -> None:
        self.gone.extend((resident, one, but) for one in ids)


@dataclass
class Merged:
    """Presence at the relay and at the edges together."""

    live: Live
    edges: EdgePresence

    def attentive(self, resident: str) -> bool:
        here = any(session.attentive for session in self.live.sessions(resident))
        return here or self.edges.attentive(resident)

    def open(self, resident: str) -> bool:
        return bool(self.live.sessions(resident)) or self.edges.open(resident)


@dataclass
class Wishes:
    """What residents wish, in memory."""

    kept: dict[str, NoticePreferences] = field(default_factory=dict)

    def of(self, resident: str) -> NoticePreferences:
        return self.kept.get(resident, NoticePreferences())


@dataclass
class Subscribers:
    """Subscriptions in memory, with what was noted of them."""

    of: dict[str, list[Subscription]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def add(
        self,
        resident: str,
        sub_id: str,
        host: str = "fcm.googleapis.com",
        way: Way = Way.WEB_PUSH,
    ) -> None:
        one = Subscription(sub_id, f"https://{host}/send/{sub_id}", "", "", Lang.EN, way=way)
        self.of.setdefault(resident, []).append(one)

    async def for_resident(self, resident: str) -> list[Subscription]:
        return list(self.of.get(resident, []))

    async def by_id(self, ids: Sequence[str]) -> dict[str, Subscription]:
        return {one.id: one for subs in self.of.values() for one in subs if one.id in ids}

    async def note(self, attempts: Sequence[Attempted]) -> None:
        for one in attempts:
            if one.outcome is Outcome.SENT:
                self.sent.append(one.subscription)
            elif one.outcome is Outcome.GONE:
                self.deleted.append(one.subscription)
                for resident, subs in self.of.items():
                    self.of[resident] = [sub for sub in subs if sub.id != one.subscription]
            elif one.outcome in {Outcome.REFUSED, Outcome.LATER}:
                self.errors.append((one.subscription, one.detail))

    async def attempted(self, db: aiosqlite.Connection, attempts: Sequence[Attempted]) -> None:
        del db
        await self.note(attempts)


@dataclass
class Postman:
    """A sender that answers as told; by default everything is taken."""

    answers: dict[str, list[Result]] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)

    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        self.sent.append((card.id, subscription.id))
        queued = self.answers.get(subscription.id)
        return queued.pop(0) if queued else Result(Outcome.SENT)


@dataclass
class World:
    """One life of a relay; ``relay`` opens another one over the same file."""

    db: aiosqlite.Connection
    clock: HandClock
    link: Link
    live: Live
    subscribers: Subscribers
    wishes: Wishes
    rooms: Rooms
    edges: EdgePresence
    queue: PushQueue
    planner: Planner
    told: ToldSender
    commands: RemoteCommands
    handlers: Handlers
    ingest: Ingest

    async def hear(self, topic: Topic, payload: BaseModel | bytes, room: RoomRef = REF) -> None:
        body = payload if isinstance(payload, bytes) else payload.model_dump_json().encode()
        variable = RELAY_ID if topic is Topic.UP_ANSWER else None
        await self.ingest.take(Message(topic_name(room, topic, variable), body, retained=False))

    async def events(self, *entries: Entry, caught_up: bool = True) -> None:
        await self.hear(Topic.UP_EVENTS, UpEvents(entries=list(entries), caught_up=caught_up))

    async def begin(self) -> None:
        """Enrol the room and take its first snapshot; the relay has been up for a while."""
        await self.rooms.enroll(ROOM, "Basement")
        self.clock.forward(60)
        await self.hear(Topic.AVAILABILITY, b"online")
        await self.hear(Topic.UP_HELLO, hello(0))
        await self.hear(Topic.UP_SNAPSHOT, snapshot(0))
        await self.events()
        self.link.sent.clear()
        self.live.events.clear()

    async def push_due(self) -> None:
        """Let the planner and the queue do what is due now, to the end."""
        while await self.planner.take_due():
            pass
        while await self.queue.send_due(self.planner):
            pass

    async def state_of(self, notice_id: str) -> str:
        rows = await self.db.execute_fetchall(
            "SELECT state FROM notices WHERE id = ?", (notice_id,)
        )
        return str(next(iter(rows))["state"])


async def eventually(condition: Callable[[], bool], what: str, timeout_s: float = 10.0) -> None:
    """Wait until ``condition`` holds."""
    try:
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 -- other tasks write into plain lists
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {timeout_s} s") from None


@asynccontextmanager
async def running(*coroutines: Coroutine[object, object, object]) -> AsyncGenerator[None]:
    """Run tasks beside the test, and cancel them after it."""
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError), result


@asynccontextmanager
async def relay(
    path: Path | None,
    *,
    clock: HandClock | None = None,
    subscribers: Subscribers | None = None,
    wishes: Wishes | None = None,
    sender: Sender | None = None,
    command_timeout_s: float = 8.0,
    late_grace_s: float = 0.0,
    rosters: RosterVersions | None = None,
) -> AsyncGenerator[World]:
    """Start a relay; leaving it is as good as a kill, since nothing is written at the end."""
    db = await open_database(path, MIGRATIONS)
    clock = clock or HandClock()
    await take_up(db, clock)
    subscribers, wishes = subscribers or Subscribers(), wishes or Wishes()
    link, live = Link(), Live()
    rooms = Rooms(db, clock)
    await rooms.load()
    await rooms.begin_run()
    edges = EdgePresence(await store.load_presence(db))
    sender = sender or Postman()
    queue = PushQueue(db, clock, sender=sender, subscriptions=subscribers, wishes=wishes)
    told = ToldSender(link)
    planner = Planner(
        db,
        clock,
        presence=Merged(live, edges),
        sockets=live,
        push=queue,
        edges=told,
        wishes=wishes,
    )
    commands = RemoteCommands(
        link,
        rooms,
        clock,
        relay_id=RELAY_ID,
        timeout_s=command_timeout_s,
        late_grace_s=late_grace_s,
    )
    handlers = Handlers(
        db,
        clock,
        link=link,
        rooms=rooms,
        presence=edges,
        planner=planner,
        fanout=live,
        told=told,
        members=Members(rooms),
        rosters=rosters or RosterVersions(),
    )
    ingest = Ingest(rooms, handlers, commands)
    try:
        yield World(
            db,
            clock,
            link,
            live,
            subscribers,
            wishes,
            rooms,
            edges,
            queue,
            planner,
            told,
            commands,
            handlers,
            ingest,
        )
    finally:
        await db.close()
