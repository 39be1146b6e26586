"""The relay behind its live sessions: the rooms' journals, commands to rooms, and notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from typing_extensions import override

from cloud_relay.residents.people import People
from cloud_relay.rooms.rooms import Rooms
from laundryd.live.desk import Desk
from laundryd.wire import frames
from laundryd.wire.announcements import ShownAnnouncement
from laundryd.wire.commands import CommandAnswer, CommandError, ResidentCommand
from laundryd.wire.errors import ErrorCode
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


class Commands(Protocol):
    """Carries a command to its room."""

    async def send(self, room: RoomKey, command: ResidentCommand) -> CommandAnswer:
        """Ask the room's edge and wait for its answer."""
        ...


class Notices(Protocol):
    """Keeps what residents are told."""

    async def shown(
        self,
        resident: ResidentId,
        notice_ids: Sequence[NoticeId],
        kind: AckKind,
        session_id: SessionId | None = None,
    ) -> None:
        """Note acknowledgements."""
        ...

    async def pending(self, resident: ResidentId) -> list[frames.NoticeFrame]:
        """Return what a session that comes is told, or shown because a push told it."""
        ...

    def presence_changed(self) -> None:
        """Somebody came, went or looked up."""
        ...


class Boards(Protocol):
    """What staff announces."""

    def shown(self, room: RoomKey) -> Sequence[ShownAnnouncement]:
        """Return what is shown in ``room`` now, newest first."""
        ...


class RelayDesk(Desk):
    """Answers live sessions. A resident reaches only rooms that they joined."""

    def __init__(
        self, rooms: Rooms, people: People, commands: Commands, notices: Notices, boards: Boards
    ) -> None:
        self._rooms = rooms
        self._people = people
        self._commands = commands
        self._notices = notices
        self._boards = boards

    @override
    def position(self, room: RoomKey) -> Position | None:
        return self._rooms.position(room)

    @override
    def run(self, room: RoomKey) -> Run | None:
        return self._rooms.own_run

    @override
    def is_same_past(self, room: RoomKey, position: PagePosition) -> bool:
        return self._rooms.is_same_past(room, position)

    @override
    async def since(
        self, room: RoomKey, position: Position, limit: int
    ) -> Sequence[PublicEvent] | None:
        return await self._rooms.since(room, position, limit)

    @override
    async def command(self, resident: ResidentId, frame: frames.Command) -> frames.Result:
        answer = await carry_out(
            self._rooms,
            self._commands,
            frame.room,
            ResidentCommand(
                id=frame.id,
                resident=resident,
                machine=frame.machine,
                name=frame.name,
                params=frame.params,
            ),
            joined=await self._people.rooms(resident),
        )
        return frames.Result(
            id=frame.id,
            ok=answer.ok,
            position=answer.position,
            error=answer.error,
            durable=answer.durable,
        )

    @override
    async def acked(
        self,
        resident: ResidentId,
        session_id: SessionId,
        notice_ids: Sequence[NoticeId],
        kind: AckKind,
    ) -> None:
        await self._notices.shown(resident, notice_ids, kind, session_id)

    @override
    async def mine(self, resident: ResidentId) -> frames.Mine:
        return self._rooms.mine(resident)

    @override
    async def pending_notices(self, resident: ResidentId) -> Sequence[frames.NoticeFrame]:
        return await self._notices.pending(resident)

    @override
    def shown(self, room: RoomKey) -> Sequence[ShownAnnouncement]:
        return self._boards.shown(room)

    @override
    def presence_changed(self) -> None:
        self._notices.presence_changed()


async def carry_out(
    rooms: Rooms,
    commands: Commands,
    room: RoomKey,
    command: ResidentCommand,
    *,
    joined: frozenset[RoomKey],
) -> CommandAnswer:
    """Send a resident's command to its room, if they joined it and it has that machine."""
    if room not in joined:
        known = await rooms.known(room)
        return _refused(command, ErrorCode.FOREIGN_ROOM if known else ErrorCode.UNKNOWN_ROOM)
    snapshot = rooms.snapshot(room)
    if snapshot is not None and command.machine not in {m.machine for m in snapshot.machines}:
        return _refused(command, ErrorCode.UNKNOWN_MACHINE)
    return await commands.send(room, command)


def _refused(command: ResidentCommand, code: ErrorCode) -> CommandAnswer:
    return CommandAnswer(id=command.id, ok=False, error=CommandError.of(code))
