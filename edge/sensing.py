"""From plug messages to the room: the shell around sources and detectors, one task, in order.

The clock drives the detectors as much as the plugs do: a plug that publishes on change says nothing
when a wash is over. When the clock was set, this task has it noticed, because no signal of ours may be
under way then: room, detectors and waiting messages move together.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NoReturn

from pydantic import JsonValue, TypeAdapter

from edge.detect.detector import Detector, DetectorStateError
from edge.detect.rules import CUT_S
from edge.detect.sensor import sensor_state
from edge.detect.signals import MinutesLeft, Signal
from edge.room.inputs import SensorChanged
from edge.sensed import KeptDetector, KeptSignal, moved, room_input
from edge.sources.reading import Heard, Reading
from edge.sources.router import Router
from edge.store.commit import DetectorState, LearnedState
from edge.store.edge_store import EdgeStore
from edge.store.limits import LEARNED_BYTES_MAX
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import Message
from laundryd.wire.ids import Slug
from laundryd.wire.machines import MachineKind
from laundryd.wire.phases import Phase

log = logging.getLogger("laundryd.edge.sensing")

INBOX_MAX: Final = 10_000
"""Plug messages waiting for us; 20 plugs at 1 Hz fill it in 8 minutes. Past it the newest are dropped:
a detector takes a hole better than a delay."""
TICK_ROOM_S: Final = 1.0
"""Room seconds between two looks at the clock."""
KEEP_ROOM_S: Final = 60.0
"""Room seconds between two writes of a running detector's state: what a power cut may take from it."""
STALL_S: Final = 0.25
"""Real seconds; a look at the clock that comes later than this shows that the process was held up."""
SETTLE_S: Final = 0.1
"""Real seconds for the messages of a stall to arrive before the clock is believed."""
RETRY_S: Final = 5.0
_JSON: Final[TypeAdapter[dict[str, JsonValue]]] = TypeAdapter(dict[str, JsonValue])


@dataclass(slots=True)
class _Ear:
    """One machine with a plug: its detector, and when it was heard."""

    machine: Slug
    detector: Detector
    listening_since: datetime
    last_reading_at: datetime | None = None
    online: bool | None = None
    kept_at: datetime | None = None
    learned_kept: int = 0
    """The revision of what was learned that is on disk."""
    due: list[Signal] = field(default_factory=list)
    is_deaf: bool = False
    """The broker is away, so its plug cannot be heard."""


class Sensing:
    """Feeds the room. ``on_reading`` hears each measurement, for dashboards."""

    def __init__(
        self,
        router: Router,
        writer: RoomWriter,
        store: EdgeStore,
        clock: Clock,
        on_reading: Callable[[Reading], None],
    ) -> None:
        self._router, self._writer, self._store = router, writer, store
        self._clock, self._on_reading = clock, on_reading
        self._inbox: asyncio.Queue[tuple[datetime, Message]] = asyncio.Queue(INBOX_MAX)
        self._ears: dict[Slug, _Ear] = {}
        self._deaf_since_s = 0.0
        self.dropped = 0
        self.signals: Counter[str] = Counter()

    async def open(self, machines: Sequence[tuple[Slug, MachineKind]]) -> None:
        """Take every machine's detector up where it was left, in the time that the room has now."""
        documents, total = self._store.documents, self._store.room.clock_shift
        for machine, kind in machines:
            ear = _Ear(machine, Detector(kind), self._clock.now())
            learned = _taught(machine, kind, await documents.learned(machine))
            if learned is not None:
                ear.detector = Detector.load(kind, None, learned)
            body = await documents.detector(machine)
            if body is not None:
                try:
                    kept = KeptDetector.model_validate_json(body)
                    due = [one.signal() for one in kept.due]
                    ear.detector, ear.due = Detector.load(kind, kept.detector, learned), due
                    _move(ear, total - timedelta(milliseconds=kept.clock_shift_ms))
                    ear.detector.absent(self._clock.now())
                except (DetectorStateError, ValueError) as error:
                    log.warning("%s", error, extra={"machine": machine})
            ear.learned_kept = ear.detector.learned_revision
            self._ears[machine] = ear
        self._writer.on_clock_set.append(self.clock_set)
        self._writer.on_new_epoch.append(self._learned_anew)

    def clock_set(self, shift: timedelta) -> None:
        """Move everything that was heard by what the clock was set by."""
        for ear in self._ears.values():
            _move(ear, shift)
        self._router.clock_set(shift)
        waiting = [self._inbox.get_nowait() for _ in range(self._inbox.qsize())]
        for at, message in waiting:
            self._inbox.put_nowait((at + shift, message))

    def arrived(self, message: Message) -> None:
        """Take a message from the room's broker; it is looked at in turn."""
        try:
            self._inbox.put_nowait((self._clock.now(), message))
        except asyncio.QueueFull:
            self.dropped += 1

    def listening_again(self) -> None:
        """Take note that the broker is back.

        A plug that was never heard, or whose word is awaited, gets as long to speak as after a start.
        """
        deaf_s = self._clock.monotonic_s() - self._deaf_since_s
        for ear in self._ears.values():
            ear.listening_since = self._clock.now()
            if ear.is_deaf and deaf_s * self._clock.speed <= CUT_S:
                # A plug that publishes on change has nothing to say again after so short a while.
                ear.detector.back()
            ear.is_deaf = False

    def not_listening(self) -> None:
        """Take note that the broker is gone: what plugs say now is lost, so nothing may be concluded.

        A will may be missed too; births come again with the broker.
        """
        self._deaf_since_s = self._clock.monotonic_s()
        for ear in self._ears.values():
            ear.online = None
            ear.is_deaf = ear.detector.gone(self._clock.now())

    async def run(self, beat: Callable[[], None] = lambda: None) -> NoReturn:
        """Work until cancelled."""
        next_tick_s = self._clock.monotonic_s()
        settled = True
        while True:
            beat()
            late_s = self._clock.monotonic_s() - next_tick_s
            if late_s >= 0 and self._inbox.empty():
                if late_s > STALL_S and settled:
                    # We were held up: what plugs said meanwhile is still on its way to the inbox, and
                    # a look at the clock before it would take our own sleep for a machine's rest.
                    next_tick_s, settled = self._clock.monotonic_s() + SETTLE_S, False
                    continue
                await self._look_at_clock()
                await self._tick(self._clock.now())
                pause_s = TICK_ROOM_S / max(1.0, min(self._clock.speed, 20))
                next_tick_s, settled = self._clock.monotonic_s() + pause_s, True
                continue
            try:
                async with asyncio.timeout(max(0.0, -late_s)):
                    at, message = await self._inbox.get()
            except TimeoutError:
                continue
            for heard in self._router.take(
                message.topic, message.payload, at, retained=message.retained
            ):
                await self._hear(heard)

    async def _hear(self, heard: Heard) -> None:
        ear = self._ears.get(heard.machine)
        if ear is None:
            return
        if isinstance(heard, Reading):
            ear.last_reading_at = heard.at
            if ear.online is False:
                ear.online = None  # it is back, whatever its will said
            self._on_reading(heard)
            ear.due += ear.detector.feed(heard)
        else:
            ear.online = heard.online
            if not heard.online:
                ear.is_deaf = False
                ear.detector.gone(heard.at)
        if not await self._settle(ear, heard.at):
            await asyncio.sleep(RETRY_S)

    async def _look_at_clock(self) -> None:
        jump = self._clock.look()
        if jump is None:
            return
        try:
            await self._writer.clock_set(jump)
        except sqlite3.Error:
            log.exception("the clock was set, and the room's deadlines cannot be moved yet")

    def _learned_anew(self) -> None:
        # The store moved, perhaps off a damaged file: what was kept may be gone.
        for ear in self._ears.values():
            ear.learned_kept = -1

    async def _tick(self, now: datetime) -> None:
        all_kept = True
        for ear in self._ears.values():
            ear.due += ear.detector.tick(now)
            ear.due += self._stopped(ear, now)
            all_kept &= await self._settle(ear, now)
        all_kept = all_kept and await self._keep_running(now)
        if not all_kept:
            # Once, not for each machine: a full disk must not look like a hung task.
            await asyncio.sleep(RETRY_S)

    def _stopped(self, ear: _Ear, now: datetime) -> list[Signal]:
        """End the detector's cycle when staff ended it in the room: else it would hide the next load."""
        record = self._writer.state.machines.get(ear.machine)
        if record is None or record.stopped_cycle is None:
            return []
        return ear.detector.stop(now) if ear.detector.started_at == record.stopped_cycle else []

    async def _settle(self, ear: _Ear, now: datetime) -> bool:
        """Bring the room up to what the ear heard; what cannot be kept stays due, and False is said."""
        try:
            while ear.due:
                signal, *later = ear.due
                await self._signal(ear, signal, later, now)
                ear.due = later
            await self._keep_learned(ear)
            await self._judge_sensor(ear, now)
        except sqlite3.Error:
            log.exception("what a plug showed cannot be kept yet", extra={"machine": ear.machine})
            return False
        return True

    async def _signal(
        self, ear: _Ear, signal: Signal, later: Sequence[Signal], now: datetime
    ) -> None:
        if isinstance(signal, MinutesLeft):
            # Said again every minute: after a crash the kept state says it anew.
            await self._writer.apply(room_input(ear.machine, signal))
            self.signals[type(signal).__name__] += 1
            return
        # The detector is past all of its signals: those still due are kept beside its state.
        revision, learned = ear.detector.learned_revision, self._learned(ear)
        await self._writer.apply(
            room_input(ear.machine, signal), detector=self._dumped(ear, later), learned=learned
        )
        self.signals[type(signal).__name__] += 1
        ear.kept_at = now
        if learned is not None:
            ear.learned_kept = revision

    async def _judge_sensor(self, ear: _Ear, now: datetime) -> None:
        record = self._writer.state.machines[ear.machine]
        is_awaited = record.phase is Phase.IN_USE and record.plug_cycle_since is None
        sensor = sensor_state(
            now,
            has_plug=True,
            listening_since=ear.listening_since,
            last_reading_at=ear.last_reading_at,
            online=ear.online,
            awaited_since=record.registered_at if is_awaited else None,
            at_rest=ear.detector.started_at is None,
            before=record.sensor,
        )
        if sensor is not record.sensor:
            await self._writer.apply(SensorChanged(ear.machine, sensor))

    async def _keep_running(self, now: datetime) -> bool:
        """Keep the running detectors together, once in ``KEEP_ROOM_S``: one write wears the disk less."""
        running = [ear for ear in self._ears.values() if ear.detector.started_at is not None]
        ages_s = [
            math.inf if ear.kept_at is None else (now - ear.kept_at).total_seconds()
            for ear in running
        ]
        if max(ages_s, default=0.0) < KEEP_ROOM_S:
            return True
        old = [ear for ear, age_s in zip(running, ages_s, strict=True) if age_s >= KEEP_ROOM_S / 2]
        try:
            await self._store.documents.keep_detectors([self._dumped(ear, ear.due) for ear in old])
        except sqlite3.Error:
            log.exception("what the plugs showed cannot be kept yet")
            return False
        for ear in old:
            ear.kept_at = now
        return True

    async def _keep_learned(self, ear: _Ear) -> None:
        """Keep what was learned after the signal that taught it; mostly it went with the signal."""
        revision, learned = ear.detector.learned_revision, self._learned(ear)
        if learned is not None:
            await self._store.documents.keep_learned(learned)
            ear.learned_kept = revision

    def _learned(self, ear: _Ear) -> LearnedState | None:
        """Return what past cycles taught; None when that is what is kept already."""
        if ear.detector.learned_revision == ear.learned_kept:
            return None
        body = json.dumps(ear.detector.dump_learned(), separators=(",", ":"))
        if len(body) > LEARNED_BYTES_MAX:
            log.error(
                "what the detector learned, %d bytes, is more than is kept (%d): a restart forgets it",
                len(body),
                LEARNED_BYTES_MAX,
                extra={"machine": ear.machine},
            )
            ear.learned_kept = ear.detector.learned_revision
            return None
        return LearnedState(ear.machine, body)

    def _dumped(self, ear: _Ear, due: Sequence[Signal]) -> DetectorState:
        kept = KeptDetector(
            clock_shift_ms=self._store.room.clock_shift // timedelta(milliseconds=1),
            detector=_JSON.validate_python(ear.detector.dump()),
            due=[KeptSignal.of(signal) for signal in due],
        )
        return DetectorState(ear.machine, kept.model_dump_json())


def _taught(machine: Slug, kind: MachineKind, body: str | None) -> dict[str, JsonValue] | None:
    """Read what a machine's past cycles taught; what cannot be used is said and passed over."""
    if body is None:
        return None
    try:
        learned = _JSON.validate_json(body)
        Detector.load(kind, None, learned)
    except (DetectorStateError, ValueError) as error:
        log.warning("%s", error, extra={"machine": machine})
        return None
    return learned


def _move(ear: _Ear, shift: timedelta) -> None:
    """Move everything an ear knows by ``shift``."""
    if not shift:
        return
    ear.listening_since += shift
    ear.last_reading_at = ear.last_reading_at and ear.last_reading_at + shift
    ear.kept_at = ear.kept_at and ear.kept_at + shift
    ear.due = [moved(signal, shift) for signal in ear.due]
    ear.detector.shift(shift.total_seconds())
