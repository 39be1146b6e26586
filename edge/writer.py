"""The single writer of the room: decides, keeps, and only then tells.

Order for each input, under one lock: decide (pure), number, commit in one transaction, tell the
subscribers. A crash before the commit leaves nothing, a crash after it loses only the telling, and
those who were not told ask for what they missed by position. When the store moves off a failing disk or
back to it, or is full, a new epoch begins: what was numbered in the old one is numbered anew and answered
with what is true then (``durable``).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Never, Self, TypeVar

from edge.room.clock_jump import clock_set, moved, told_anew
from edge.room.deadlines import next_deadline
from edge.room.decide import after, decide
from edge.room.decision import Accepted, Change, Decision, Refused, changes_of
from edge.room.inputs import RoomInput, Tick
from edge.room.journal import JournalHead, acknowledged, journalled
from edge.room.reconcile import MachineSetup, reconcile
from edge.room.records import RoomState
from edge.room.timings import RoomTimings
from edge.store.commit import (
    Asked,
    Commit,
    DetectorState,
    Document,
    KeptAnswer,
    KeptClock,
    LearnedState,
    asker_and_id,
)
from edge.store.edge_store import EdgeStore
from edge.store.limits import KEEP_CLOCK_S
from edge.store.room_documents import (
    Named,
    gone_document,
    kept_gone,
    kept_waits,
    named_document,
    waits_document,
)
from edge.store.room_store import EpochMovedError
from laundryd.daemon.clock import Clock, Jump
from laundryd.wire.commands import CommandAnswer, CommandError
from laundryd.wire.errors import ERRORS, ErrorCode
from laundryd.wire.events import Entry, NoticeAck
from laundryd.wire.ids import Epoch, Position, RoomRef, Slug
from laundryd.wire.machines import Programme
from laundryd.wire.times import Moment

log = logging.getLogger("laundryd.edge.room")

BEAT_S: Final = 10.0
"""Real seconds after which the writer's loop goes round at the latest, to show that it lives."""

RETRY_S: Final = 5.0
"""Real seconds before a tick that the store refused is tried again: a full disk heals slowly."""

OnClockSet = Callable[[timedelta], object]
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
        self.on_clock_set: list[OnClockSet] = []
        self.on_kept: Callable[[float], object] = lambda _seconds: None
        self.answers: Counter[str] = Counter()
        self.gone: tuple[Slug, ...] = ()
        """Machines that the settings named once and no longer: what dashboards may still show."""
        self._store = store
        self._clock = clock
        self._timings = timings or RoomTimings()
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        self._running: set[asyncio.Task[object]] = set()
        self._whole_due = False
        self._clock_kept_s = clock.monotonic_s()
        store.shelf.on_moved.append(self._moved)

    @classmethod
    async def open(
        cls,
        room: RoomRef,
        machines: Sequence[MachineSetup],
        store: EdgeStore,
        clock: Clock,
        timings: RoomTimings | None = None,
        *,
        name: str = "",
        programmes: Sequence[Programme] = (),
    ) -> Self:
        """Take the room up where the store left it, with what the settings name now.

        When they name something else than before (the room by ``name``, its machines, ``programmes``), a
        new epoch begins: no event tells that a machine is gone, so whoever knew the room takes it whole.

        Raises:
            sqlite3.Error: the store cannot be read or written.

        """
        shift = clock.begin(store.room.clock)
        now = clock.now()
        before = {record.machine: record for record in await store.room.records()}
        kept = [moved(record, shift) for record in before.values()]
        waits = moved(await kept_waits(store.documents), shift)
        found = reconcile(kept, machines, now)
        for gone in found.removed:
            log.warning(
                "no machine of the settings any more: dropped while %s",
                gone.phase,
                extra={"room": room.key, "machine": gone.machine},
            )
        state = replace(found.state, waits=waits, programmes=tuple(programmes))
        writer = cls(room, state, store, clock, timings)
        gone_before = await kept_gone(store.documents)
        known_gone = (*gone_before, *(gone.machine for gone in found.removed))
        writer.gone = tuple(one for one in known_gone if one not in state.machines)
        named = named_document(
            Named(name, tuple((m.machine, m.kind, m.name) for m in machines), tuple(programmes))
        )
        before_named = await store.documents.get(named.name)
        is_new = before_named != named.body
        if is_new and (before_named is not None or store.room.head.offset):
            # Before the rest is kept: a kill in between only begins one more.
            await store.room.new_epoch("the settings name other machines or programmes than before")
        changes = found.changes
        if shift:
            # The clock was set while we were away: who still sees the old times is told.
            changes = tuple(
                told_anew(before.get(one.record.machine, one.record), one.record, one.cause)
                for one in changes
            )
        await writer._keep(
            Accepted(changes, waits=waits if shift else None),
            now,
            removed=tuple(gone.machine for gone in found.removed),
            named=named if is_new else None,
            gone=gone_document(writer.gone) if writer.gone != gone_before else None,
            shift=shift,
        )
        return writer

    @property
    def position(self) -> Position:
        """The journal's end. Take it before ``state``, then the pair is a true snapshot."""
        return self._store.room.head.position

    @property
    def durable(self) -> bool:
        """Whether what was accepted survives a power cut."""
        return self._store.durable

    async def apply(
        self,
        given: RoomInput,
        *,
        detector: DetectorState | None = None,
        learned: LearnedState | None = None,
    ) -> Outcome:
        """Decide ``given`` now and keep what it changes, ``detector`` and ``learned`` with it.

        Safe to cancel: what has begun is finished.

        Raises:
            sqlite3.Error: it could not be kept; nothing changed.

        """
        return await self._finish(self._apply(given, detector, learned))

    async def command(self, command: Asked) -> CommandAnswer:
        """Answer a command; the same id of the same resident or staff gets the same answer again.

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
        entries = await self.acks([ack])
        return entries[0] if entries else None

    async def acks(self, acks: Sequence[NoticeAck]) -> list[Entry]:
        """Keep acknowledgements in one commit; those that are known already or not theirs are left out.

        Raises:
            sqlite3.Error: none could be kept; nothing changed.

        """
        return await self._finish(self._acks(acks))

    async def new_epoch(self, reason: str) -> Epoch:
        """Begin new numbers, because the old ones cannot be proven to go on; ``reason`` is logged."""
        return await self._finish(self._new_epoch(reason))

    async def clock_set(self, jump: Jump) -> None:
        """Move everything by what the clock was set by, and let the clock follow, in one step.

        Raises:
            sqlite3.Error: it could not be kept; nothing changed, and the clock does not follow.

        """
        await self._finish(self._clock_set(jump))

    async def keep_clock(self) -> None:
        """Keep where the clock stands: before the store is closed, or when nothing else was kept for long.

        Raises:
            sqlite3.Error: it could not be kept.

        """
        await self._finish(self._keep_clock())

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
            await self._keep_what_nothing_else_keeps()
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
            log.exception("what is due cannot be kept yet", extra={"room": self.room.key})
            await asyncio.sleep(RETRY_S)

    async def _keep_what_nothing_else_keeps(self) -> None:
        try:
            if self._whole_due:
                await self._finish(self._keep_whole())
            elif self._clock.monotonic_s() - self._clock_kept_s >= KEEP_CLOCK_S:
                await self.keep_clock()
        except sqlite3.Error:
            log.exception("the clock cannot be kept yet", extra={"room": self.room.key})
            await asyncio.sleep(RETRY_S)

    async def _finish(self, work: Coroutine[object, object, T]) -> T:
        # A page that goes away cancels its request: the decision must not stop between disk and memory.
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _apply(
        self, given: RoomInput, detector: DetectorState | None, learned: LearnedState | None
    ) -> Outcome:
        async with self._lock:
            now = self._clock.now()
            decision = decide(self.state, given, now, self._timings)
            entries: list[Entry] = []
            is_news = isinstance(decision, Accepted) and decision != Accepted()
            if is_news or detector is not None or learned is not None:
                entries = await self._keep(decision, now, detector=detector, learned=learned)
            self._took(decision, entries)
            return Outcome(decision, entries, self.position)

    async def _command(self, command: Asked) -> CommandAnswer:
        async with self._lock:
            kept = await self._store.room.answer_to(*asker_and_id(command))
            if kept is not None:
                return (
                    kept.answer
                    if kept.command == command
                    else _id_taken(command, durable=self.durable)
                )
            now = self._clock.now()
            decision = decide(self.state, command, now, self._timings)
            answers: list[CommandAnswer] = []

            def answered(head: JournalHead) -> KeptAnswer:
                # A refusal is kept too: told "no" once, a repeated message must not do the deed later.
                answers.append(_answer(command, decision, head.position, durable=self.durable))
                return KeptAnswer(command, answers[-1])

            entries = await self._keep(decision, now, answered=answered)
            self._took(decision, entries)
            error = answers[-1].error
            self.answers["ok" if error is None else error.code] += 1
            return answers[-1]

    async def _clock_set(self, jump: Jump) -> None:
        async with self._lock:
            decision = clock_set(self.state, jump.shift)
            now = self._clock.now() + jump.shift
            clock = KeptClock(jump.anchor, jump.shift)
            entries = await self._keep(decision, now, clock=clock)
            # From here on without a pause: nobody may see the new time beside an old deadline.
            self._clock.follow(jump)
            for told in self.on_clock_set:
                told(jump.shift)
            self._took(decision, entries)

    async def _keep_clock(self) -> None:
        async with self._lock:
            if (clock := self._kept_clock()) is not None:
                await self._store.room.keep_clock(clock)
            self._clock_kept_s = self._clock.monotonic_s()

    async def _keep_whole(self) -> None:
        async with self._lock:
            await self._keep(Accepted(), self._clock.now())

    async def _acks(self, acks: Sequence[NoticeAck]) -> list[Entry]:
        async with self._lock:
            room = self._store.room
            new = [
                ack
                for ack in dict.fromkeys(acks)
                if await room.acknowledgeable(ack.notice_id, ack.resident, ack.kind)
            ]
            while new:
                head, entries = room.head, list[Entry]()
                for ack in new:
                    entry, head = acknowledged(ack, head)
                    entries += room.stamped([entry])
                try:
                    await room.commit(
                        Commit(at=self._clock.now(), head=head, entries=tuple(entries))
                    )
                except EpochMovedError:
                    continue
                self._tell(entries, ())
                return entries
            return []

    async def _new_epoch(self, reason: str) -> Epoch:
        async with self._lock:
            return await self._store.room.new_epoch(reason)

    def _moved(self, head: Position) -> None:
        # What is in memory is whole, what could be read of a damaged file may not be.
        self._whole_due = True
        self._changed.set()
        for told in self.on_new_epoch:
            try:
                told()
            except Exception:
                context = {"room": self.room.key, "epoch": head.epoch}
                log.exception("a listener failed", extra=context)

    async def _keep(
        self,
        decision: Decision,
        at: Moment,
        *,
        answered: Callable[[JournalHead], KeptAnswer] | None = None,
        detector: DetectorState | None = None,
        learned: LearnedState | None = None,
        clock: KeptClock | None = None,
        removed: Sequence[Slug] = (),
        named: Document | None = None,
        gone: Document | None = None,
        shift: timedelta = timedelta(),
    ) -> list[Entry]:
        """Commit it all, what was decided numbered; numbered anew when another epoch began meanwhile."""
        accepted = decision if isinstance(decision, Accepted) else Accepted()
        state = after(self.state, accepted)
        while True:
            begun_s = self._clock.monotonic_s()
            numbered, head = journalled(
                accepted, room=self.room.key, head=self._store.room.head, at=at
            )
            entries = self._store.room.stamped(numbered)
            is_whole = self._whole_due
            changed = (change.record for change in accepted.changes)
            documents = [one for one in (named, gone) if one is not None]
            if is_whole or accepted.waits is not None:
                documents.append(waits_document(state.waits))
            try:
                await self._store.room.commit(
                    Commit(
                        at=at,
                        head=head,
                        records=tuple(state.machines.values() if is_whole else changed),
                        entries=tuple(entries),
                        answer=answered(head) if answered is not None else None,
                        detector=detector,
                        learned=learned,
                        clock=clock or self._kept_clock(shift),
                        removed=tuple(removed),
                        documents=tuple(documents),
                    )
                )
            except EpochMovedError:
                continue
            self._whole_due = self._whole_due and not is_whole
            self._clock_kept_s = self._clock.monotonic_s()
            self.on_kept(self._clock_kept_s - begun_s)
            return entries

    def _kept_clock(self, shift: timedelta = timedelta()) -> KeptClock | None:
        anchor = self._clock.anchor()
        return None if anchor is None else KeptClock(anchor, shift)

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
    command: Asked, decision: Decision, position: Position, *, durable: bool
) -> CommandAnswer:
    if isinstance(decision, Refused):
        message = f"{decision.detail}. {ERRORS[decision.code].remedy}"
        error = CommandError(
            code=decision.code, message=message, retry_after_s=decision.retry_after_s
        )
        return CommandAnswer(id=asker_and_id(command)[1], ok=False, error=error, durable=durable)
    return CommandAnswer(id=asker_and_id(command)[1], ok=True, position=position, durable=durable)


def _id_taken(command: Asked, *, durable: bool) -> CommandAnswer:
    message = "This id was used for another command before: make a new id for each wish."
    error = CommandError(code=ErrorCode.INVALID_BODY, message=message)
    return CommandAnswer(id=asker_and_id(command)[1], ok=False, error=error, durable=durable)
