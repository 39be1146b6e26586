"""What the page sees of a room: the contract's own bodies and frames, chosen by each test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pydantic import TypeAdapter

from laundryd.daemon import problems, webapp
from laundryd.daemon.problems import ProblemError
from laundryd.wire.bodies import Me, MyRoom
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.commands import CommandError
from laundryd.wire.errors import ErrorCode
from laundryd.wire.frames import (
    Backoff,
    ClientFrame,
    Command,
    Identify,
    Mine,
    MyClaim,
    MyMachine,
    Result,
    RoomClock,
    RoomResume,
    ServerFrame,
    Welcome,
)
from laundryd.wire.ids import Position
from laundryd.wire.machines import MachineKind, MachineView, Programme, RoomSnapshot
from laundryd.wire.notices import Lang
from laundryd.wire.phases import Phase, Sensor

ROOM = "maple-hall.basement"
_HERE = Position(epoch="e1", offset=1)
_FRAMES: TypeAdapter[ClientFrame] = TypeAdapter(ClientFrame)


def in_minutes(minutes: float) -> datetime:
    """Return the moment ``minutes`` from now; negative: ago."""
    return datetime.now(UTC) + timedelta(minutes=minutes)


def machine(name: str, phase: Phase, **more: object) -> MachineView:
    """Return a machine; one whose name begins with ``d`` is a dryer."""
    kind = MachineKind.DRYER if name.startswith("d") else MachineKind.WASHER
    whole = {
        "machine": name,
        "kind": kind,
        "name": f"{kind.value} {name}",
        "phase": phase,
        "since": in_minutes(-7),
        "sensor": Sensor.OK,
        "has_owner": phase in {Phase.CLAIMED, Phase.ARRIVED},
        "held_until": in_minutes(8) if phase in {Phase.CLAIMED, Phase.ARRIVED} else None,
        "started_at": in_minutes(-30) if phase in {Phase.IN_USE, Phase.FINISHED} else None,
        "ended_at": in_minutes(-4) if phase is Phase.FINISHED else None,
    }
    return MachineView.model_validate(whole | more)


class RoomDoor:
    """A room as a page meets it. ``commands``: what the page said; ``refusal``: the answer to it."""

    def __init__(self) -> None:
        self.machines: list[MachineView] = []
        self.programmes: list[Programme] = []
        self.mine = Mine(machines=[], claims=[])
        self.durable = True
        self.lang = Lang.EN
        self.commands: list[Command] = []
        self.refusal: CommandError | None = None
        self.awaits_roster = False
        """It has not heard who its residents are."""
        self.put_off = 0
        """Handshakes refused meanwhile."""
        self._page: WebSocket | None = None

    def owned(self, *names: str, held: tuple[str, ...] = ()) -> None:
        """Make machines the reader's: theirs, or held for them."""
        self.mine = Mine(
            machines=[MyMachine(room=ROOM, machine=name) for name in names],
            claims=[MyClaim(room=ROOM, machine=name, held_until=in_minutes(8)) for name in held],
        )

    async def restart(self) -> None:
        """Close the page's connection as a server that stops does."""
        assert self._page is not None, "no page is open"
        await self._page.close(CloseCode.GOING_AWAY)

    async def tell(self, frame: ServerFrame) -> None:
        """Send a frame to the page that is open."""
        assert self._page is not None, "no page is open"
        await self._page.send_text(frame.model_dump_json())

    def application(self) -> FastAPI:
        """Return the room's web server."""
        app = FastAPI(openapi_url=None)
        problems.install(app)

        @app.get("/api/v1/me")
        async def me() -> Me:
            if self.awaits_roster:
                raise ProblemError(ErrorCode.ROSTER_AWAITED, retry_after_s=1)
            return self.me()

        @app.get(f"/api/v1/rooms/{ROOM}")
        async def room() -> RoomSnapshot:
            return RoomSnapshot(
                room=ROOM,
                name="Maple Hall",
                position=_HERE,
                at=datetime.now(UTC),
                durable=self.durable,
                machines=self.machines,
                programmes=self.programmes,
            )

        @app.websocket("/api/v1/live")
        async def live(socket: WebSocket) -> None:
            if self.awaits_roster:
                self.put_off += 1
                await socket.close()  # before it is accepted: an HTTP refusal that no page can read
                return
            await socket.accept()
            self._page = socket
            try:
                while True:
                    await self._hear(_FRAMES.validate_json(await socket.receive_text()))
            except WebSocketDisconnect:
                self._page = None

        self.routes(app)
        webapp.install(app)
        return app

    def me(self) -> Me:
        """Say who asks."""
        rooms = [MyRoom(room=ROOM, name="Maple Hall")]
        return Me(resident="r", device="d", lang=self.lang, rooms=rooms)

    def routes(self, app: FastAPI) -> None:
        """Add what only some servers have."""

    async def _hear(self, frame: ClientFrame) -> None:
        if isinstance(frame, Identify):
            await self.tell(_welcome())
            await self.tell(self.mine)
        elif isinstance(frame, Command):
            self.commands.append(frame)
            position = None if self.refusal else _HERE
            answer = Result(
                id=frame.id,
                ok=self.refusal is None,
                position=position,
                error=self.refusal,
                durable=self.durable,
            )
            await self.tell(answer)


def _welcome() -> Welcome:
    return Welcome(
        session_id="s",
        heartbeat_s=30,
        batch_ms=100,
        backoff=Backoff(first_s=1, factor=2, cap_s=4),
        clock=RoomClock(at=datetime.now(UTC), speed=1),
        rooms={ROOM: RoomResume(epoch="e1", offset=1, was_recovering=True, recovered=True)},
    )
