"""What the session server asks of the program once somebody is in: history, commands, notices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from laundryd.wire import frames
from laundryd.wire.announcements import ShownAnnouncement
from laundryd.wire.events import AckKind, PublicEvent
from laundryd.wire.ids import (
    NoticeId,
    PagePosition,
    Position,
    ResidentId,
    RoomKey,
    Run,
    SessionId,
)


class RoomTime(Protocol):
    """The room's clock."""

    @property
    def speed(self) -> float:
        """Room seconds in a real second; 1 in production."""
        ...

    def now(self) -> datetime:
        """Room time now, aware UTC."""
        ...


class Desk(Protocol):
    """The program behind the sockets."""

    def position(self, room: RoomKey) -> Position | None:
        """Return the head of the room's journal; None when there is no such room."""
        ...

    def run(self, room: RoomKey) -> Run | None:
        """Name this opening of the room's store, the same for the life of the program.

        None: positions name none here, and their numbers alone count.
        """
        ...

    def is_same_past(self, room: RoomKey, position: PagePosition) -> bool:
        """Say whether the journal, in its present epoch, went through ``position``.

        Not so after a restored backup, for what came after that (``laundryd.live.openings``).
        """
        ...

    async def since(
        self, room: RoomKey, position: Position, limit: int
    ) -> Sequence[PublicEvent] | None:
        """Return the public events after ``position`` in order, the first ``limit`` of them.

        None when the journal does not reach back that far, or does not know the epoch.
        """
        ...

    async def command(self, resident: ResidentId, frame: frames.Command) -> frames.Result:
        """Carry out a command, or say why not. Repeating an id repeats the answer."""
        ...

    async def acked(
        self,
        resident: ResidentId,
        session_id: SessionId,
        notice_ids: Sequence[NoticeId],
        kind: AckKind,
    ) -> None:
        """Keep that ``resident`` was shown or has read these notices; unknown ids are ignored."""
        ...

    async def mine(self, resident: ResidentId) -> frames.Mine:
        """Return everything that is this resident's."""
        ...

    async def pending_notices(self, resident: ResidentId) -> Sequence[frames.NoticeFrame]:
        """Return the notices that are still useful and that no app of theirs has acknowledged.

        Those that a push told meanwhile are marked ``told``.
        """
        ...

    def shown(self, room: RoomKey) -> Sequence[ShownAnnouncement]:
        """Return what staff announces in ``room`` now, newest first."""
        ...

    def presence_changed(self) -> None:
        """Hear that somebody came, went, or began or ceased to look."""
        ...
