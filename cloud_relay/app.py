"""The relay's wiring and life cycle, and nothing else.

Start: address, keys, database; rooms and people; then what decides (planner, push queue, ingest); the
broker link; the web side last, and then READY. Stop: live sessions, the web side, the link, what
decides, the push client, the database last. Nothing is lost by a kill in between: what was not
acknowledged comes again, and what was planned stands in the database.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sqlite3
import ssl
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path

import aiosqlite
import uvloop
from starlette.types import ASGIApp

from cloud_relay.announce.keeper import AnnouncementKeeper
from cloud_relay.announce.publisher import RoomBoards
from cloud_relay.announce.writing import Announcements
from cloud_relay.api.application import web_side
from cloud_relay.api.desk import RelayDesk
from cloud_relay.api.door import RelayDoor
from cloud_relay.api.metrics import RelayCollector, registry
from cloud_relay.api.push import TESTS_MAX, TESTS_WINDOW_S
from cloud_relay.api.services import Services
from cloud_relay.api.sockets import Sockets
from cloud_relay.clock_watch import ClockWatch, take_up
from cloud_relay.errors import SetupError
from cloud_relay.ingest.commands import RemoteCommands
from cloud_relay.ingest.handlers import Handlers
from cloud_relay.ingest.told import ToldSender
from cloud_relay.ingest.uplink import Ingest
from cloud_relay.migrations import MIGRATIONS
from cloud_relay.notify.bell_watch import BellWatch
from cloud_relay.notify.edge_gone import EdgeWatch
from cloud_relay.notify.planner import Planner
from cloud_relay.push.keys import KeyKeeper, VapidKeys
from cloud_relay.push.queue import PushQueue
from cloud_relay.push.senders import Senders
from cloud_relay.push.service_account import load_service_account
from cloud_relay.push.trial import Trial
from cloud_relay.push.webpush import Sender, WebPushSender
from cloud_relay.residents.bells import Bells
from cloud_relay.residents.directory import Directory
from cloud_relay.residents.join_codes import HOUR_S, JoinCodes, JoinLimits
from cloud_relay.residents.joining import Joining
from cloud_relay.residents.link_codes import LinkCodes
from cloud_relay.residents.people import People
from cloud_relay.residents.preferences import PreferenceStore
from cloud_relay.residents.revoking import RevokedWatch
from cloud_relay.residents.roster import Rosters
from cloud_relay.residents.roster_publisher import RosterPublisher
from cloud_relay.residents.subscriptions import SubscriptionStore
from cloud_relay.residents.tokens import Tokens, old_signing_key
from cloud_relay.rooms.presence import EdgePresence
from cloud_relay.rooms.rooms import Rooms
from cloud_relay.rooms.snapshots import Snapshots
from cloud_relay.rooms.store import load_presence
from cloud_relay.settings import RelaySettings
from cloud_relay.staff.people import Staff
from cloud_relay.supervision import supervise
from laundryd.daemon import logs, sd_notify
from laundryd.daemon.clock import Clock, SteadyClock
from laundryd.daemon.codes import RateLimit
from laundryd.daemon.mqtt import SESSION_EXPIRY_S, MqttLink
from laundryd.daemon.serve import listen, serve
from laundryd.daemon.settling import settle_with_many_connections
from laundryd.daemon.sqlite import MigrationError, open_database
from laundryd.daemon.tokens import LIVE_SESSIONS, SigningKey
from laundryd.live.server import LiveServer
from laundryd.wire.bodies import FcmWeb
from laundryd.wire.ids import RoomKey

log = logging.getLogger("laundryd.relay")

STAFF_WRITES_H = 60
"""Announcements that one of the staff may write or edit within an hour."""


class Relay:
    """One relay process. ``run`` is its whole life."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self._clock: Clock = SteadyClock(
            settings.testing.clock_speed, settings.testing.clock_epoch_s
        )
        self._watchdog = sd_notify.Watchdog(self._status)
        self._port = 0
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask the running relay to stop in order."""
        self._stop.set()

    async def run(self, on_listening: Callable[[int], None] = lambda _port: None) -> None:
        """Run until SIGTERM, SIGINT or ``stop``. ``on_listening`` hears the port that is served.

        Raises:
            SetupError: ``relay init`` was not run, or a key cannot be used.
            OSError: the address cannot be listened on.
            MigrationError, sqlite3.Error: the database cannot be opened.

        """
        settings = self._settings
        if not settings.keys.signing.exists():
            raise SetupError(
                f"{settings.keys.signing}: is missing; run `laundryd relay init` with the same --config"
            )
        listener = listen(settings.http.host, settings.http.port)
        async with AsyncExitStack() as stack:
            stack.callback(listener.close)
            db = await open_database(settings.database, MIGRATIONS)
            stack.push_async_callback(db.close)
            await self._open(db, stack)
            await self._live_until_told(listener, on_listening)

    async def _open(self, db: aiosqlite.Connection, stack: AsyncExitStack) -> None:
        settings, clock = self._settings, self._clock
        self._db = db
        await take_up(db, clock)
        self._link = link = MqttLink(
            settings.broker,
            f"laundryd-relay-{settings.relay_id}",
            name="cloud broker",
            subscriptions=Ingest.subscriptions(settings.relay_id),
            session_expiry_s=SESSION_EXPIRY_S,
        )
        self.rooms = rooms = Rooms(db, clock)
        await rooms.load()
        await rooms.begin_run()
        snapshots = Snapshots(
            rooms,
            clock,
            rooms_max=settings.snapshots.rooms_max,
            keep_s=settings.snapshots.keep_s,
        )
        edges = EdgePresence(await load_presence(db))
        people = People(db)
        preferences = PreferenceStore(db, self._wishes_changed)
        await preferences.load()
        signing_key = SigningKey.load_or_create(settings.keys.signing)
        tokens = Tokens(signing_key, old_signing_key(settings.keys.signing, clock.real_now()))
        subscriptions = SubscriptionStore(db, settings.push_hosts)

        vapid = VapidKeys.load_or_create(settings.keys.vapid, settings.push.vapid_subject)
        self._keys = KeyKeeper(vapid, settings.keys.vapid, subscriptions, clock)
        await self._keys.start()
        web_push = await stack.enter_async_context(
            WebPushSender(
                vapid,
                clock,
                public_url=settings.http.public_url,
                hosts=settings.push_hosts,
                tls=_push_tls(settings.testing.push_ca),
            )
        )
        fcm, fcm_web = await self._open_fcm(stack)
        sender = Senders(web_push, fcm)
        self._queue = queue = PushQueue(
            db, clock, sender=sender, subscriptions=subscriptions, wishes=preferences
        )
        self._boards = boards = RoomBoards(link, rooms)
        sockets = Sockets(edges, boards)
        self._told = told = ToldSender(link)
        self._planner = planner = Planner(
            db,
            clock,
            presence=sockets,
            sockets=sockets,
            push=queue,
            edges=told,
            wishes=preferences,
        )
        self._announcer = announcer = AnnouncementKeeper(
            db, clock, rooms=rooms, planner=planner, on_shown=self._shows
        )
        boards.bind(announcer)
        self._revoked = RevokedWatch(db, clock, self._signed_out)
        self._edge_watch = EdgeWatch(db, clock, rooms=rooms, planner=planner)
        self._bell_watch = bell_watch = BellWatch(db, clock, planner=planner)
        commands = RemoteCommands(link, rooms, clock, relay_id=settings.relay_id)
        door = RelayDoor(people, tokens, clock)
        self._live = live = LiveServer(
            door,
            RelayDesk(rooms, people, commands, planner, announcer),
            settings=settings.live.model_copy(
                update={"allowed_hosts": settings.hosts, "allowed_origins": settings.origins}
            ),
            clock=clock,
            server_name="relay",
            edge_status=lambda room: rooms.edge(room) if rooms.name(room) else None,
            session_key=signing_key.derive(LIVE_SESSIONS),
            trusted_proxies=settings.http.trusted_proxies,
        )
        sockets.bind(live)
        self._rosters = RosterPublisher(
            Rosters(
                db,
                people=people,
                preferences=preferences,
                tokens=tokens,
                enrolment_key=SigningKey.load_or_create(settings.keys.enrolment),
                relay_url=settings.http.public_url,
            ),
            link,
            clock,
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
            members=people,
            rosters=self._rosters,
        )
        self._ingest = ingest = Ingest(rooms, handlers, commands)
        self._clock_watch = ClockWatch(
            db,
            clock,
            rooms=rooms,
            planner=planner,
            queue=queue,
            edge_watch=self._edge_watch,
            on_set=ingest.clock_set,
        )
        join_codes = JoinCodes(
            db, JoinLimits(settings.join.tries_per_address_h, settings.join.joins_per_room_h)
        )
        link_codes = LinkCodes(db)
        collector = RelayCollector(
            {
                "commits": ingest.commits,
                "messages_taken": ingest.taken,
                "messages_skipped": ingest.skipped,
                "notices": planner.counts,
                "pushes": queue.counts,
                "commands": commands.counts,
                "told_down": told.counts,
                "announced_down": boards.counts,
                "snapshots": snapshots.counts,
            },
            {
                "broker_connected": lambda: float(link.connected),
                "edge_clock_off_seconds": handlers.clock_off_s,
                "messages_waiting": lambda: float(ingest.waiting),
                "rooms": lambda: float(len(rooms.enrolled())),
            },
        )
        self._web: ASGIApp = web_side(
            Services(
                settings=settings,
                clock=clock,
                door=door,
                people=people,
                preferences=preferences,
                tokens=tokens,
                joining=Joining(db, people, join_codes, link_codes),
                link_codes=link_codes,
                subscriptions=subscriptions,
                bells=Bells(db),
                directory=Directory(db),
                trial=Trial(sender, subscriptions, clock),
                push_tests=RateLimit(TESTS_MAX, TESTS_WINDOW_S),
                rooms=rooms,
                snapshots=snapshots,
                commands=commands,
                planner=planner,
                staff=Staff(db),
                staff_tries=RateLimit(settings.join.tries_per_address_h, HOUR_S),
                staff_writes=RateLimit(STAFF_WRITES_H, HOUR_S),
                announcements=Announcements(db, clock, rooms),
                announced=announcer.changed,
                bells_changed=bell_watch.changed,
                vapid_keys=vapid,
                fcm=fcm_web,
                signed_out=self._signed_out,
                missing=lambda: [] if link.connected else ["broker"],
                metrics=registry(collector),
            ),
            live,
        )

    async def _open_fcm(self, stack: AsyncExitStack) -> tuple[Sender | None, FcmWeb | None]:
        """Return FCM's sender, and what apps register with; without a configuration neither."""
        settings = self._settings
        if settings.fcm.service_account is None:
            return None, None
        # Here, so that a relay without FCM does not pay for the library.
        from cloud_relay.push.fcm import FcmSender  # noqa: PLC0415 -- the same

        account = load_service_account(settings.fcm.service_account)
        sender = await stack.enter_async_context(
            FcmSender(
                account,
                self._clock,
                public_url=settings.http.public_url,
                origin=settings.testing.fcm_origin,
            )
        )
        log.info("pushing to Android by FCM, project %s", account.project_id)
        return sender, settings.fcm.web(account.project_id)

    async def _live_until_told(
        self, listener: socket.socket, on_listening: Callable[[int], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        port: int = listener.getsockname()[1]

        def started() -> None:
            on_listening(port)
            self._port = port
            settle_with_many_connections()
            sd_notify.notify(f"READY=1\nSTATUS={self._status()}")
            log.info("serving %s on port %d", self._settings.http.public_url, port)

        http = self._settings.http
        # Live sessions begin after the web side: its tasks start before a first connection can come,
        # and stop before it, so that everybody hears 1001 from us.
        works: tuple[tuple[str, Coroutine[object, object, None]], ...] = (
            ("watchdog", self._watchdog.run()),
            ("supervision", supervise(self._db, self._ingest, self._watchdog.beat)),
            ("push queue", self._queue.run(self._planner)),
            ("push keys", self._keys.run()),
            ("told", self._told.run()),
            ("planner", self._planner.run()),
            ("edge watch", self._edge_watch.run()),
            ("bell watch", self._bell_watch.run()),
            ("announcements", self._announcer.run()),
            ("revoked", self._revoked.run()),
            ("room boards", self._boards.run()),
            ("clock watch", self._clock_watch.run()),
            ("ingest", self._ingest.run()),
            ("rosters", self._rosters.run(lambda: self._watchdog.beat("rosters"))),
            (
                "broker",
                self._link.run(self._ingest.on_message, self._connected, self._disconnected),
            ),
            (
                "http",
                serve(
                    self._web,
                    listener,
                    on_started=started,
                    certfile=http.tls_cert,
                    keyfile=http.tls_key,
                ),
            ),
            ("live", self._live.run()),
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(work, name=name) for name, work in works]
                await self._stop.wait()
                sd_notify.notify("STOPPING=1")
                log.info("stopping")
                for task in reversed(running):
                    task.cancel()
                    await asyncio.wait({task})
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _status(self) -> str:
        """Say in words how things stand, for `systemctl status`."""
        broker = "connected" if self._link.connected else "away"
        count = len(self.rooms.enrolled())
        rooms = "1 room" if count == 1 else f"{count} rooms"
        return f"serving {rooms} on port {self._port}; broker {broker}"

    async def _connected(self) -> None:
        self._rosters.connected()
        self._boards.connected()
        await self._ingest.on_connect()

    def _disconnected(self) -> None:
        self._ingest.on_disconnect()

    def _shows(self, room: RoomKey) -> None:
        self._live.shows(room)
        self._boards.changed()

    def _wishes_changed(self) -> None:
        self._rosters.changed()

    def _signed_out(self, device: str) -> None:
        self._live.close_device(device)
        self._rosters.changed()


def _push_tls(ca: Path | None) -> ssl.SSLContext | None:
    if ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(ca))
    except OSError as error:
        raise SetupError(
            f"{ca}: cannot be used as testing.push_ca ({error.strerror or error}); "
            "name a PEM file of certificates, or none"
        ) from error


def run_relay(settings: RelaySettings) -> None:
    """Run the relay with its logs until it is told to stop.

    Raises:
        SetupError: it cannot start; the message says what to do.

    """
    logs.configure(settings.log_level, as_json=settings.log_json)

    async def run() -> None:
        await Relay(settings).run()

    try:
        uvloop.run(run())
    except (MigrationError, sqlite3.Error) as error:
        raise SetupError(f"{settings.database}: cannot be used: {error}") from error
    except OSError as error:
        raise SetupError(str(error)) from error
