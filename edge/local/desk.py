"""The room's desk behind its own sockets: history, commands, notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.link.outbox import SnapshotReason
from edge.local.announced import Announced
from edge.room.view import mine, owners, snapshot, waiting
from edge.store.edge_store import EdgeStore
from edge.store.room_store import JournalLines
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.wire import frames
from laundryd.wire.announcements import ShownAnnouncement
from laundryd.wire.commands import CommandAnswer, ResidentCommand
from laundryd.wire.events import AckKind, NoticeAck, PublicEvent
from laundryd.wire.ids import (
    NoticeId,
    Offset,
    PagePosition,
    Position,
    ResidentId,
    RoomKey,
    Run,
    SessionId,
)
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import NoticeKind
from laundryd.wire.uplink import PresentSession, UpSnapshot


class RoomDesk:
    """Answers the sockets (``laundryd.live.desk.Desk``), the page and the link from one room."""

    def __init__(
        self,
        writer: RoomWriter,
        store: EdgeStore,
        clock: Clock,
        *,
        name: str,
        on_presence: Callable[[], None],
        present: Callable[[], list[PresentSession]],
        announced: Announced,
        declines: Callable[[ResidentId, NoticeKind], bool] = lambda _resident, _kind: False,
    ) -> None:
        self._writer, self._store, self._clock = writer, store, clock
        self._name = name
        self._announced, self._declines = announced, declines
        self._on_presence, self._present = on_presence, present

    # -- the page and the sockets

    def snapshot(self) -> RoomSnapshot:
        """Return the whole room."""
        # The position first: an event between the two is then replayed, never lost.
        position = self._writer.position
        return snapshot(
            self._writer.state,
            room=self._writer.room.key,
            name=self._name,
            position=position,
            at=self._clock.now(),
            durable=self._writer.durable,
            run=self._store.room.run,
        )

    def has(self, machine: str) -> bool:
        """Say whether ``machine``, as anybody may have written it, is one of the room's."""
        return machine in self._writer.state.machines

    def position(self, room: RoomKey) -> Position | None:
        """Return the journal's head; None for another room."""
        return self._writer.position if room == self._writer.room.key else None

    def run(self, room: RoomKey) -> Run | None:
        """Name this opening of the room's store; None for another room."""
        return self._store.room.run if room == self._writer.room.key else None

    def is_same_past(self, room: RoomKey, position: PagePosition) -> bool:
        """Say whether the journal went through ``position`` before it came to where it is."""
        return room == self._writer.room.key and self._store.room.is_same_past(position)

    async def since(
        self, room: RoomKey, position: Position, limit: int
    ) -> Sequence[PublicEvent] | None:
        """Return the public events after ``position``, None when the journal cannot serve them all."""
        if room != self._writer.room.key:
            return None
        return await self._store.room.since(position, limit)

    async def command(self, resident: ResidentId, frame: frames.Command) -> frames.Result:
        """Carry out a command that came over a socket."""
        answer = await self._writer.command(
            ResidentCommand(
                id=frame.id,
                resident=resident,
                machine=frame.machine,
                name=frame.name,
                params=frame.params,
            )
        )
        return frames.Result.model_validate(answer.model_dump())

    async def acked(
        self,
        resident: ResidentId,
        session_id: SessionId,
        notice_ids: Sequence[NoticeId],
        kind: AckKind,
    ) -> None:
        """Journal the acknowledgements; unknown, foreign and repeated ones are ignored."""
        del session_id  # the journal keeps who was told, not on which page
        at = self._clock.now()
        await self._writer.acks(
            [NoticeAck(notice_id=one, resident=resident, kind=kind, at=at) for one in notice_ids]
        )

    async def mine(self, resident: ResidentId) -> frames.Mine:
        """Return everything that is this resident's."""
        return mine(self._writer.state, self._writer.room.key, resident)

    async def pending_notices(self, resident: ResidentId) -> Sequence[frames.NoticeFrame]:
        """Return what this resident was not told yet, anywhere, and is still useful."""
        found = await self._store.room.pending_notices(resident, self._clock.now())
        return [
            frames.NoticeFrame.of(card) for card in found if not self._declines(resident, card.kind)
        ]

    def shown(self, room: RoomKey) -> Sequence[ShownAnnouncement]:
        """Return what staff announces here now; nothing of another room."""
        return self._announced.shown() if room == self._writer.room.key else []

    def present(self) -> list[PresentSession]:
        """Return everybody who is connected here."""
        return self._present()

    def presence_changed(self) -> None:
        """Pass on that somebody came, went, or looked away."""
        self._on_presence()


class LinkedRoom:
    """The room as the link sees it (``edge.link.uplink.UplinkRoom``)."""

    def __init__(self, desk: RoomDesk, writer: RoomWriter, store: EdgeStore) -> None:
        self._desk, self._writer, self._store = desk, writer, store

    def head(self) -> Position:
        """Return the journal's newest position."""
        return self._writer.position

    def durable(self) -> bool:
        """Say whether the journal survives a power cut."""
        return self._writer.durable

    async def lines_after(self, offset: Offset, limit: int, max_bytes: int) -> JournalLines | None:
        """Return entries after ``offset``; None when some were dropped."""
        return await self._store.room.lines_after(offset, limit, max_bytes)

    def run(self) -> Run:
        """Name this opening of the store."""
        return self._store.room.run

    async def run_at(self, offset: Offset) -> Run | None:
        """Return which run of the store wrote the entry at ``offset``; None when that is not known."""
        return await self._store.room.run_at(offset)

    async def acknowledge(self, position: Position) -> None:
        """Let go of everything up to ``position``."""
        await self._store.room.acknowledge(position.epoch, position.offset)

    async def begin_epoch(self) -> None:
        """Begin new numbers: the relay keeps entries that this journal does not have."""
        await self._writer.new_epoch("the relay keeps entries that this journal does not have")

    def up_snapshot(self, reason: SnapshotReason, after: Offset) -> UpSnapshot:
        """Return the whole room and whose what is, at the oldest position that entries lead on from."""
        shown = self._desk.snapshot()
        oldest = min(max(after, self._store.room.dropped), shown.position.offset)
        position = shown.position.model_copy(update={"offset": oldest})
        shown = shown.model_copy(update={"position": position})
        state = self._writer.state
        return UpSnapshot(
            snapshot=shown, owners=owners(state), waiting=waiting(state), reason=reason
        )

    async def command(self, command: ResidentCommand) -> CommandAnswer:
        """Carry out a remote resident's command."""
        return await self._writer.command(command)

    def sessions(self) -> list[PresentSession]:
        """Return everybody who is connected here."""
        return self._desk.present()
