"""The keeper of notices: plans them, hears who saw them, and hands what is due to the push queue."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NoReturn

import aiosqlite

from cloud_relay.notify import store
from cloud_relay.notify.neighbours import Edges, Presence, PushQueue, Sockets, Wishes
from cloud_relay.notify.plan import (
    ACK_DEADLINE,
    CATCH_UP_MAX,
    RETURN_GRACE,
    UNSEEN,
    Seen,
    Times,
    Wish,
    decide,
)
from cloud_relay.notify.wishes import MOOTING, is_moot, wish
from laundryd.daemon.clock import Clock
from laundryd.daemon.gathered import Gathered
from laundryd.daemon.sqlite import transaction
from laundryd.wire.delivery import DeliveryState, Why
from laundryd.wire.events import AckKind, NoticeAck, PublicEvent
from laundryd.wire.frames import NoticeFrame
from laundryd.wire.ids import NoticeId, Offset, ResidentId, RoomKey, SessionId
from laundryd.wire.notices import NOTICES, Notice, NoticeCard, NoticeKind, Origin

log = logging.getLogger(__name__)

LOOK_AGAIN_S: Final = 30.0
"""The keeper looks at least this often, so that a clock that was set is noticed."""
PRUNE_EVERY_S: Final = 3_600.0
"""Old notices are forgotten hourly: small deletions, and never more than an hour's surplus."""
RETRY_AFTER_FAULT_S: Final = 2.0
"""Pause after the database failed (a full disk); deadlines are kept, nothing is lost by waiting."""


@dataclass(slots=True)
class Told:
    """What is to be said on sockets once the transaction stands.

    ``off_pages``: of the notices in ``rooms``, those that leave the rooms' open pages too.
    ``is_news``: notices were planned or acknowledged, so there may be other deadlines than before.
    """

    cards: list[tuple[NoticeCard, ResidentId]] = field(default_factory=list)
    gone: list[tuple[ResidentId, NoticeId, SessionId | None]] = field(default_factory=list)
    rooms: dict[RoomKey, list[NoticeId]] = field(default_factory=lambda: defaultdict(list))
    off_pages: set[NoticeId] = field(default_factory=set)
    is_news: bool = False


class Planner:
    """Plans notices and keeps their deadlines; ``run`` it as a task.

    ``counts``: notices by outcome (``planned``, ``repeated``, ``socket``, ``queued``, ``expired``,
    ``unreachable``, ``moot``, ``shown``, ``read``, ``unknown_ack``, ``told_twice``).
    """

    def __init__(
        self,
        db: aiosqlite.Connection,
        clock: Clock,
        *,
        presence: Presence,
        sockets: Sockets,
        push: PushQueue,
        edges: Edges,
        wishes: Wishes,
    ) -> None:
        self._db = db
        self._clock = clock
        self._presence = presence
        self._sockets = sockets
        self._push = push
        self._edges = edges
        self._wishes = wishes
        self._returning_until = clock.real_now() + RETURN_GRACE
        self._held: dict[RoomKey, datetime] = {}
        self._changed = asyncio.Event()
        self._pending = Gathered(self._pending_of, missing=list[NoticeFrame]())
        self.counts: Counter[str] = Counter()

    # Inside the transaction of whoever brings notices and acknowledgements; ``tell`` follows it.

    async def plan(self, db: aiosqlite.Connection, notices: Iterable[Notice], told: Told) -> None:
        """Keep new notices with their plans, inside the caller's transaction."""
        for notice in notices:
            told.is_news = True
            plan = decide(
                useful_until=notice.useful_until,
                socket_tried=False,
                seen=self._seen(notice.resident),
                times=self._times(notice.room),
                wish=self._wish(notice, notice.resident),
            )
            if not await store.insert(db, notice, plan, kept_at=self._clock.real_now()):
                self.counts["repeated"] += 1
                continue
            self.counts["planned"] += 1
            if plan.state is DeliveryState.EXPIRED:
                self.counts["expired"] += 1
            if plan.socket:
                told.cards.append((notice.card(), notice.resident))

    async def acknowledge(
        self,
        db: aiosqlite.Connection,
        ack: NoticeAck,
        told: Told,
        *,
        at_room: RoomKey | None = None,
        session_id: SessionId | None = None,
    ) -> None:
        """Note that a resident's app showed or the resident read a notice, in the caller's transaction.

        ``at_room``: on that room's own page, so the room knows; it speaks of its own notices only. The
        push is cancelled. The first ``shown``, and the first ``read``, take the notice off the
        resident's other pages. What is not this resident's notice is counted and skipped.
        """
        told.is_news = True
        now = self._clock.real_now()
        before = await store.acknowledge(
            db, ack.resident, ack.notice_id, ack.kind, now, room=at_room
        )
        if before is None:
            self.counts["unknown_ack"] += 1
            return
        self.counts[ack.kind] += 1
        # Brought by the same message: what was seen already is told to no page now.
        told.cards = [(card, who) for card, who in told.cards if card.id != ack.notice_id]
        was_on_socket = before.socket_tried or at_room is not None
        if before.state is DeliveryState.PUSHED and ack.kind is AckKind.SHOWN and was_on_socket:
            self.counts["told_twice"] += 1
        await self._push.cancel(db, [ack.notice_id])
        first_read = ack.kind is AckKind.READ and before.state is not DeliveryState.READ
        if before.state in UNSEEN or first_read:
            told.gone.append((ack.resident, ack.notice_id, session_id))
            if ack.kind is AckKind.READ:
                told.off_pages.add(ack.notice_id)
            if at_room is None or before.card.kind in store.OURS:
                await self._tell_rooms(db, before.card, told, but=at_room)

    async def outdate(
        self,
        db: aiosqlite.Connection,
        room: RoomKey,
        events: Sequence[PublicEvent],
        brought: Mapping[NoticeId, Offset],
        told: Told,
    ) -> None:
        """Take back what ``events`` of a room made pointless to tell, in the caller's transaction.

        ``brought``: the notices that came with them, each with the offset of its entry; all others were kept
        before. What a push service has, or an app showed, stands, but no page that comes gets it any more.
        The table says what makes what moot.
        """
        if not any(event.cause in MOOTING for event in events):
            return
        for one in await store.unseen_of_room(db, room, self._clock.now()):
            if is_moot(one.card, events, brought.get(one.card.id)):
                await self._withdraw(db, one, told)

    async def take_back(
        self, db: aiosqlite.Connection, room: RoomKey, kind: NoticeKind, told: Told
    ) -> None:
        """Take back what was not told yet of a kind in a room, in the caller's transaction."""
        for one in await store.unseen_of_room(db, room, self._clock.now()):
            if one.card.kind is kind:
                await self._withdraw(db, one, told)

    async def withdraw(
        self, db: aiosqlite.Connection, notice_ids: Sequence[NoticeId], told: Told
    ) -> None:
        """Take back what nobody was told yet of ``notice_ids``, in the caller's transaction.

        What a push service has stands, but no page that comes gets it any more.
        """
        for one in await store.unseen_among(db, notice_ids, self._clock.now()):
            await self._withdraw(db, one, told)

    async def _withdraw(self, db: aiosqlite.Connection, unseen: store.Unseen, told: Told) -> None:
        card, real = unseen.card, self._clock.real_now()
        # Of a pushed one too: another device's push service may not have taken it yet.
        await self._push.cancel(db, [card.id])
        if unseen.ended:
            await store.end_use(db, card.id, self._clock.now())
        else:
            self.counts["moot"] += 1
            await store.finish(db, card.id, DeliveryState.MOOT, Why.OUTDATED, real)
            told.cards = [(one, who) for one, who in told.cards if one.id != card.id]
        told.gone.append((unseen.resident, card.id, None))
        told.off_pages.add(card.id)
        if card.kind in store.OURS:
            await self._tell_rooms(db, card, told)

    @staticmethod
    async def _tell_rooms(
        db: aiosqlite.Connection, card: NoticeCard, told: Told, *, but: RoomKey | None = None
    ) -> None:
        """Let no page of a room's own that comes get ``card``; ``but``: that room knows."""
        for room, notice_ids in (await store.pages_of(db, [card])).items():
            if room != but:
                told.rooms[room] += notice_ids

    async def caught_up(self, db: aiosqlite.Connection, room: RoomKey) -> None:
        """Let what was held for ``room`` be decided on, inside the caller's transaction.

        Its edge has brought everything that waited there, acknowledgements too. ``release`` the room once
        that is committed: a transaction that is rolled back leaves it held.
        """
        if room in self._held:
            await store.release_held(db, room, self._clock.real_now())

    def release(self, room: RoomKey) -> None:
        """Hold ``room`` no more: that it caught up is committed."""
        if self._held.pop(room, None) is not None:
            self._changed.set()

    def hold(self, room: RoomKey) -> None:
        """Plan nothing for ``room`` until it has caught up, ``CATCH_UP_MAX`` at most."""
        self._held[room] = self._clock.real_now() + CATCH_UP_MAX

    def holds(self, room: RoomKey) -> bool:
        """Say whether what is planned for ``room`` waits until it has caught up."""
        return room in self._held

    def tell(self, told: Told) -> None:
        """Say on the sockets what a committed transaction decided, and look at the deadlines."""
        for card, resident in told.cards:
            self.counts["socket"] += self._sockets.notify(card, resident)
        for resident, notice_id, session_id in told.gone:
            self._sockets.notice_gone(resident, [notice_id], but=session_id)
        for room, notice_ids in told.rooms.items():
            self._edges.told(room, notice_ids, told.off_pages)
        if told.is_news:
            self._changed.set()

    # For the relay's own sockets.

    async def shown(
        self,
        resident: ResidentId,
        notice_ids: Sequence[NoticeId],
        kind: AckKind,
        session_id: SessionId | None = None,
    ) -> None:
        """Note acknowledgements that came over a socket of the relay."""
        told = Told()
        at = self._clock.now()
        async with transaction(self._db) as db:
            for notice_id in notice_ids:
                ack = NoticeAck(notice_id=notice_id, resident=resident, kind=kind, at=at)
                await self.acknowledge(db, ack, told, session_id=session_id)
        self.tell(told)

    async def pending(self, resident: ResidentId) -> list[NoticeFrame]:
        """Return what a session that comes gets: not acknowledged yet, still useful, oldest first.

        What a push told is marked ``told``: the page shows it and does not announce it. If the resident
        looks, the push of what waits gives this session the socket's deadline first.
        """
        return await self._pending.of(resident)

    async def _pending_of(
        self, residents: Sequence[ResidentId]
    ) -> dict[ResidentId, list[NoticeFrame]]:
        async with transaction(self._db) as db:
            found = await store.pending(db, residents, self._clock.now())
            ids = [
                card.id
                for resident, cards in found.items()
                if self._presence.attentive(resident)
                for card in cards
                if not card.told
            ]
            if ids:
                now = self._clock.real_now()
                await store.given_to_session(db, ids, now, now + ACK_DEADLINE)
        if found:
            self._changed.set()
        return found

    async def came_to_room(self, residents: Sequence[ResidentId]) -> None:
        """Tell who has just opened a room's own page what we originated and they were not told yet.

        What the room originated it tells them itself; what was pushed they have in the app.
        """
        async with transaction(self._db) as db:  # what another task may yet take back is not read
            found = await store.pending(db, residents, self._clock.now())
            ours = [
                (NoticeCard.model_validate(card.model_dump()), resident)
                for resident, cards in found.items()
                for card in cards
                if NOTICES[card.kind].origin is Origin.RELAY and not card.told
            ]
            looked_at = [card.id for card, who in ours if self._presence.attentive(who)]
            now = self._clock.real_now()
            await store.given_to_session(db, looked_at, now, now + ACK_DEADLINE)
        if not ours:
            return
        self.tell(Told(cards=ours, is_news=True))

    async def history_of(self, resident: ResidentId, limit: int) -> list[store.Fate]:
        """Return the resident's newest notices of the last 30 days, newest first, and their fates."""
        return await store.of_resident(self._db, resident, limit)

    async def untold_of(self, residents: Sequence[ResidentId]) -> dict[ResidentId, int]:
        """Count the notices of the last 30 days that did not reach each; whom all reached is left out."""
        return await store.untold_of(self._db, residents)

    async def forget(self, resident: ResidentId) -> None:
        """Delete what the resident was, or was to be, told."""
        async with transaction(self._db) as db:
            await store.forget_in(db, resident)

    async def wishes_changed(self, resident: ResidentId) -> None:
        """Decide anew on what waits for the end of the resident's quiet hours: they have other wishes."""
        async with transaction(self._db) as db:
            await store.release_quiet(db, resident, self._clock.real_now())
            await self._push.wishes_changed(db, resident)
        self._push.wake()
        self._changed.set()

    def presence_changed(self) -> None:
        """Somebody came, went or looked up; deadlines are judged anew when they come."""
        self._changed.set()

    def clock_set(self, shift: timedelta) -> None:
        """Take note that real time was set by ``shift``, and the deadlines that are kept with it."""
        self._returning_until += shift
        self._held = {room: until + shift for room, until in self._held.items()}
        self._changed.set()

    # For the push queue.

    async def settled(
        self, db: aiosqlite.Connection, ended: Sequence[tuple[NoticeCard, DeliveryState, str]]
    ) -> None:
        """Note how the pushes of notices ended, inside the queue's transaction."""
        await store.finish_all(
            db, [(card.id, state, why) for card, state, why in ended], self._clock.real_now()
        )
        self.counts.update(state for _, state, _ in ended)
        pushed = [card for card, state, _ in ended if state is DeliveryState.PUSHED]
        for room, notice_ids in (await store.pages_of(db, pushed)).items():
            # Before the commit, rightly: the push service has it, whatever becomes of our note.
            self._edges.told(room, notice_ids)

    # For an edge that comes back.

    async def told_of_room(self, room: RoomKey, limit: int) -> dict[NoticeId, bool]:
        """Return the newest notices of ``room`` that were told and that its own page might still show.

        Each with whether it was read.
        """
        return await store.told_of_room(self._db, room, self._clock.now(), limit)

    async def run(self) -> NoReturn:
        """Take what is due, in order, for ever. Safe to cancel: deadlines are kept in the database."""
        pruned_s = float("-inf")
        while True:
            self._changed.clear()
            try:
                if self._clock.monotonic_s() - pruned_s > PRUNE_EVERY_S:
                    async with transaction(self._db) as db:
                        await store.prune(db, self._clock.now())
                    pruned_s = self._clock.monotonic_s()
                while await self.take_due():
                    pass
                wait_s = await self._until_next_s()
            except sqlite3.Error as error:
                log.error("notices: the database failed: %s; trying again", error)  # noqa: TRY400 -- no traceback for a full disk
                wait_s = RETRY_AFTER_FAULT_S
                await asyncio.sleep(wait_s)
                continue
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def take_due(self) -> int:
        """Decide on what is due now; return how many notices that were."""
        told = Told()
        async with transaction(self._db) as db:
            kept = await store.due(db, self._clock.real_now())
            for one in kept:
                await self._decide(db, one, told)
        for card, resident in told.cards:
            self.counts["socket"] += self._sockets.notify(card, resident)
        if kept:
            self._push.wake()
        return len(kept)

    async def _decide(self, db: aiosqlite.Connection, kept: store.Kept, told: Told) -> None:
        # Presence and state are looked at here, just before sending, whatever the plan said.
        plan = decide(
            useful_until=kept.card.useful_until,
            socket_tried=kept.socket_tried,
            seen=self._seen(kept.resident),
            times=self._times(kept.card.room, kept.kept_at),
            wish=self._wish(kept.card, kept.resident),
        )
        if plan.socket:
            told.cards.append((kept.card, kept.resident))
        await store.replan(db, kept.card.id, plan, self._clock.real_now())
        if plan.state is DeliveryState.EXPIRED:
            self.counts["expired"] += 1
        if plan.state is not DeliveryState.DUE:
            return
        if await self._push.enqueue(db, kept.card, kept.resident):
            self.counts["queued"] += 1
            await store.finish(db, kept.card.id, DeliveryState.SENDING, "", self._clock.real_now())
        else:
            ended = (kept.card, DeliveryState.UNREACHABLE, Why.NO_SUBSCRIPTION)
            await self.settled(db, [ended])

    async def _until_next_s(self) -> float:
        due_at = await store.next_due(self._db)
        if due_at is None:
            return LOOK_AGAIN_S
        left_s = (due_at - self._clock.real_now()).total_seconds()
        return min(max(left_s, 0.0), LOOK_AGAIN_S)

    def _wish(self, card: NoticeCard, resident: ResidentId) -> Wish:
        wishes, now = self._wishes.of(resident), self._clock.real_now()
        return wish(card.kind, wishes, now, urgent=card.urgent)

    def _seen(self, resident: ResidentId) -> Seen:
        return Seen(
            attentive=self._presence.attentive(resident), open=self._presence.open(resident)
        )

    def _times(self, room: RoomKey, kept_at: datetime | None = None) -> Times:
        """Give the times to decide by about a notice of ``room``, kept since ``kept_at``; None: new.

        However often its edge comes back, no notice is held longer than ``CATCH_UP_MAX`` in all.
        """
        real = self._clock.real_now()
        held_until = self._held.get(room)
        if held_until is not None and real >= held_until:
            del self._held[room]
            held_until = None
        if held_until is not None and kept_at is not None:
            held_until = min(held_until, kept_at + CATCH_UP_MAX)
        return Times(
            room=self._clock.now(),
            real=real,
            held_until=held_until,
            returning_until=self._returning_until,
        )
