"""The client: what came in, and what to do about it. Pure.

Every method that takes an input returns the actions to perform, in order. Call ``tick`` at ``due_s``.
``random`` returns a number in [0, 1). Times are seconds of one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from laundryd.live.following.acks import Acks
from laundryd.live.following.actions import Action, AskWhy, Send
from laundryd.live.following.link import Link, Phase, asked_wait_s
from laundryd.live.following.rooms import Rooms
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode, may_reconnect
from laundryd.wire.events import AckKind
from laundryd.wire.ids import NoticeId, Position, RoomKey, SessionId
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import Lang

FINAL_STATUS: Final = frozenset({400, 401, 403, 404, 421})
"""HTTP answers about ourselves that another try does not change."""
FIRST_GETS_S: Final = 3.0
"""How long the connection waits for the rooms to be fetched first: one that does not answer must not
keep the others from being live."""
TOUCH_EVERY_S: Final = 30.0
"""How often a touch is told: often enough for "touched within 2 min", seldom enough for a phone."""
UNAUTHENTICATED: Final = 401


class Core:
    """One client. ``starts_anew``: when another connection takes the session over, go on as a new one."""

    def __init__(
        self,
        rooms: Mapping[RoomKey, Position | None],
        *,
        lang: Lang,
        random: Callable[[], float],
        session_id: SessionId | None = None,
        visible: bool = True,
        starts_anew: bool = False,
        now_s: float = 0.0,
    ) -> None:
        self.lang = lang
        self.session_id = session_id
        self.rooms = Rooms(rooms, random)
        self._link = Link(random)
        self._acks = Acks()
        self._starts_anew = starts_anew
        self._visible = visible
        self._touched_s = now_s
        self._told_s = now_s
        self._awaited: set[RoomKey] = set()
        """Rooms to fetch before the first connection."""
        self._first_due_s: float | None = None

    @property
    def due_s(self) -> float | None:
        """The moment at which ``tick`` must be called next, None: never."""
        if self.is_stopped:
            return None
        moments = (self._link.due_s, self.rooms.due_s, self._first_due_s)
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def is_live(self) -> bool:
        """Whether the server has welcomed this connection: frames may be sent."""
        return self._link.phase is Phase.LIVE

    @property
    def is_stopped(self) -> bool:
        """Whether it has ended for good."""
        return self._link.phase is Phase.STOPPED

    def tick(self, now_s: float) -> list[Action]:
        """Do what is due."""
        if self.is_stopped:
            return []
        actions = self.rooms.tick(now_s)
        if self._first_due_s is not None and now_s >= self._first_due_s:
            actions += self._connect_first(now_s)
        return [*actions, *self._count(self._link.tick(now_s))]

    # -- beginning and end

    def start(self, now_s: float) -> list[Action]:
        """Fetch the rooms that were never seen, then connect."""
        unseen = [room for room, position in self.rooms.positions.items() if position is None]
        self._awaited = set(unseen)
        self._first_due_s = now_s + FIRST_GETS_S
        actions = [action for room in unseen for action in self.rooms.fetch(room)]
        return [*actions, *self._connect_first(now_s)] if not unseen else actions

    def stop(self) -> list[Action]:
        """End for good."""
        self._first_due_s = None
        return [] if self.is_stopped else self._link.stop()

    def _settled(self, room: RoomKey, now_s: float) -> list[Action]:
        self._awaited.discard(room)
        if self._awaited or self._first_due_s is None:
            return []
        return self._connect_first(now_s)

    def _connect_first(self, now_s: float) -> list[Action]:
        self._first_due_s = None
        return self._link.open(now_s)

    # -- the connection

    def opened(self) -> list[Action]:
        """Say, on an open connection, who we are and where we stand."""
        if self._link.phase is not Phase.OPENING:
            return []
        self._link.opened()
        self._acks.connected()
        identify = frames.Identify(
            session_id=self.session_id,
            rooms=dict(self.rooms.positions),
            visible=self._visible,
            lang=self.lang,
        )
        return [Send(identify)]

    def closed(self, code: int, now_s: float) -> list[Action]:
        """Take the end of the connection: its ``code``, 1006 when it never opened or just broke."""
        if self._link.phase not in {Phase.OPENING, Phase.LIVE}:
            return []
        was_open = self._link.is_open
        if code == CloseCode.REPLACED and self._starts_anew:
            self.session_id = None
            return self._link.lost(now_s)
        if not may_reconnect(code):
            return [*self._link.end(), AskWhy()]
        # A page cannot read a refused handshake: HTTP says whether it was our token.
        return [*self._link.lost(now_s), *([] if was_open else [AskWhy()])]

    def why(
        self, status: int | None, now_s: float = 0.0, retry_after_s: float | None = None
    ) -> list[Action]:
        """HTTP said whether the server lets us in; None: nothing that concerns us.

        ``retry_after_s``: after how many seconds it wants to be asked again, None: it did not say.
        """
        if status in FINAL_STATUS:
            return self.stop()
        self._link.asked_to_wait(asked_wait_s(status, retry_after_s), now_s)
        return []

    def take(self, frame: frames.ServerFrame, now_s: float) -> list[Action]:
        """Take a frame of the connection."""
        if isinstance(frame, frames.Welcome) and self._link.phase is Phase.OPENING:
            return self._welcomed(frame, now_s)
        if not self.is_live:
            return []
        self._link.heard(now_s)
        match frame:
            case frames.Batch():
                actions, must_resume = self.rooms.take_events(frame.events)
                return [*actions, *self._link.give_up(now_s)] if must_resume else actions
            case frames.Ping():
                return [Send(frames.Pong())]
            case frames.Pong():
                self._acks.ponged()
        return []

    def _welcomed(self, frame: frames.Welcome, now_s: float) -> list[Action]:
        self.session_id = frame.session_id
        shown = self._link.welcomed(frame, now_s)
        attention = self._attention(now_s)
        return [*shown, *attention, *self._send_acks(), *self.rooms.welcomed(frame)]

    # -- rooms over HTTP

    def got(self, snapshot: RoomSnapshot, now_s: float) -> list[Action]:
        """Take a fetched room."""
        if self.is_stopped:
            return []
        return [*self.rooms.got(snapshot, now_s), *self._settled(snapshot.room, now_s)]

    def get_failed(
        self,
        room: RoomKey,
        status: int | None,
        now_s: float,
        retry_after_s: float | None = None,
    ) -> list[Action]:
        """Take it that a room was refused with ``status``, or did not come: None.

        ``retry_after_s``: after how many seconds the server wants to be asked again, None: it did not say.
        """
        if self.is_stopped:
            return []
        self.rooms.get_failed(room, status, now_s, asked_wait_s(status, retry_after_s))
        asked: list[Action] = [AskWhy()] if status == UNAUTHENTICATED else []
        return [*asked, *self._settled(room, now_s)]

    # -- the reader and the device

    def woken(self, now_s: float) -> list[Action]:
        """Try or ask now: the device is online again, or the page came back (``pageshow``)."""
        return self._count(self._link.wake(now_s))

    def attend(
        self, *, visible: bool, now_s: float, touched_s_ago: float | None = None
    ) -> list[Action]:
        """Take it that the page was shown or hidden; whoever brings it to the front has it in hand."""
        came_back = visible and not self._visible
        self._visible = visible
        if touched_s_ago is not None:
            self._touched_s = now_s - touched_s_ago
        elif visible:
            self._touched_s = now_s
        told = self._attention(now_s)
        return [*told, *self.woken(now_s)] if came_back else told

    def touched(self, now_s: float) -> list[Action]:
        """Take a touch of the page; it is told seldom."""
        self._touched_s = now_s
        return self._attention(now_s) if now_s - self._told_s >= TOUCH_EVERY_S else []

    def acknowledge(self, kind: AckKind, ids: Iterable[NoticeId]) -> list[Action]:
        """Tell that notices were shown or read, and again after a reconnect until it is sure."""
        self._acks.add(kind, ids)
        return self._send_acks()

    def ping(self) -> list[Action]:
        """Ask the server something that it answers at once; its answer confirms what went before."""
        return self._count([Send(frames.Ping())]) if self.is_live else []

    def _attention(self, now_s: float) -> list[Action]:
        if not self.is_live:
            return []
        self._told_s = now_s
        ago_s = max(0.0, now_s - self._touched_s)
        return [Send(frames.Attention(visible=self._visible, touched_s_ago=ago_s))]

    def _send_acks(self) -> list[Action]:
        return [Send(frame) for frame in self._acks.to_send()] if self.is_live else []

    def _count(self, actions: list[Action]) -> list[Action]:
        for action in actions:
            if isinstance(action, Send) and isinstance(action.frame, frames.Ping):
                self._acks.pinged()
        return actions
