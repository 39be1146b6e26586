"""The shell of the link: moves messages between the cloud's broker and the room."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, NoReturn

from pydantic import BaseModel, ValidationError

from edge.errors import RosterError
from edge.link.outbox import UNANSWERED_MAX, Do, Outbox
from edge.link.roster import RosterKeeper
from edge.link.uplink_room import Announced, UplinkRoom
from laundryd import __version__
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import Message, MqttLink
from laundryd.wire.commands import (
    CommandAnswer,
    CommandError,
    DownCommand,
    UpAnswer,
)
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import Offset, Position, RoomRef, Word
from laundryd.wire.topics import MAX_PAYLOAD_BYTES, Address, Topic, parse_topic, topic_name
from laundryd.wire.uplink import (
    MAX_BATCH_BYTES,
    MAX_ENTRIES_A_BATCH,
    ClockMark,
    DownAck,
    DownAnnouncement,
    DownHello,
    DownNotice,
    DownRoster,
    DownTold,
    UpEvents,
    UpHello,
    UpPresence,
    up_events_json,
)

log = logging.getLogger(__name__)

INBOX_MAX: Final = 1_000
"""Messages waiting for us. Past it they are dropped and counted: all of them are sent again."""
KEEP_ACKED_S: Final = 0.5
"""Real seconds between two notes of how far the relay is: each wears the disk, and none is needed to send
on."""
EARLY_MAX: Final = 100
"""Commands that wait for the first greeting; of more the oldest go, whose residents hear of no answer."""
RETRY_S: Final = 5.0
"""Real seconds before a journal that could not be read is read again."""
SKEW_MIN: Final = timedelta(seconds=2)
"""A difference to the relay's clock up to here may be the way of a hello, and decides nothing."""
SKEW_TOLD: Final = timedelta(minutes=1)
"""A difference from here on is worth a line in the log: one of the two clocks is not set."""
ONLINE: Final = b"online"
OFFLINE: Final = b"offline"


class Uplink:
    """The room's voice at the relay.

    ``told`` hears of notices that were told or read elsewhere, ``announced`` of what the relay wants shown
    here.
    """

    def __init__(
        self,
        *,
        ref: RoomRef,
        name: str,
        local_url: str | None,
        mqtt: MqttLink,
        room: UplinkRoom,
        roster: RosterKeeper,
        clock: Clock,
        acked: Offset,
        told: Callable[[DownTold], Awaitable[None]],
        announced: Announced,
        on_connected: Callable[[], None],
    ) -> None:
        self._ref, self._name, self._local_url = ref, name, local_url
        self._mqtt, self._room, self._roster, self._clock = mqtt, room, roster, clock
        self._told, self._on_connected = told, on_connected
        self._announced = announced
        self._outbox = Outbox(room.head(), acked)
        self._inbox: asyncio.Queue[Message] = asyncio.Queue(INBOX_MAX)
        self._wake = asyncio.Event()
        self._presence_changed = asyncio.Event()
        self._acked_moved = asyncio.Event()
        self._presence_seq = self._hellos = 0
        self._presence_hello: Word | None = None
        self.relay_ahead = timedelta()
        """How far the relay's clock is ahead of ours, real time, measured at the last hello."""
        self._relay_clock: ClockMark | None = None
        """The relay's mark of the clock that was measured."""
        self._is_measured = self._is_sure = False
        """Whether the relay's clock was ever measured, and whether it is still the one that was."""
        self._asked_s: dict[Word, float] = {}
        """When (monotonic) the newest hellos left, by their words."""
        self._early: deque[DownCommand] = deque(maxlen=EARLY_MAX)
        self.skipped: Counter[str] = Counter()

    @property
    def connected(self) -> bool:
        """Whether the cloud's broker is reached; the relay behind it may still be away."""
        return self._mqtt.connected

    @property
    def waiting(self) -> int:
        """Entries that the relay has not acknowledged."""
        return self._room.head().offset - self._outbox.acked

    def appended(self) -> None:
        """Send what is new in the journal."""
        self._outbox.appended(self._room.head())
        self._wake.set()

    def presence_changed(self) -> None:
        """Send who is there: a resident came, went, or looked away."""
        self._presence_changed.set()

    async def run(self) -> NoReturn:
        """Keep the link up until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(), name="uplink read")
            tasks.create_task(self._send(), name="uplink send")
            tasks.create_task(self._send_presence(), name="uplink presence")
            tasks.create_task(self._keep_acked(), name="uplink acknowledged")
            await self._mqtt.run(self._arrived, self._connected)
        raise AssertionError("the link ends only by cancellation")

    def _arrived(self, message: Message) -> None:
        try:
            self._inbox.put_nowait(message)
        except asyncio.QueueFull:
            self._skip("inbox_full", message.topic)

    async def _connected(self) -> None:
        self._outbox.connected()
        self._presence_hello = None
        await self._mqtt.publish(topic_name(self._ref, Topic.AVAILABILITY), ONLINE, retain=True)
        self._wake.set()
        self._on_connected()

    async def _send(self) -> NoReturn:
        while True:
            # Clear first: what arrives while we look wakes us again.
            self._wake.clear()
            try:
                if self._mqtt.connected and await self._step():
                    continue
            except sqlite3.Error:
                log.exception("the journal cannot be read or written; trying again")
                await asyncio.sleep(RETRY_S)
                continue
            due_s = self._outbox.due_s if self._mqtt.connected else None
            wait_s = None if due_s is None else max(0.0, due_s - self._clock.monotonic_s())
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _step(self) -> bool:
        """Do what is due; False when there is nothing to do but wait."""
        now_s = self._clock.monotonic_s()
        match self._outbox.next(now_s):
            case Do.WAIT:
                return False
            case Do.HELLO:
                await self._say_hello(now_s, renewal=False)
            case Do.RENEW:
                await self._say_hello(now_s, renewal=True)
            case Do.SNAPSHOT:
                await self._send_snapshot(now_s)
            case Do.EVENTS:
                await self._send_events(now_s)
            case Do.NEW_EPOCH:
                log.warning("the relay keeps entries that are not in our journal: new epoch")
                await self._room.begin_epoch()
                self._outbox.appended(self._room.head())
        return True

    async def _send_snapshot(self, now_s: float) -> None:
        outbox = self._outbox
        snapshot = self._room.up_snapshot(outbox.snapshot_reason, outbox.acked)
        run = await self._room.run_at(snapshot.snapshot.position.offset)
        if snapshot.snapshot.position.epoch != self._room.head().epoch:
            return  # the epoch ended meanwhile, and ``appended`` was told
        word = outbox.snapshot_sent(now_s)
        await self._say(Topic.UP_SNAPSHOT, snapshot.model_copy(update={"run": run, "word": word}))

    async def _send_events(self, now_s: float) -> None:
        outbox = self._outbox
        after, epoch = outbox.acked, outbox.head.epoch
        lines = await self._room.lines_after(after, MAX_ENTRIES_A_BATCH, MAX_BATCH_BYTES)
        if outbox.head.epoch != epoch or outbox.acked != after:
            return  # what we read is not what is due any more
        if lines is None:
            outbox.lost()
            return
        word = outbox.sent(now_s, caught_up=lines.to_head)
        batch = UpEvents(
            entries=[],
            caught_up=lines.to_head,
            after=after,
            after_run=lines.run,
            word=word,
            hello=outbox.hello,
            ahead_ms=self._room_ahead_ms(),
            clock=self._relay_clock,
        )
        await self._publish(Topic.UP_EVENTS, up_events_json(batch, lines.bodies))

    async def _send_presence(self) -> NoReturn:
        while True:
            await self._presence_changed.wait()
            self._presence_changed.clear()
            if self._presence_hello is None:
                continue  # said whole when the relay has greeted us
            self._presence_seq += 1
            await self._say(
                Topic.UP_PRESENCE,
                UpPresence(
                    seq=self._presence_seq,
                    hello=self._presence_hello,
                    sessions=self._room.sessions(),
                ),
            )

    async def _keep_acked(self) -> NoReturn:
        """Keep how far the relay is, once in a while: what is not kept is asked for at the next hello."""
        while True:
            await self._acked_moved.wait()
            self._acked_moved.clear()
            outbox = self._outbox
            try:
                await self._room.acknowledge(Position(epoch=outbox.head.epoch, offset=outbox.acked))
            except sqlite3.Error:
                log.exception("what the relay acknowledged cannot be kept; trying again")
                self._acked_moved.set()
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(KEEP_ACKED_S)

    async def _read(self) -> NoReturn:
        while True:
            message = await self._inbox.get()
            address = parse_topic(message.topic)
            if len(message.payload) > MAX_PAYLOAD_BYTES:
                self._skip("oversized", message.topic)
            elif address is None or address.room != self._ref:
                self._skip("unknown_topic", message.topic)
            else:
                try:
                    await self._take(address, message.payload)
                except ValidationError:
                    self._skip("malformed", message.topic)
                except RosterError as error:
                    log.warning("%s", error)
                    self._skip("roster_refused", message.topic)
                except sqlite3.Error:
                    # Whoever sent it gets no answer and sends it again, or says so to the resident.
                    log.exception("a message from the cloud cannot be kept")
                    self._skip("not_kept", message.topic)

    async def _take(self, address: Address, payload: bytes) -> None:
        match address.topic:
            case Topic.DOWN_HELLO:
                await self._greeted(DownHello.model_validate_json(payload))
            case Topic.DOWN_ACK:
                self._acknowledged(DownAck.model_validate_json(payload))
            case Topic.DOWN_COMMAND:
                await self._answer(DownCommand.model_validate_json(payload))
            case Topic.DOWN_ROSTER:
                await self._roster.take(DownRoster.model_validate_json(payload))
            case Topic.DOWN_ANNOUNCEMENT:
                await self._announced.take(DownAnnouncement.model_validate_json(payload))
            case Topic.DOWN_NOTICE:
                await self._announced.take_notice(DownNotice.model_validate_json(payload).notice)
            case Topic.DOWN_TOLD:
                await self._told(DownTold.model_validate_json(payload))
            case _:
                self._skip("unknown_topic", address.topic)
        self._wake.set()

    def clock_set(self, shift: timedelta) -> None:
        """Take note that our clock was set by ``shift`` (room time): the relay's did not move with it."""
        self.relay_ahead -= shift / self._clock.speed

    async def _greeted(self, hello: DownHello) -> None:
        came_s = self._clock.monotonic_s()
        same_past = await self._is_ours(hello)
        if not self._outbox.greeted(hello, same_past=same_past):
            self._skip("stale_hello", Topic.DOWN_HELLO)
            return
        # By the time that passed, not by the time of day: our clock may have been set in between.
        half_way_s = (came_s + self._asked_s.pop(hello.word or "", came_s)) / 2
        ago = timedelta(seconds=self._clock.monotonic_s() - half_way_s)
        self._measured(hello.relay_at - (self._clock.real_now() - ago))
        self._relay_clock = hello.clock
        self._is_measured = self._is_sure = True
        while self._early:
            await self._answer(self._early.popleft())
        self._clock.heard_from_relay(hello.relay_at)
        # A hello acknowledges too: the answer to the last batch may have been lost.
        self._acked_moved.set()
        # Whole, and again with each sign of life: what was said last may have been lost.
        self._presence_hello = self._outbox.hello
        self._presence_changed.set()

    def _measured(self, ahead: timedelta) -> None:
        if abs(ahead) > SKEW_TOLD and abs(ahead - self.relay_ahead) > SKEW_TOLD:
            log.warning(
                "the relay's clock is %.0f s ahead of ours: until when a notice is useful is judged in its "
                "time; set the clock that is wrong",
                ahead.total_seconds(),
            )
        self.relay_ahead = ahead

    async def _is_ours(self, hello: DownHello) -> bool:
        """Say whether the entry that the relay keeps is ours, as far as can be told."""
        if hello.acked is None or hello.run is None or hello.epoch != self._room.head().epoch:
            return True
        return await self._room.run_at(hello.acked) in {None, hello.run}

    def _acknowledged(self, ack: DownAck) -> None:
        if ack.word is None:
            # It asks for a hello, maybe because its clock was set: what follows is judged after that.
            self._is_sure = False
        if self._outbox.acknowledged(ack):
            self._acked_moved.set()

    async def _answer(self, request: DownCommand) -> None:
        if not self._is_sure:
            # Kept by the broker, maybe for long: whether it has expired is known after the greeting.
            self._early.append(request)
            return
        if self._clock.real_now() + self.relay_ahead >= request.expires_at:
            answer = CommandAnswer(
                id=request.command.id,
                ok=False,
                error=CommandError.of(ErrorCode.EXPIRED),
                durable=self._room.durable(),
            )
        else:
            answer = await self._room.command(request.command)
        await self._say(
            Topic.UP_ANSWER,
            UpAnswer(request_id=request.request_id, answer=answer),
            request.relay_id,
        )

    async def _say_hello(self, now_s: float, *, renewal: bool) -> None:
        word = self._outbox.hello_sent(now_s)
        self._hellos += 1
        self._asked_s[word] = now_s
        while len(self._asked_s) > UNANSWERED_MAX:
            del self._asked_s[next(iter(self._asked_s))]
        await self._say(
            Topic.UP_HELLO,
            UpHello(
                name=self._name,
                version=__version__,
                head=self._room.head(),
                acked=self._outbox.acked,
                durable=self._room.durable(),
                sent_at=self._clock.real_now(),
                local_url=self._local_url,
                word=word,
                connection=self._outbox.connection,
                renewal=renewal,
                run=self._room.run(),
                nth=self._hellos,
                relay_ahead_ms=_ms(self.relay_ahead) if self._is_measured else None,
                roster=self._roster.version,
            ),
        )

    def _room_ahead_ms(self) -> int:
        """Return how far the relay's room time is ahead of ours; 0 for what is no more than the way."""
        is_skewed = abs(self.relay_ahead) > SKEW_MIN
        return _ms(self.relay_ahead * self._clock.speed) if is_skewed else 0

    async def _say(self, topic: Topic, payload: BaseModel, variable: str | None = None) -> bool:
        return await self._publish(topic, payload.model_dump_json().encode(), variable)

    async def _publish(self, topic: Topic, payload: bytes, variable: str | None = None) -> bool:
        return await self._mqtt.publish(topic_name(self._ref, topic, variable), payload)

    def _skip(self, reason: str, topic: str) -> None:
        self.skipped[reason] += 1
        log.warning("message from the cloud skipped", extra={"reason": reason, "topic": topic})


def _ms(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))
