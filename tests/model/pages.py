"""A resident's page: it follows a room by the protocol's rules and shows what it is told.

``laundryd.live.follow`` judges events; a snapshot is taken as the app takes it (``pwa/src/live/rooms.ts``):
a page never goes back in time, and after a gap it applies nothing until it has the room anew.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from laundryd.live.follow import Step, step
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode, may_reconnect
from laundryd.wire.commands import CommandName, CommandParams
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position
from laundryd.wire.machines import MachineView, RoomSnapshot
from laundryd.wire.notices import Lang, NoticeCard
from tests.model.sockets import Application, Socket

RETRY_S: Final = 1.0
SHOWN_AFTER_S: Final = 0.2
"""From a notice's frame to the acknowledgement of a page that shows it."""
WELCOME_S: Final = 10.0
"""A server that says nothing for this long is as good as none."""
MISMATCHES_MAX: Final = 3
"""After so many snapshots that do not meet the waiting events, those are from another history."""
SILENCE_S: Final = 60.0
"""Without a frame for this long the page takes its connection for dead."""
TOUCH_EVERY_S: Final = 30.0


class Server(Protocol):
    """A program as its pages reach it."""

    host: str

    def application(self) -> Application | None:
        """The live server; None while the program is not running."""
        ...

    def serve(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Start the program's side of a connection."""
        ...

    async def room(self, token: str) -> RoomSnapshot | None:
        """GET the room; None when it is refused or nobody answers."""
        ...


class LeftAHoleError(AssertionError):
    """The server let a page miss something without saying so."""


class SentTwiceError(AssertionError):
    """The server sent over one connection what it had sent before."""


class TookEffectTwiceError(AssertionError):
    """A page applied what it had."""


class SessionLostError(AssertionError):
    """A page came back and was not recognised."""


@dataclass
class Seen:
    """What a page was sent, for judgement after the fact."""

    texts: list[str] = field(default_factory=list)
    applied: Counter[tuple[str, int]] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    results: dict[str, frames.Result] = field(default_factory=dict)
    snapshots: int = 0
    welcomes: int = 0
    final_codes: list[int] = field(default_factory=list)


class Page:
    """One page of ``resident`` at ``server``, from its opening until the end of the test."""

    def __init__(self, name: str, resident: str, token: str, room: str, server: Server) -> None:
        self.name, self.resident, self.room = name, resident, room
        self._token, self._server = token, server
        self.socket: Socket | None = None
        self.welcomed = False
        self.session_id: str | None = None
        self.position: Position | None = None
        self.machines: dict[str, MachineView] = {}
        self.mine = frames.Mine(machines=[], claims=[])
        self.shown: dict[str, NoticeCard] = {}
        self.visible = True
        self.shows_notices = True
        """False: the page hangs; it shows and acknowledges nothing."""
        self.http_s = 0.02
        """How long each direction of a GET takes."""
        self._came_to: Position | None = None
        """How far this connection's events came."""
        self.fetching = False
        self._waiting: list[PublicEvent] = []
        self._mismatches = 0
        self._again_due = False
        self.seen = Seen()
        self._promised = False
        """The server said ``recovered``, and nothing happened since that excuses a gap."""
        self._heard_s = 0.0
        self._ids = itertools.count(1)
        self.wants_to_be_open = True

    def is_at(self, server: object) -> bool:
        """Say whether it is a page of ``server``."""
        return self._server is server

    # -- what the person does

    def open(self) -> None:
        """Open the page, or let it come back."""
        self.wants_to_be_open = True
        application = self._server.application()
        if self.socket is not None:
            return
        if application is None:
            self._later(RETRY_S, self._again)
            return
        self.socket = Socket(self, self._token, self._server.host)
        self._heard_s = self._loop.time()
        self._server.serve(self.socket.serve(application))
        self._later(WELCOME_S, self._give_up_unwelcomed, self.socket)

    def leave(self) -> None:
        """Close the page on purpose."""
        self.wants_to_be_open = False
        if self.socket is not None:
            self.socket.leave()
            self._gone()

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
        if self.welcomed:
            self._say(frames.Attention(visible=visible, touched_s_ago=0))
        if visible:
            for notice_id in list(self.shown):
                self._acknowledge_soon(notice_id)

    # -- what the socket says

    def opened(self, socket: Socket) -> None:
        """Identify first."""
        position = self.position
        socket.say(
            frames.Identify(
                session_id=self.session_id,
                rooms={self.room: position},
                visible=self.visible,
                lang=Lang.EN,
            ).model_dump_json()
        )

    def refused(self, socket: Socket, status: int, code: str) -> None:
        """Try again later: a room without its roster lets nobody in yet."""
        del status, code
        if socket is self.socket:
            self._gone()
            self._later(RETRY_S, self._again)

    def closed(self, socket: Socket, code: int) -> None:
        """Come back if the code says so; as a new session if another connection took this one's place."""
        if socket is not self.socket:
            return
        self._gone()
        if not may_reconnect(code):
            self.seen.final_codes.append(code)
            if code != CloseCode.REPLACED:
                return
            self.session_id = None
        self._later(RETRY_S, self._again)

    def heard(self, socket: Socket, text: str) -> None:
        """Take a frame."""
        if socket is not self.socket:
            return
        self._heard_s = self._loop.time()
        self.seen.texts.append(text)
        self._take(frames.SERVER_FRAME.validate_json(text))

    # -- inside

    def _take(self, frame: frames.ServerFrame) -> None:
        match frame:
            case frames.Welcome() as welcome:
                self._take_welcome(welcome)
            case frames.Batch(events=events):
                self._take_events(events)
            case frames.Mine() as mine:
                self.mine = mine
            case frames.NoticeFrame() as notice:
                self._take_notice(notice)
            case frames.NoticeGone(ids=ids):
                for notice_id in ids:
                    self.shown.pop(notice_id, None)
            case frames.Result() as result:
                self.seen.results[result.id] = result
            case frames.Ping():
                self._say(frames.Pong())
            case frames.RoomStatus() | frames.Pong():
                pass

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def _take_welcome(self, welcome: frames.Welcome) -> None:
        self.welcomed = True
        if self.session_id not in {None, welcome.session_id}:
            raise SessionLostError(f"{self.name} asked for its session and got another one")
        self.session_id = welcome.session_id
        self.seen.welcomes += 1
        self._promised = False
        resume = welcome.rooms.get(self.room)
        if resume is not None and resume.recovered:
            self._promised = True
        elif resume is not None:
            self._forget_what_never_was(resume)
            self._fetch()
        self._say(frames.Attention(visible=self.visible, touched_s_ago=0))
        self._later(TOUCH_EVERY_S, self._keep_alive, self.socket)

    def _forget_what_never_was(self, resume: frames.RoomResume) -> None:
        # The server is behind us: it was restored, and what we have of its future is no more.
        held = self.position
        if held is not None and held.epoch == resume.epoch and held.offset > resume.offset:
            self.position = None
            for epoch, offset in list(self.seen.applied):
                if epoch == resume.epoch and offset > resume.offset:
                    del self.seen.applied[epoch, offset]  # it comes again, rightly

    def _check_new(self, event: PublicEvent) -> None:
        came, is_marker = self._came_to, event.follows == event.offset
        is_again = came is not None and came.epoch == event.epoch and event.offset <= came.offset
        if is_again and not is_marker:
            raise SentTwiceError(f"{self.name} got {event.offset} after {came} over one connection")
        self._came_to = Position(epoch=event.epoch, offset=event.offset)

    def _take_events(self, events: Sequence[PublicEvent]) -> None:
        for event in events:
            self._check_new(event)
        if self.fetching:
            self._waiting += events
            return
        gap = self._apply(events)
        if gap:
            self._fetch(gap)

    def _apply(self, events: Sequence[PublicEvent]) -> Sequence[PublicEvent]:
        """Apply what follows; return the rest, from the first gap on."""
        for index, event in enumerate(events):
            match step(self.position, event):
                case Step.DUPLICATE:
                    pass
                case Step.GAP:
                    self._check_promise(event)
                    return events[index:]
                case Step.APPLY:
                    self._check_forward(event)
                    self.machines[event.machine.machine] = event.machine
                    self.position = Position(epoch=event.epoch, offset=event.offset)
                    self.seen.applied[event.epoch, event.offset] += 1
        return ()

    def _check_promise(self, event: PublicEvent) -> None:
        is_new_numbering = (
            self.position is None
            or event.epoch != self.position.epoch
            or event.follows == event.offset  # the marker after a snapshot
        )
        if self._promised and not is_new_numbering:
            raise LeftAHoleError(
                f"{self.name} was told that it has all up to {self.position}, and then came "
                f"{event.offset}, which follows {event.follows}"
            )

    def _check_forward(self, event: PublicEvent) -> None:
        held = self.position
        if held is not None and held.epoch == event.epoch and event.offset <= held.offset:
            raise TookEffectTwiceError(f"{self.name} is at {held} and applies {event.offset}")

    def _fetch(self, waiting: Sequence[PublicEvent] = ()) -> None:
        if self.fetching:
            # An answer that is under way may have been read before this was needed.
            self._again_due = True
            return
        self.fetching = True
        self._waiting, self._mismatches = list(waiting), 0
        self._later(self.http_s, self._ask)

    def _ask(self) -> None:
        async def ask() -> None:
            room = await self._server.room(self._token)
            self._later(self.http_s, self._answered, room)

        self._again_due = False
        self._loop.create_task(ask())

    def _answered(self, room: RoomSnapshot | None) -> None:
        if room is None:
            self._later(RETRY_S, self._ask)
            return
        self.seen.snapshots += 1
        self._take_snapshot(room)
        waiting, self._promised = self._waiting, False
        rest = self._apply(waiting)
        self._mismatches += bool(rest) and not self._again_due
        if self._again_due or (rest and self._mismatches < MISMATCHES_MAX):
            self._waiting = list(rest)
            self._later(self.http_s, self._ask)
        else:
            self.fetching = False

    def _take_snapshot(self, room: RoomSnapshot) -> None:
        held = self.position
        is_older = (
            held is not None
            and held.epoch == room.position.epoch
            and held.offset > room.position.offset
        )
        if not is_older:
            self.machines = {machine.machine: machine for machine in room.machines}
            self.position = room.position

    def _take_notice(self, notice: frames.NoticeFrame) -> None:
        self.seen.notices[notice.id] += 1
        self.shown[notice.id] = notice
        if self.visible:
            self._acknowledge_soon(notice.id)

    def _acknowledge_soon(self, notice_id: str) -> None:
        self._later(SHOWN_AFTER_S, self._acknowledge, notice_id)

    def _acknowledge(self, notice_id: str) -> None:
        if self.welcomed and self.visible and self.shows_notices:
            self.seen.acknowledged.add(notice_id)
            self._say(frames.Ack(notice_ids=[notice_id]))

    def _say(self, frame: frames.ClientFrame) -> None:
        if self.socket is not None:
            self.socket.say(frame.model_dump_json())

    def _keep_alive(self, socket: Socket | None) -> None:
        if socket is None or socket is not self.socket:
            return
        if self._loop.time() - self._heard_s >= SILENCE_S:
            socket.cut(server_hears=False)
            return
        self._say(frames.Attention(visible=self.visible, touched_s_ago=0))
        self._say(frames.Ping())
        self._later(TOUCH_EVERY_S, self._keep_alive, socket)

    def _give_up_unwelcomed(self, socket: Socket) -> None:
        if socket is self.socket and not self.welcomed:
            socket.cut(server_hears=False)

    def _gone(self) -> None:
        self.socket = None
        self.welcomed = self._promised = False
        self._came_to = None

    def _again(self) -> None:
        if self.wants_to_be_open and self.socket is None:
            self.open()

    def _later(self, seconds: float, call: Callable[..., object], *args: object) -> None:
        self._loop.call_later(seconds, call, *args)
