"""The single writer of the room: decides, keeps, and only then tells.

Order for each input, under one lock: decide (pure), number, commit in one transaction, tell the
subscribers. A crash before the commit leaves nothing, a crash after it loses only the telling, and
those who were not told ask for what they missed by position.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Final, Never, Self, TypeVar

from edge.room.deadlines import next_deadline
from edge.room.decide import after, decide
from edge.room.decision import Accepted, Change, Decision, Refused, changes_of
from edge.room.inputs import RoomInput, Tick
from edge.room.journal import acknowledged, journalled
from edge.room.reconcile import MachineSetup, reconcile
from edge.room.records import RoomState
from edge.room.timings import RoomTimings
from edge.store.commit import Commit, DetectorState, KeptAnswer
from edge.store.edge_store import EdgeStore
from edge.store.room_documents import kept_waits, programmes_document, waits_document
from laundryd.daemon.clock import Clock
from laundryd.wire.commands import CommandAnswer, CommandError, ResidentCommand
from laundryd.wire.errors import ERRORS, ErrorCode
from laundryd.wire.events import Entry, NoticeAck
from laundryd.wire.ids import Epoch, Position, RoomRef
from laundryd.wire.machines import Programme
from laundryd.wire.times import Moment

log = logging.getLogger("laundryd.edge.room")

BEAT_S: Final = 10.0
"""Real seconds after which the writer's loop goes round at the latest, to show that it lives."""

RETRY_S: Final = 5.0
"""Real seconds before a tick that the store refused is tried again: a full disk heals slowly."""

OnEntries = Callable[[list[Entry], Sequence[Change]], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one input. ``position``: the journal's end after it; ``entries``: what it added."""

    decision: Decision
    entries: list[Entry]
    position: Position


class RoomWriter:
    """Owns the room's state. Make it with ``open``; add to ``on_entries``; give ``run`` a task.

    ``state`` is what the newest commit left. Everything that is told through ``on_entries`` is on disk
    (unless the store is not ``durable``), in order, once; the callbacks must only queue or send.
    """

    def __init__(
        self,
        room: RoomRef,
        state: RoomState,
        store: EdgeStore,
        clock: Clock,
        timings: RoomTimings | None = None,
    ) -> None:
        self.room = room
        self.state = state
        self.on_entries: list[OnEntries] = []
        self.on_new_epoch: list[Callable[[], object]] = []
        self._store = store
        self._clock = clock
        self._timings = timings or RoomTimings()
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        self._running: set[asyncio.Task[object]] = set()

    @classmethod
    async def open(
        cls,
        room: RoomRef,
        machines: Sequence[MachineSetup],
        store: EdgeStore,
        clock: Clock,
        timings: RoomTimings | None = None,
        *,
        programmes: Sequence[Programme] = (),
    ) -> Self:
        """Take the room up where the store left it, with what the settings name now.

        Raises:
            sqlite3.Error: the store cannot be read or written.

        """
        now = clock.now()
        found = reconcile(await store.room.records(), machines, now)
        for gone in found.removed:
            log.warning(
                "no machine of the settings any more: dropped while %s",
                gone.phase,
                extra={"room": room.key, "machine": gone.machine},
            )
        state = replace(
            found.state, waits=await kept_waits(store.documents), programmes=tuple(programmes)
        )
        listed = programmes_document(programmes)
        new_list = (await store.documents.get(listed.name) or "[]") != listed.body
        entries, head = journalled(
            Accepted(found.changes), room=room.key, head=store.room.head, at=now
        )
        await store.room.commit(
            Commit(
                at=now,
                head=head,
                records=tuple(state.machines.values()),
                entries=tuple(entries),
                removed=tuple(gone.machine for gone in found.removed),
                documents=(listed,) if new_list else (),
                snapshot_due=new_list,
            )
        )
        return cls(room, state, store, clock, timings)

    @property
    def position(self) -> Position:
        """The journal's end. Take it before ``state``, then the pair is a true snapshot."""
        return self._store.room.head.position

    @property
    def durable(self) -> bool:
        """Whether what was accepted survives a power cut."""
        return self._store.durable

    async def apply(self, given: RoomInput, *, detector: DetectorState | None = None) -> Outcome:
        """Decide ``given`` now and keep what it changes; ``detector`` is kept in the same transaction.

        Safe to cancel: what has begun is finished.

        Raises:
            sqlite3.Error: it could not be kept; nothing changed.

        """
        return await self._finish(self._apply(given, detector))

    async def command(self, command: ResidentCommand) -> CommandAnswer:
        """Answer a resident's command; the same id of the same resident gets the same answer again.

        Safe to cancel: what has begun is finished, and asking again tells what came of it.

        Raises:
            sqlite3.Error: it could not be kept; nothing changed.

        """
        return await self._finish(self._command(command))

    async def ack(self, ack: NoticeAck) -> Entry | None:
        """Keep a resident's acknowledgement; None when it is known already or the notice is not theirs.

        Raises:
            sqlite3.Error: it could not be kept; nothing changed.

        """
        return await self._finish(self._ack(ack))

    async def new_epoch(self, reason: str) -> Epoch:
        """Begin new numbers, because the old ones cannot be proven to go on; ``reason`` is logged."""
        return await self._finish(self._new_epoch(reason))

    async def settle(self) -> None:
        """Wait until everything that has begun is finished; before the store is closed."""
        while self._running:
            await asyncio.wait(self._running)

    async def run(self, beat: Callable[[], None] = lambda: None) -> Never:
        """Carry out what falls due, until cancelled. ``beat`` is called whenever the loop goes round."""
        # Once without a deadline: a machine that the settings added may be what somebody waits for.
        await self._tick()
        while True:
            beat()
            self._changed.clear()
            due = next_deadline(self.state, self._timings)
            if due is not None and due <= self._clock.now():
                await self._tick()
                continue
            waits: set[asyncio.Task[object]] = {asyncio.create_task(self._changed.wait())}
            if due is not None:
                waits.add(asyncio.create_task(self._clock.sleep_until(due)))
            try:
                await asyncio.wait(waits, timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    async def _tick(self) -> None:
        try:
            await self.apply(Tick())
        except sqlite3.Error:
            log.exception(
                "what is due cannot be kept; trying again in %s s",
                RETRY_S,
                extra={"room": self.room.key},
            )
            await asyncio.sleep(RETRY_S)

    async def _finish(self, work: Coroutine[object, object, T]) -> T:
        # A page that goes away cancels its request: the decision must not stop between disk and memory.
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _apply(self, given: RoomInput, detector: DetectorState | None) -> Outcome:
        async with self._lock:
            now = self._clock.now()
            decision = decide(self.state, given, now, self._timings)
            work = self._work(decision, now)
            if work.records or work.documents or detector is not None:
                await self._store.room.commit(replace(work, detector=detector))
            entries = list(work.entries)
            self._took(decision, entries)
            return Outcome(decision, entries, work.head.position)

    async def _command(self, command: ResidentCommand) -> CommandAnswer:
        async with self._lock:
            kept = await self._store.room.answer_to(command.resident, command.id)
            if kept is not None:
                return kept.answer if kept.command == command else _id_taken(command)
            now = self._clock.now()
            decision = decide(self.state, command, now, self._timings)
            work = self._work(decision, now)
            answer = _answer(command, decision, work.head.position, durable=self.durable)
            # A refusal is kept too: told "no" once, a repeated message must not do the deed later.
            await self._store.room.commit(replace(work, answer=KeptAnswer(command, answer)))
            self._took(decision, list(work.entries))
            return answer

    async def _ack(self, ack: NoticeAck) -> Entry | None:
        async with self._lock:
            room = self._store.room
            if not await room.acknowledgeable(ack.notice_id, ack.resident, ack.kind):
                return None
            entry, head = acknowledged(ack, room.head)
            await room.commit(Commit(at=self._clock.now(), head=head, entries=(entry,)))
            self._tell([entry], ())
            return entry

    async def _new_epoch(self, reason: str) -> Epoch:
        async with self._lock:
            epoch = await self._store.room.new_epoch(reason)
            for told in self.on_new_epoch:
                told()
            return epoch

    def _work(self, decision: Decision, at: Moment) -> Commit:
        head = self._store.room.head
        if isinstance(decision, Refused):
            return Commit(at=at, head=head)
        entries, head = journalled(decision, room=self.room.key, head=head, at=at)
        waits = decision.waits
        return Commit(
            at=at,
            head=head,
            records=tuple(change.record for change in decision.changes),
            entries=tuple(entries),
            documents=() if waits is None else (waits_document(waits),),
        )

    def _took(self, decision: Decision, entries: list[Entry]) -> None:
        before, self.state = self.state, after(self.state, decision)
        changes = changes_of(decision)
        if self.state is not before:
            self._changed.set()
        if entries:
            self._tell(entries, changes)

    def _tell(self, entries: list[Entry], changes: Sequence[Change]) -> None:
        for told in self.on_entries:
            try:
                told(entries, changes)
            except Exception:
                # It is on disk: one listener's fault must not turn an accepted command into an error.
                log.exception("a listener failed", extra={"room": self.room.key})


def _answer(
    command: ResidentCommand, decision: Decision, position: Position, *, durable: bool
) -> CommandAnswer:
    if isinstance(decision, Refused):
        message = f"{decision.detail}. {ERRORS[decision.code].remedy}"
        error = CommandError(
            code=decision.code, message=message, retry_after_s=decision.retry_after_s
        )
        return CommandAnswer(id=command.id, ok=False, error=error, durable=durable)
    return CommandAnswer(id=command.id, ok=True, position=position, durable=durable)


def _id_taken(command: ResidentCommand) -> CommandAnswer:
    message = "This id was used for another command before: make a new id for each wish."
    error = CommandError(code=ErrorCode.INVALID_BODY, message=message)
    return CommandAnswer(id=command.id, ok=False, error=error)
