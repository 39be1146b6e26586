"""From plug messages to the room: the shell around sources and detectors, one task, in order.

The clock drives the detectors as much as the plugs do: a plug that publishes on change says nothing
when a wash is over.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NoReturn

from pydantic import AwareDatetime, BaseModel

from edge.detect.detector import Detector, DetectorStateError
from edge.detect.sensor import sensor_state
from edge.detect.signals import (
    CycleFinished,
    CycleResumed,
    CycleStarted,
    EndingSoon,
    MinutesLeft,
    Signal,
)
from edge.room.inputs import CycleFinished as RoomCycleFinished
from edge.room.inputs import CycleResumed as RoomCycleResumed
from edge.room.inputs import CycleStarted as RoomCycleStarted
from edge.room.inputs import EndExpected, RoomInput, SensorChanged
from edge.sources.reading import Heard, Reading
from edge.sources.router import Router
from edge.store.commit import DetectorState
from edge.store.documents import Documents
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import Message
from laundryd.wire.ids import Slug
from laundryd.wire.machines import MachineKind

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


@dataclass(slots=True)
class _Ear:
    """One machine with a plug: its detector, and when it was heard."""

    machine: Slug
    detector: Detector
    listening_since: datetime
    last_reading_at: datetime | None = None
    online: bool | None = None
    kept_at: datetime | None = None
    due: list[Signal] = field(default_factory=list)


class Sensing:
    """Feeds the room. ``on_reading`` hears each measurement, for dashboards."""

    def __init__(
        self,
        router: Router,
        writer: RoomWriter,
        documents: Documents,
        clock: Clock,
        on_reading: Callable[[Reading], None],
    ) -> None:
        self._router, self._writer, self._documents = router, writer, documents
        self._clock, self._on_reading = clock, on_reading
        self._inbox: asyncio.Queue[tuple[datetime, Message]] = asyncio.Queue(INBOX_MAX)
        self._ears: dict[Slug, _Ear] = {}
        self.dropped = 0

    async def open(self, machines: Sequence[tuple[Slug, MachineKind]]) -> None:
        """Take every machine's detector up where it was left."""
        for machine, kind in machines:
            ear = _Ear(machine, Detector(kind), self._clock.now())
            body = await self._documents.detector(machine)
            if body is not None:
                try:
                    ear.detector, ear.due = _taken_up(kind, body)
                except (DetectorStateError, ValueError) as error:
                    log.warning("%s", error, extra={"machine": machine})
            self._ears[machine] = ear

    def arrived(self, message: Message) -> None:
        """Take a message from the room's broker; it is looked at in turn."""
        try:
            self._inbox.put_nowait((self._clock.now(), message))
        except asyncio.QueueFull:
            self.dropped += 1

    def listening_again(self) -> None:
        """Take note that the broker is back: plugs get as long to speak as after a start."""
        for ear in self._ears.values():
            ear.listening_since = self._clock.now()

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
            ear.last_reading_at, ear.online = heard.at, None
            self._on_reading(heard)
            ear.due += ear.detector.feed(heard)
        else:
            ear.online = heard.online
        if not await self._settle(ear, heard.at):
            await asyncio.sleep(RETRY_S)

    async def _tick(self, now: datetime) -> None:
        all_kept = True
        for ear in self._ears.values():
            ear.due += ear.detector.tick(now)
            all_kept &= await self._settle(ear, now)
        if not all_kept:
            # Once, not for each machine: a full disk must not look like a hung task.
            await asyncio.sleep(RETRY_S)

    async def _settle(self, ear: _Ear, now: datetime) -> bool:
        """Bring the room up to what the ear heard; what cannot be kept stays due, and False is said."""
        try:
            while ear.due:
                signal, *later = ear.due
                await self._signal(ear, signal, later, now)
                ear.due = later
            await self._judge_sensor(ear, now)
            await self._keep_running(ear, now)
        except sqlite3.Error:
            log.exception("what a plug showed cannot be kept yet", extra={"machine": ear.machine})
            return False
        return True

    async def _signal(
        self, ear: _Ear, signal: Signal, later: Sequence[Signal], now: datetime
    ) -> None:
        given = _room_input(ear.machine, signal)
        # The detector is past all of its signals: those still due are kept beside its state.
        await self._writer.apply(given, detector=_dumped(ear, later))
        ear.kept_at = now

    async def _judge_sensor(self, ear: _Ear, now: datetime) -> None:
        sensor = sensor_state(
            now,
            has_plug=True,
            listening_since=ear.listening_since,
            last_reading_at=ear.last_reading_at,
            online=ear.online,
        )
        if sensor is not self._writer.state.machines[ear.machine].sensor:
            await self._writer.apply(SensorChanged(ear.machine, sensor))

    async def _keep_running(self, ear: _Ear, now: datetime) -> None:
        if ear.detector.started_at is None:
            return
        if ear.kept_at is None or (now - ear.kept_at).total_seconds() >= KEEP_ROOM_S:
            await self._documents.keep_detector(_dumped(ear, ear.due))
            ear.kept_at = now


def _room_input(machine: Slug, signal: Signal) -> RoomInput:
    """Say to the room what ``signal`` says of ``machine``."""
    match signal:
        case CycleStarted():
            return RoomCycleStarted(machine, signal.started_at)
        case CycleFinished():
            return RoomCycleFinished(machine, signal.started_at, signal.ended_at)
        case CycleResumed():
            return RoomCycleResumed(machine, signal.started_at, signal.ended_at)
        case MinutesLeft() | EndingSoon():
            is_soon = isinstance(signal, EndingSoon)
            return EndExpected(
                machine, signal.started_at, signal.ends_at, signal.confidence, is_soon=is_soon
            )


class _KeptSignal(BaseModel):
    """A signal on disk; ``ended_at`` None: a start."""

    at: AwareDatetime
    started_at: AwareDatetime
    ended_at: AwareDatetime | None


class _KeptDetector(BaseModel):
    """A detector's state on disk, with the signals that it gave and the room has not taken yet."""

    detector: dict[str, float | int | str | None]
    due: list[_KeptSignal]


def _dumped(ear: _Ear, due: Sequence[Signal]) -> DetectorState:
    kept = _KeptDetector(
        detector=ear.detector.dump(),
        due=[
            _KeptSignal(
                at=signal.at,
                started_at=signal.started_at,
                ended_at=signal.ended_at if isinstance(signal, CycleFinished) else None,
            )
            for signal in due
        ],
    )
    return DetectorState(ear.machine, kept.model_dump_json())


def _taken_up(kind: MachineKind, body: str) -> tuple[Detector, list[Signal]]:
    """Read what ``_dumped`` wrote.

    Raises:
        DetectorStateError, ValueError: it cannot be used.

    """
    kept = _KeptDetector.model_validate_json(body)
    due: list[Signal] = [
        CycleStarted(one.at, one.started_at)
        if one.ended_at is None
        else CycleFinished(one.at, one.started_at, one.ended_at)
        for one in kept.due
    ]
    return Detector.load(kind, kept.detector), due
