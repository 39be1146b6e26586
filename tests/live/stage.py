"""A real session server on a real port, behind it a journal in memory; real WebSocket clients before it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import socket as sockets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from laundryd.daemon.serve import listen, serve
from laundryd.live.client import LiveClient
from laundryd.live.door import Admission, Refusal
from laundryd.live.openings import Opening, is_same_past
from laundryd.live.server import LiveServer
from laundryd.live.settings import LiveSettings
from laundryd.wire import frames
from laundryd.wire.announcements import AnnouncementKind, AnnouncementText, ShownAnnouncement
from laundryd.wire.commands import CommandError
from laundryd.wire.errors import ErrorCode
from laundryd.wire.events import AckKind, PublicEvent
from laundryd.wire.ids import PagePosition, Position
from laundryd.wire.machines import EdgeStatus, MachineKind, MachineView
from laundryd.wire.notices import Lang, NoticeCard, NoticeKind
from laundryd.wire.phases import Cause, Phase, Sensor

ROOM = "maple-hall.basement"
OTHER_ROOM = "maple-hall.attic"
FOREIGN_ROOM = "oak-hall.basement"
EPOCH = "e1"
AT = datetime(2026, 1, 5, 18, 30, tzinfo=UTC)
SESSION_KEY = b"the same in each life of a stage"


def make_event(
    offset: int,
    *,
    follows: int | None = None,
    room: str = ROOM,
    epoch: str = EPOCH,
    cause: Cause = Cause.CYCLE_STARTED,
    at: datetime = AT,
) -> PublicEvent:
    return PublicEvent(
        room=room,
        epoch=epoch,
        offset=offset,
        follows=offset - 1 if follows is None else follows,
        at=at,
        cause=cause,
        machine=MachineView(
            machine="washer-1",
            kind=MachineKind.WASHER,
            name="Washer 1",
            phase=Phase.IN_USE,
            since=AT,
            sensor=Sensor.OK,
        ),
    )


def make_notice(name: str) -> NoticeCard:
    return NoticeCard(
        id=hashlib.sha256(name.encode()).hexdigest()[:32],
        kind=NoticeKind.DONE,
        room=ROOM,
        machine="washer-1",
        params={"name": "Washer 1"},
        caused_at=AT,
        useful_until=AT + timedelta(hours=12),
    )


class StillClock:
    """Room time that stands still: nothing of the protocol may depend on it."""

    speed = 60.0

    def now(self) -> datetime:
        return AT


class TokenDoor:
    """Tokens are ``resident:device``; each sees ``rooms``, those of its site."""

    def __init__(self) -> None:
        self.expires_in_s: float | None = None
        self.rooms = frozenset({ROOM, OTHER_ROOM})
        self.left: set[str] = set()
        """Rooms from which everybody was removed after their handshake."""

    async def admit(self, headers: Mapping[str, str]) -> Admission | Refusal:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if not scheme:
            token = headers.get("cookie", "").removeprefix("laundryd_relay=")
        resident, _, device = token.partition(":")
        if not device:
            return Refusal(ErrorCode.UNAUTHENTICATED, "No such token.")
        return Admission(resident, device, self.rooms, self.expires_in_s)

    async def rooms_now(self, admission: Admission) -> frozenset[str]:
        return admission.rooms - self.left


def make_announcement() -> ShownAnnouncement:
    text = AnnouncementText(title="Water off", body="Until noon.")
    return ShownAnnouncement(
        id="0" * 32,
        kind=AnnouncementKind.MAINTENANCE,
        texts=dict.fromkeys(Lang, text),
        urgent=False,
        since=AT,
        until=AT + timedelta(hours=1),
    )


@dataclass
class MemoryDesk:
    """A journal in memory. ``gate`` closed: history waits, so that a test can publish meanwhile."""

    journal: dict[str, list[PublicEvent]] = field(
        default_factory=lambda: {ROOM: [], OTHER_ROOM: []}
    )
    forgotten: int = 0
    read_max: int | None = None
    """Cuts every reading of history short, as a desk must not."""
    pending: dict[str, list[NoticeCard]] = field(default_factory=dict)
    announced: dict[str, list[ShownAnnouncement]] = field(default_factory=dict)
    acks: list[tuple[str, str, tuple[str, ...], AckKind]] = field(default_factory=list)
    commands: list[tuple[str, frames.Command]] = field(default_factory=list)
    presence_changes: int = 0
    refuse_with: ErrorCode | None = None
    history_reads: int = 0
    broken: bool = False
    store_run: str | None = None
    openings: list[Opening] = field(default_factory=list)
    """Runs of the store before, and this one; ``store_run`` None: positions name none."""
    mine_now: frames.Mine = field(default_factory=lambda: frames.Mine(machines=[], claims=[]))
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    command_gate: asyncio.Event = field(default_factory=asyncio.Event)
    at_gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        self.command_gate.set()

    def append(self, offset: int, **more: int | str) -> PublicEvent:
        room = str(more.get("room", ROOM))
        events = self.journal[room]
        follows = events[-1].offset if events else 0
        event = make_event(offset, follows=follows, room=room)
        events.append(event)
        return event

    def position(self, room: str) -> Position | None:
        if room not in self.journal:
            return None
        events = self.journal[room]
        return Position(epoch=EPOCH, offset=events[-1].offset if events else 0)

    def run(self, _room: str) -> str | None:
        return self.store_run

    def is_same_past(self, _room: str, position: PagePosition) -> bool:
        return self.store_run is None or is_same_past(position, self.store_run, self.openings)

    def opens(self, run: str, head: int) -> None:
        """Begin a run of the store, with the journal at ``head``."""
        self.store_run = run
        self.openings.append(Opening(run, head))

    async def since(
        self, room: str, position: Position, limit: int
    ) -> Sequence[PublicEvent] | None:
        self.history_reads += 1
        self.at_gate.set()
        await self.gate.wait()
        if self.broken:
            raise OSError("the disk is gone")
        if position.offset < self.forgotten:
            return None
        found = [e for e in self.journal[room] if e.offset > position.offset]
        return found[:limit][: self.read_max]

    async def command(self, resident: str, frame: frames.Command) -> frames.Result:
        self.commands.append((resident, frame))
        await self.command_gate.wait()
        if self.refuse_with is not None:
            error = CommandError(code=self.refuse_with, message="No.")
            return frames.Result(id=frame.id, ok=False, error=error)
        return frames.Result(id=frame.id, ok=True, position=Position(epoch=EPOCH, offset=1))

    async def acked(
        self, resident: str, session_id: str, notice_ids: Sequence[str], kind: AckKind
    ) -> None:
        self.acks.append((resident, session_id, tuple(notice_ids), kind))

    async def mine(self, _resident: str) -> frames.Mine:
        return self.mine_now

    async def pending_notices(self, resident: str) -> Sequence[frames.NoticeFrame]:
        return [frames.NoticeFrame.of(card) for card in self.pending.get(resident, [])]

    def shown(self, room: str) -> Sequence[ShownAnnouncement]:
        return self.announced.get(room, [])

    def presence_changed(self) -> None:
        self.presence_changes += 1


@dataclass
class Stage:
    server: LiveServer
    desk: MemoryDesk
    door: TokenDoor
    port: int
    edges: dict[str, EdgeStatus]
    timers: asyncio.Task[NoReturn]

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/live"

    def client(
        self,
        token: str = "ann:phone",  # noqa: S107 -- a test's
        *,
        rooms: Iterable[str] | Mapping[str, Position | None] = (ROOM,),
        session_id: str | None = None,
    ) -> LiveClient:
        return LiveClient(self.url, token, rooms=rooms, session_id=session_id)

    def raw(
        self,
        token: str | None = "ann:phone",  # noqa: S107 -- a test's
        *,
        origin: str | None = None,
        **headers: str,
    ) -> connect:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return connect(
            self.url,
            additional_headers=headers,
            origin=None if origin is None else Origin(origin),
            compression=None,
            ping_interval=None,
            proxy=None,
        )

    async def publish(self, offset: int, room: str = ROOM) -> PublicEvent:
        event = self.desk.append(offset, room=room)
        self.server.publish(event)
        return event


@contextlib.asynccontextmanager
async def running(**limits: object) -> AsyncGenerator[Stage]:
    """Run a stage. ``send_buffer_bytes``: what the kernel keeps for a slow reader; the rest are settings."""
    send_buffer_bytes = limits.pop("send_buffer_bytes", None)
    settings = LiveSettings.model_validate({"backoff_first_s": 0.02, **limits})
    desk, door = MemoryDesk(), TokenDoor()
    edges: dict[str, EdgeStatus] = {}
    server = LiveServer(
        door,
        desk,
        settings=settings,
        clock=StillClock(),
        server_name="test",
        edge_status=edges.get,
        session_key=SESSION_KEY,
    )
    listener = listen("127.0.0.1", 0)
    if isinstance(send_buffer_bytes, int):  # each accepted connection has its listener's
        listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, send_buffer_bytes)
    started = asyncio.Event()
    timers = asyncio.create_task(server.run())
    web = asyncio.create_task(serve(server, listener, on_started=started.set))
    try:
        await started.wait()
        yield Stage(server, desk, door, listener.getsockname()[1], edges, timers)
    finally:
        for task in (timers, web):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def refused(opening: connect) -> tuple[int, dict[str, object], Mapping[str, str]]:
    """Return status, problem document and headers of a handshake that must be refused."""
    try:
        async with opening:
            raise AssertionError("the handshake was let in")
    except InvalidStatus as error:
        body = json.loads(bytes(error.response.body or b""))
        return error.response.status_code, body, error.response.headers


async def closed(socket: ClientConnection) -> int:
    """Read until the server closes, and return its code."""
    try:
        async with asyncio.timeout(10):
            async for _ in socket:
                pass
    except ConnectionClosed:
        pass
    if socket.close_code is None:
        raise AssertionError("the connection is still open")
    return socket.close_code


async def eventually(ready: Callable[[], bool], *, timeout_s: float = 5.0) -> None:
    """Wait until ``ready``; for what has no event of its own to wait for."""
    async with asyncio.timeout(timeout_s):
        while not ready():  # noqa: ASYNC110 -- the condition belongs to code that must not know tests
            await asyncio.sleep(0.005)


def identify_text(**fields: object) -> str:
    body = {"type": "identify", "rooms": {ROOM: None}, "visible": True, "lang": "en", **fields}
    return json.dumps(body)


StartLive = Callable[..., Awaitable[Stage]]
