"""The edge's wiring and life cycle, and nothing else.

Start: database, room, detectors; then the page; then both brokers. The room's page works from the
second step on, whatever else is missing. Stop: the page, the links (each says ``offline`` first), the
database last.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final, NoReturn

from edge.dashboards.board import Dashboards
from edge.link.enrolment import Enrolment, read_enrolment
from edge.link.roster import RosterKeeper, kept_roster
from edge.link.uplink import OFFLINE, ONLINE, SKEW_TOLD, Uplink
from edge.local.accounts import Accounts
from edge.local.announced import Announced
from edge.local.api import LocalRoom, make_api
from edge.local.codes import DATABASE
from edge.local.desk import LinkedRoom, RoomDesk
from edge.local.door import LocalDoor
from edge.local.own_key import OwnKey
from edge.local.presence import present
from edge.local.session_keeper import SessionKeeper
from edge.metrics import EdgeCollector, by_kind, commit_histogram, registry
from edge.room.decision import Change
from edge.room.reconcile import MachineSetup
from edge.sensing import Sensing
from edge.settings import EdgeSettings, MachineSettings
from edge.sources.asking import LOOK_EVERY_S, Asking
from edge.sources.reading import Reading
from edge.sources.router import Router
from edge.sources.source import Ask, Source
from edge.sources.table import build_source
from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon import sd_notify
from laundryd.daemon.clock import SteadyClock
from laundryd.daemon.http_guard import HttpGuard
from laundryd.daemon.live_first import LiveFirst
from laundryd.daemon.mqtt import SESSION_EXPIRY_S, Message, MqttLink, Will
from laundryd.daemon.serve import listen, serve
from laundryd.daemon.settling import settle
from laundryd.daemon.tokens import LIVE_SESSIONS
from laundryd.live.server import LiveServer
from laundryd.wire.events import AckKind, Entry
from laundryd.wire.ids import DeviceId, ResidentId
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Sensor
from laundryd.wire.topics import Topic, client_id, topic_filter, topic_name
from laundryd.wire.uplink import DownTold, PresentSession, Roster

log = logging.getLogger("laundryd.edge")

ROSTER: Final = "roster"
OWN_KEY: Final = "edge-signing-key.pem"


class Edge:
    """The daemon of one laundry room. ``run`` is its whole life."""

    def __init__(self, settings: EdgeSettings) -> None:
        self._settings = settings
        self._ref = settings.ref
        # A plug's own topic may end like a staff command's, and never begins like one.
        self._staff_topics = topic_filter(Topic.STAFF_COMMAND, self._ref).partition("+")[0]
        self._clock = SteadyClock(settings.testing.clock_speed, settings.testing.clock_epoch_s)
        self._watchdog = sd_notify.Watchdog(self._status)
        self._port = 0
        self._owners: dict[str, ResidentId | None] = {}
        self._mine_changed: set[ResidentId] = set()
        self._mine_wake = asyncio.Event()

    async def run(self, on_listening: Callable[[int], None] = lambda _port: None) -> None:
        """Run until SIGTERM or SIGINT. ``on_listening`` hears the page's port.

        Raises:
            EdgeError: the enrolment file is wrong.
            OSError: the page's address cannot be listened on.
            laundryd.daemon.sqlite.MigrationError: a newer version wrote the database.
            sqlite3.Error: another process holds the database.

        """
        settings = self._settings
        path = settings.cloud.enrolment
        enrolment = read_enrolment(path, self._ref) if path else None
        listener = listen(settings.http.host, settings.http.port)
        store = await EdgeStore.take_up(settings.data_dir / DATABASE, settings.store.max_bytes)
        try:
            await self._open(store, enrolment)
            try:
                await self._live_until_told(listener, on_listening)
            finally:
                # A command whose page went away is still being kept: it was accepted.
                await self._writer.settle()
                with contextlib.suppress(
                    sqlite3.Error
                ):  # the clock of the last commit does as well
                    await self._writer.keep_clock()
        finally:
            sd_notify.notify("STOPPING=1")
            listener.close()
            await store.close()

    async def _open(self, store: EdgeStore, enrolment: Enrolment | None) -> None:
        settings, clock = self._settings, self._clock
        self._store = store
        store.room.has_relay = enrolment is not None
        self._writer = writer = await RoomWriter.open(
            self._ref,
            [_setup(one) for one in settings.machines],
            store,
            clock,
            settings.timings,
            name=settings.name,
            programmes=settings.listed_programmes,
        )
        self._owners = {name: record.owner for name, record in writer.state.machines.items()}
        router = Router(_sources(settings.machines))
        self._room_broker = MqttLink(
            settings.broker,
            client_id("edge", self._ref),
            name="room broker",
            subscriptions=[*router.filters(), topic_filter(Topic.STAFF_COMMAND, self._ref)],
            # No session: what plugs said while we were away would be taken for what they say now.
            will=Will(topic_name(self._ref, Topic.AVAILABILITY), OFFLINE),
        )
        self._asking = Asking(router.asks())
        self._cloud = cloud = _cloud_link(enrolment) if enrolment else None
        self._dashboards = Dashboards(writer, clock, self._room_broker, cloud)
        self._sensing = Sensing(router, writer, store, clock, self._measured)
        await self._sensing.open([(one.id, one.kind) for one in settings.machines if one.plug])
        self._roster = roster = await self._roster_of(enrolment) if enrolment else None
        own_key = OwnKey.take_up(settings.data_dir / OWN_KEY)
        store.with_return = own_key.keep
        if own_key.unkept is not None:
            # A room that is durable without its key throws everybody out at its next start.
            await store.leave_disk(own_key.unkept)
        self._uplink: Uplink | None = None
        self._door = door = LocalDoor(
            self._ref,
            clock,
            own_key=own_key,
            people=store.people,
            roster=roster,
            relay_ahead=lambda: self._uplink.relay_ahead if self._uplink else timedelta(),
        )
        self._announced = Announced(self._ref.key, store.documents, store.room, clock)
        await self._announced.load()
        desk = RoomDesk(
            writer,
            store,
            clock,
            name=settings.name,
            on_presence=self._presence_changed,
            present=self._present,
            announced=self._announced,
            declines=self._declines,
        )
        self._live = LiveServer(
            door,
            desk,
            settings=settings.live.model_copy(update={"allowed_hosts": settings.hosts}),
            clock=clock,
            server_name="edge",
            session_key=own_key.signing.derive(LIVE_SESSIONS),
            trusted_proxies=settings.http.trusted_proxies,
        )
        self._announced.bind(self._live)
        self._session_keeper = SessionKeeper(store.documents, self._live, clock.real_now)
        await self._session_keeper.load()
        accounts = Accounts(
            self._ref,
            clock,
            door=door,
            people=store.people,
            own_key=own_key,
            relay_url=enrolment.relay_url if enrolment else None,
        )
        if cloud is not None and roster is not None:
            self._uplink = Uplink(
                ref=self._ref,
                name=settings.name,
                local_url=settings.http.public_url,
                mqtt=cloud,
                room=LinkedRoom(desk, writer, store),
                roster=roster,
                clock=clock,
                acked=store.room.acked,
                told=self._told_elsewhere,
                announced=self._announced,
                on_connected=lambda: self._dashboards.connected(at_cloud=True),
            )
            writer.on_clock_set.append(self._uplink.clock_set)
        writer.on_entries.append(self._told)
        # Open pages stand at numbers that lead nowhere now: they come back and take the whole room.
        writer.on_new_epoch.append(lambda: self._live.room_replaced(self._ref.key))
        # The room may run from memory now, or no longer: dashboards say which.
        writer.on_new_epoch.append(lambda: self._dashboards.connected(at_cloud=False))
        if self._uplink is not None:
            writer.on_new_epoch.append(self._uplink.appended)
        metrics = registry(self._collector(router))
        writer.on_kept = commit_histogram(metrics).observe
        api = make_api(
            LocalRoom(
                ref=self._ref,
                name=settings.name,
                secure=settings.http.certfile is not None,
                door=door,
                desk=desk,
                accounts=accounts,
                people=store.people,
                ready=lambda: True,
                store=store,
                metrics=metrics,
                trusted_proxies=settings.http.trusted_proxies,
            )
        )
        self._app = LiveFirst(
            self._live, HttpGuard(api, settings.hosts, settings.live.allowed_origins)
        )

    def _collector(self, router: Router) -> EdgeCollector:
        uplink = self._uplink
        return EdgeCollector(
            {
                "plug_messages_skipped": lambda: {
                    reason.value: count for reason, count in router.skipped.items()
                },
                "plug_messages_dropped": lambda: {"inbox_full": self._sensing.dropped},
                "cloud_messages_skipped": lambda: uplink.skipped if uplink else {},
                "staff_commands_skipped": lambda: self._dashboards.skipped,
                "cycle_signals": lambda: by_kind(self._sensing.signals),
                "commands": lambda: self._writer.answers,
            },
            {
                "room_broker_connected": lambda: float(self._room_broker.connected),
                "uplink_connected": lambda: float(uplink is not None and uplink.connected),
                "uplink_waiting_entries": lambda: float(uplink.waiting) if uplink else 0.0,
                "relay_ahead_seconds": lambda: (
                    uplink.relay_ahead.total_seconds() if uplink else 0.0
                ),
                "sensors_silent": lambda: float(
                    sum(one.sensor is Sensor.SILENT for one in self._writer.state.machines.values())
                ),
                "store_durable": lambda: float(self._store.durable),
            },
        )

    async def _live_until_told(
        self, listener: socket.socket, on_listening: Callable[[int], None]
    ) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        port: int = listener.getsockname()[1]

        def started() -> None:
            settle()
            on_listening(port)
            self._port = port
            sd_notify.notify(f"READY=1\nSTATUS={self._status()}")
            log.info("the room's page is on port %d", port, extra={"room": self._ref.key})

        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(work, name=name)
                for name, work in (
                    ("writer", self._writer.run(lambda: self._watchdog.beat("writer"))),
                    ("store", self._store.run(lambda: self._watchdog.beat("store"))),
                    ("sensing", self._sensing.run(lambda: self._watchdog.beat("sensing"))),
                    ("live", self._live.run(lambda: self._watchdog.beat("live"))),
                    ("mine", self._send_mine()),
                    ("announcements", self._announced.run()),
                    ("sessions", self._session_keeper.run()),
                    ("dashboards", self._dashboards.run(lambda: self._watchdog.beat("dashboards"))),
                    (
                        "room broker",
                        self._room_broker.run(
                            self._plug_spoke, self._broker_is_back, self._sensing.not_listening
                        ),
                    ),
                    ("asking", self._ask_the_silent()),
                    ("watchdog", self._watchdog.run()),
                    *([("uplink", self._uplink.run())] if self._uplink else []),
                    (
                        "http",
                        serve(
                            self._app,
                            listener,
                            on_started=started,
                            certfile=self._settings.http.certfile,
                            keyfile=self._settings.http.keyfile,
                        ),
                    ),
                )
            ]
            await stop.wait()
            log.info("stopping", extra={"room": self._ref.key})
            for task in reversed(running):
                task.cancel()

    def _status(self) -> str:
        """Say in words how things stand, for `systemctl status`."""
        uplink, trouble = self._uplink, self._store.trouble
        return "; ".join(
            [
                f"serving {self._ref.key} on port {self._port}",
                *([f"IN MEMORY, its database fails: {trouble}"] if trouble else []),
                f"room's broker {_standing(self._room_broker)}",
                *([f"cloud's broker {_standing(self._cloud)}"] if self._cloud else []),
                *(["it awaits its roster: nobody can come in"] if self._door.awaits_roster else []),
                *(
                    [f"its clock and the relay's differ by {abs(uplink.relay_ahead)}"]
                    if uplink and abs(uplink.relay_ahead) > SKEW_TOLD
                    else []
                ),
                *(
                    [f"{uplink.waiting} entries wait for the relay"]
                    if uplink and uplink.waiting
                    else []
                ),
            ]
        )

    def _plug_spoke(self, message: Message) -> None:
        if message.topic.startswith(self._staff_topics):
            self._dashboards.ordered(message)
        else:
            self._sensing.arrived(message)

    async def _broker_is_back(self) -> None:
        self._sensing.listening_again()
        topic = topic_name(self._ref, Topic.AVAILABILITY)
        await self._room_broker.publish(topic, ONLINE, retain=True)
        self._dashboards.connected(at_cloud=False)
        await self._ask(self._asking.everyone(self._clock.monotonic_s()))

    async def _ask_the_silent(self) -> NoReturn:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self._room_broker.connected:
                await self._ask(self._asking.due(self._clock.monotonic_s()))

    async def _ask(self, asks: Sequence[Ask]) -> None:
        for ask in asks:
            await self._room_broker.publish(ask.topic, ask.payload)

    def _measured(self, reading: Reading) -> None:
        self._asking.heard(reading.machine, self._clock.monotonic_s())
        self._dashboards.measured(reading)

    def _told(self, entries: list[Entry], changes: Sequence[Change]) -> None:
        """Tell everybody what the room accepted, in the journal's order."""
        for entry in entries:
            if entry.event is not None:
                self._live.publish(entry.event)
            # Only what was read: a page acknowledges what it has just shown, and goes on showing it.
            if entry.ack is not None and entry.ack.kind is AckKind.READ:
                self._live.notice_gone(entry.ack.resident, [entry.ack.notice_id])
            for notice in entry.notices:
                if not self._declines(notice.resident, notice.kind):
                    self._live.notify(notice.card(), notice.resident)
            if entry.waiting is not None:
                self._mine_changed.add(entry.waiting.resident)
        for change in changes:
            before = self._owners.get(change.record.machine)
            self._owners[change.record.machine] = change.record.owner
            self._mine_changed |= {one for one in (before, change.record.owner) if one}
        self._mine_wake.set()
        self._dashboards.told(entries)
        if self._uplink is not None:
            self._uplink.appended()

    def _declines(self, resident: ResidentId, kind: NoticeKind) -> bool:
        # Wishes are kept at the relay; a room that has none tells everybody here.
        return self._roster is not None and self._roster.declines(resident, kind)

    async def _send_mine(self) -> None:
        while True:
            await self._mine_wake.wait()
            self._mine_wake.clear()
            while self._mine_changed:
                await self._live.send_mine(self._mine_changed.pop())

    def _presence_changed(self) -> None:
        self._session_keeper.changed()
        if self._uplink is not None:
            self._uplink.presence_changed()

    def _present(self) -> list[PresentSession]:
        return present(self._live.all_sessions())

    async def _told_elsewhere(self, told: DownTold) -> None:
        # From now on no page that comes gets them; one that shows them already keeps them until read.
        owners = await self._store.room.told_elsewhere(told.notice_ids)
        for notice in told.gone:
            if notice in owners:
                self._live.notice_gone(owners[notice], [notice])

    async def _roster_of(self, enrolment: Enrolment) -> RosterKeeper:
        kept = await self._store.documents.get(ROSTER)

        async def save(roster: Roster) -> None:
            await self._store.documents.put(ROSTER, roster.model_dump_json())

        return RosterKeeper(
            enrolment_key=enrolment.enrolment_key,
            audience=self._ref.audience,
            current=kept_roster(kept) if kept else None,
            save=save,
            on_revoked=self._revoked,
        )

    def _revoked(self, devices: Iterable[DeviceId]) -> None:
        for device in devices:
            self._live.close_device(device)


def _standing(broker: MqttLink) -> str:
    away = f"away ({broker.trouble})" if broker.trouble else "away"
    return "connected" if broker.connected else away


def _setup(machine: MachineSettings) -> MachineSetup:
    return MachineSetup(machine.id, machine.kind, machine.name, has_plug=machine.plug is not None)


def _sources(machines: Sequence[MachineSettings]) -> list[Source]:
    return [build_source(one.id, one.plug.spec) for one in machines if one.plug]


def _cloud_link(enrolment: Enrolment) -> MqttLink:
    base = topic_name(enrolment.ref, Topic.AVAILABILITY)
    return MqttLink(
        enrolment.broker,
        client_id("uplink", enrolment.ref),
        name="cloud broker",
        subscriptions=[base.removesuffix("availability") + "down/#"],
        will=Will(base, OFFLINE),
        session_expiry_s=SESSION_EXPIRY_S,
    )
