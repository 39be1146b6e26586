"""A resident's page: the client's own decisions (``laundryd.live.following``), done without sockets.

What it decides is the product's; here are the socket, HTTP, time, and the person in front of it. What it
was sent and what it shows is judged in ``seen.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Coroutine, Iterable
from typing import Final, Protocol

from laundryd.live.door import Refusal
from laundryd.live.following.actions import (
    Action,
    Apply,
    AskWhy,
    Connect,
    Drop,
    Get,
    Send,
    Show,
    State,
    Take,
)
from laundryd.live.following.core import Core
from laundryd.wire import frames
from laundryd.wire.close_codes import may_reconnect
from laundryd.wire.commands import CommandName, CommandParams
from laundryd.wire.errors import ERRORS
from laundryd.wire.events import AckKind
from laundryd.wire.ids import PagePosition, Position
from laundryd.wire.machines import MachineView, RoomSnapshot
from laundryd.wire.notices import Lang, NoticeCard
from tests.model.disks import KilledError
from tests.model.seen import Seen, SessionLostError, SignedOutError
from tests.model.sockets import Application, Socket

SHOWN_AFTER_S: Final = 0.2
"""From a notice's frame to the acknowledgement of a page that shows it."""
TOUCH_EVERY_S: Final = 30.0
DROPPED: Final = 1005
"""RFC 6455 section 7.4.1: a page that drops its socket sends a close frame without a code."""
NEVER_OPENED: Final = 1006


class Server(Protocol):
    """A program as its pages reach it."""

    host: str

    def application(self) -> Application | None:
        """The live server; None while the program is not running."""
        ...

    def serve(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Start the program's side of a connection."""
        ...

    async def room(self, token: str) -> RoomSnapshot | Refusal | None:
        """GET the room; None when nobody answers."""
        ...

    async def refusal(self, token: str) -> Refusal | None:
        """GET ``/me``: how the token is refused; None when it is not, or nobody answers."""
        ...


class Page:
    """One page of ``resident`` at ``server``, from its opening until the end of the test."""

    def __init__(self, name: str, resident: str, token: str, room: str, server: Server) -> None:
        self.name, self.resident, self.room = name, resident, room
        self._token, self._server = token, server
        self._dice = random.Random(name)  # noqa: S311 -- spreads tries, the same in each run
        self.seen = Seen(name)
        self.socket: Socket | None = None
        self._core: Core | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.session_id: str | None = None
        self._run: str | None = None
        """Of what the page showed when it was closed."""
        self._named: Position | None = None
        """The position in the newest ``identify``."""
        self.mine = frames.Mine(machines=[], claims=[])
        self.shown: dict[str, NoticeCard] = {}
        self.visible = True
        self.shows_notices = True
        """False: the page hangs; it shows and acknowledges nothing."""
        self.http_s = 0.02
        """How long each direction of a GET takes."""
        self._ids = itertools.count(1)
        self.wants_to_be_open = True

    def is_at(self, server: object) -> bool:
        """Say whether it is a page of ``server``."""
        return self._server is server

    @property
    def welcomed(self) -> bool:
        """Whether the server has welcomed its newest connection."""
        return self._core is not None and self._core.is_live

    @property
    def fetching(self) -> bool:
        """Whether it waits for the whole room."""
        return self._core is not None and self.room in self._core.rooms._fetches

    @property
    def machines(self) -> dict[str, MachineView]:
        """The room as it shows it."""
        return self.seen.machines

    @property
    def position(self) -> Position | None:
        """Where the room that it shows stands."""
        return self.seen.position

    # -- what the person does

    def open(self) -> None:
        """Open the page, or bring its tries forward."""
        self.wants_to_be_open = True
        if self._core is not None:
            self._perform(self._core.woken(self._now_s))
            return
        self._core = Core(
            {self.room: self._stands()},
            lang=Lang.EN,
            random=self._dice.random,
            session_id=self.session_id,
            visible=self.visible,
            starts_anew=True,
            now_s=self._now_s,
        )
        self._perform(self._core.start(self._now_s))

    def leave(self) -> None:
        """Close the page on purpose."""
        self.wants_to_be_open = False
        if self._core is None:
            return
        core, self._core = self._core, None
        stood = core.rooms.positions[self.room]
        self._run = None if stood is None else stood.run
        if self.socket is not None:
            self.socket.leave()
            self._gone()
        core.stop()
        self._set_timer()

    def forget(self) -> None:
        """Close the page, and open it the next time without knowing the room."""
        self.leave()
        self.seen.position = None

    def command(
        self, machine: str, name: CommandName, params: CommandParams | None = None
    ) -> str | None:
        """Say a word about a machine; return the command's id, None when not connected."""
        if not self.welcomed:
            return None
        command_id = f"{self.name}-{next(self._ids)}"
        self._say(
            frames.Command(
                id=command_id,
                room=self.room,
                machine=machine,
                name=name,
                params=params or CommandParams(),
            )
        )
        return command_id

    def look(self, *, visible: bool) -> None:
        """Bring the page to the front and touch it, or put it away."""
        self.visible = visible
        if self._core is not None:
            self._perform(self._core.attend(visible=visible, now_s=self._now_s))
        if visible:
            for notice_id in list(self.shown):
                self._acknowledge_soon(notice_id)

    # -- what the socket says

    def opened(self, socket: Socket) -> None:
        """Identify first."""
        if socket is self.socket and self._core is not None:
            self._perform(self._core.opened())

    def refused(self, socket: Socket, status: int, code: str) -> None:
        """Take a refused handshake; a page cannot read how it was refused."""
        del status, code
        self.closed(socket, NEVER_OPENED)

    def closed(self, socket: Socket, code: int) -> None:
        """Take the end of the connection."""
        if socket is not self.socket or self._core is None:
            return
        self._gone()
        if not may_reconnect(code):
            self.seen.final_codes.append(code)
        self._perform(self._core.closed(code, self._now_s))

    def heard(self, socket: Socket, text: str) -> None:
        """Take a frame."""
        if socket is not self.socket or self._core is None:
            return
        self.seen.texts.append(text)
        frame = frames.SERVER_FRAME.validate_json(text)
        self._look_at(frame)
        self._perform(self._core.take(frame, self._now_s))

    # -- inside

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    @property
    def _now_s(self) -> float:
        return self._loop.time()

    def _look_at(self, frame: frames.ServerFrame) -> None:
        match frame:
            case frames.Welcome(session_id=session_id, rooms=rooms):
                core = self._core
                if core is not None and core.session_id not in {None, session_id}:
                    raise SessionLostError(f"{self.name} asked for its session and got another one")
                self.session_id = session_id
                self.seen.welcomed(self._named, rooms.get(self.room))
                self._loop.call_later(TOUCH_EVERY_S, self._touch, self.socket)
            case frames.Batch(events=events):
                self.seen.came(events)
            case frames.Mine() as mine:
                self.mine = mine
            case frames.NoticeFrame() as notice:
                self._take_notice(notice)
            case frames.NoticeGone(ids=ids):
                for notice_id in ids:
                    self.shown.pop(notice_id, None)
            case frames.Result() as result:
                self.seen.results[result.id] = result
            case frames.RoomStatus() | frames.Ping() | frames.Pong():
                pass

    def _perform(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Connect():
                    self._connect()
                case Drop():
                    self._drop()
                case Send(frame):
                    self._say(frame)
                case Get():
                    self._http(self._ask_for_room(self._core))
                case AskWhy():
                    self._http(self._ask_why(self._core))
                case Take() | Apply() | Show():
                    self._show(action)
        self._set_timer()

    def _show(self, action: Take | Apply | Show) -> None:
        match action:
            case Take(snapshot, is_older):
                self.seen.took(snapshot, is_older=is_older)
            case Apply(event):
                self.seen.apply(event)
            case Show(State.STOPPED):
                self._stopped()
            case Show():
                pass

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due_s = None if self._core is None else self._core.due_s
        self._timer = None if due_s is None else self._loop.call_at(due_s, self._tick)

    def _tick(self) -> None:
        if self._core is not None:
            # A loop calls a moment early rather than late; what is due is done, not put off.
            now_s = max(self._now_s, self._core.due_s or 0.0)
            self._perform(self._core.tick(now_s))

    def _connect(self) -> None:
        self._drop()
        application = self._server.application()
        if application is None:
            self._loop.call_soon(self._nobody_there, self._core)
            return
        self.socket = Socket(self, self._token, self._server.host)
        self._server.serve(self.socket.serve(application))

    def _nobody_there(self, core: Core | None) -> None:
        if core is not None and core is self._core and self.socket is None:
            self._perform(core.closed(NEVER_OPENED, self._now_s))

    def _drop(self) -> None:
        if self.socket is not None:
            self.socket.leave(DROPPED)
            self._gone()

    def _gone(self) -> None:
        self.socket = None
        self.seen.lost()

    def _stopped(self) -> None:
        self._core = None
        if self.wants_to_be_open and not self.seen.closed_for_good:
            raise SignedOutError(f"{self.name} was signed out, and nobody revoked anything")

    def _stands(self) -> PagePosition | None:
        at = self.position
        return None if at is None else PagePosition.of(at).in_run(self._run)

    def _say(self, frame: frames.ClientFrame) -> None:
        if self.socket is None:
            return
        if isinstance(frame, frames.Identify):
            self._named = frame.rooms[self.room]
        self.socket.say(frame.model_dump_json())

    # -- HTTP

    def _http(self, asking: Coroutine[object, object, None]) -> None:
        self._loop.create_task(asking)

    async def _ask_for_room(self, core: Core | None) -> None:
        await asyncio.sleep(self.http_s)
        found = None
        with contextlib.suppress(KilledError):  # the server died over it: no answer
            found = await self._server.room(self._token)
        await asyncio.sleep(self.http_s)
        if core is None or core is not self._core:
            return
        if isinstance(found, RoomSnapshot):
            self._perform(core.got(found, self._now_s))
        else:
            status = None if found is None else ERRORS[found.code].status
            again_s = None if found is None else found.retry_after_s
            self._perform(core.get_failed(self.room, status, self._now_s, again_s))

    async def _ask_why(self, core: Core | None) -> None:
        await asyncio.sleep(self.http_s)
        refusal = None
        with contextlib.suppress(KilledError):
            refusal = await self._server.refusal(self._token)
        await asyncio.sleep(self.http_s)
        if core is None or core is not self._core:
            return
        status = None if refusal is None else ERRORS[refusal.code].status
        again_s = None if refusal is None else refusal.retry_after_s
        self._perform(core.why(status, self._now_s, again_s))

    # -- notices and attention

    def _take_notice(self, notice: frames.NoticeFrame) -> None:
        self.seen.notices[notice.id] += 1
        self.shown[notice.id] = notice
        if self.visible:
            self._acknowledge_soon(notice.id)

    def _acknowledge_soon(self, notice_id: str) -> None:
        self._loop.call_later(SHOWN_AFTER_S, self._acknowledge, notice_id)

    def _acknowledge(self, notice_id: str) -> None:
        if self._core is not None and self.visible and self.shows_notices:
            self.seen.acknowledged.add(notice_id)
            self._perform(self._core.acknowledge(AckKind.SHOWN, [notice_id]))

    def _touch(self, socket: Socket | None) -> None:
        if socket is not None and socket is self.socket and self._core is not None:
            self._perform(self._core.touched(self._now_s))
            self._loop.call_later(TOUCH_EVERY_S, self._touch, socket)
