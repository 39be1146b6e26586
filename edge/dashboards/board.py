"""The shell of the dashboards: retained states and events out, staff's commands in."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from pydantic import ValidationError

from edge.dashboards.states import Faults, Measured, StateBoard, machine_state
from edge.room.inputs import StaffOrder
from edge.room.records import MachineRecord
from edge.room.view import view
from edge.sources.reading import Reading
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.daemon.mqtt import Message, MqttLink
from laundryd.wire.commands import CommandAnswer, CommandError, StaffCommand
from laundryd.wire.dashboards import MachineEvent
from laundryd.wire.errors import ErrorCode
from laundryd.wire.events import Entry
from laundryd.wire.ids import CommandId, Slug
from laundryd.wire.phases import Cause
from laundryd.wire.topics import Topic, parse_topic, topic_name

log = logging.getLogger("laundryd.edge.dashboards")

ORDERS_MAX: Final = 100
"""Staff commands waiting; they come by hand."""
EVENTS_MAX: Final = 1_000
"""Events kept for a broker that is away, some days of a busy room; past it the oldest go."""
ORDER_BYTES_MAX: Final = 1_024
UNREADABLE: Final = "unreadable"
"""The id in the answer to a staff command that could not be read."""
PAUSE_S: Final = 1.0


class Dashboards:
    """Publishes what anybody may see. ``cloud`` is None in a room that was never enrolled."""

    def __init__(
        self, writer: RoomWriter, clock: Clock, room_broker: MqttLink, cloud: MqttLink | None
    ) -> None:
        self._writer, self._clock = writer, clock
        self._room_broker, self._cloud = room_broker, cloud
        self._board = StateBoard()
        self._gone_room: set[Slug] = set()
        self._gone_cloud: set[Slug] = set()
        self._events: deque[MachineEvent] = deque(maxlen=EVENTS_MAX)
        self._orders: asyncio.Queue[Message] = asyncio.Queue(ORDERS_MAX)
        self._wake = asyncio.Event()
        self.skipped: Counter[str] = Counter()

    def told(self, entries: Sequence[Entry]) -> None:
        """Take what the room accepted."""
        for entry in entries:
            if entry.event is None:
                continue
            machine = entry.event.machine
            self._board.changed(machine.machine)
            self._events.append(
                MachineEvent(
                    event_type=entry.event.cause,
                    at=entry.event.at,
                    machine=machine.machine,
                    phase=machine.phase,
                    fault_text=self._fault_text(entry.event.cause, machine.machine),
                )
            )
        self._wake.set()

    def measured(self, reading: Reading) -> None:
        """Take a measurement; it is published with the next state that is due."""
        before = self._board.measurement(reading.machine)
        self._board.measured(
            reading.machine,
            Measured(
                before.power_w if reading.power_w is None else reading.power_w,
                before.energy_wh if reading.energy_wh is None else reading.energy_wh,
            ),
        )

    def ordered(self, message: Message) -> None:
        """Take a staff command; retained ones are old and are not carried out."""
        if message.retained:
            self._skip("retained", message.topic)
        elif len(message.payload) > ORDER_BYTES_MAX:
            self._skip("oversized", message.topic)
        elif self._orders.full():
            self._skip("inbox_full", message.topic)
        else:
            self._orders.put_nowait(message)

    def connected(self, *, at_cloud: bool) -> None:
        """Publish every machine again: the broker may have lost what it kept, or keep what is no more."""
        self._board.all_changed(self._writer.state.machines, at_cloud=at_cloud)
        # What it keeps of machines that are no more stays there until it is told to forget it.
        (self._gone_cloud if at_cloud else self._gone_room).update(self._writer.gone)
        self._wake.set()

    async def run(self, beat: Callable[[], None] = lambda: None) -> NoReturn:
        """Publish and obey until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish(beat), name="dashboards publish")
            tasks.create_task(self._obey(), name="dashboards obey")
        raise AssertionError("publishing ends only by cancellation")

    async def _publish(self, beat: Callable[[], None]) -> NoReturn:
        while True:
            beat()
            self._wake.clear()
            if self._room_broker.connected:
                await self._publish_room(beat)
            if self._cloud is not None and self._cloud.connected:
                await self._forget(self._cloud, self._gone_cloud, beat)
                for machine in self._board.due_cloud():
                    beat()
                    if not await self._publish_state(
                        self._cloud, machine, Measured(), with_text=False
                    ):
                        self._board.missed(machine, at_cloud=True)
            try:
                async with asyncio.timeout(PAUSE_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _publish_room(self, beat: Callable[[], None]) -> None:
        # A beat for each: a broker that froze costs a time-out a message, and that is not our hanging.
        while self._events:
            event = self._events[0]
            beat()
            name = topic_name(self._writer.room, Topic.MACHINE_EVENT, event.machine)
            taken = await self._room_broker.publish(name, event.model_dump_json().encode())
            if not taken and not self._room_broker.connected:
                break  # it stays the first for the broker's return
            if self._events and self._events[0] is event:
                self._events.popleft()
        await self._forget(self._room_broker, self._gone_room, beat)
        machines = self._writer.state.machines
        counting_down = [name for name, record in machines.items() if record.ends_at is not None]
        for machine in self._board.due_room(self._clock.monotonic_s(), counting_down):
            beat()
            measured = self._board.measurement(machine)
            if not await self._publish_state(self._room_broker, machine, measured, with_text=True):
                self._board.missed(machine, at_cloud=False)

    async def _forget(self, broker: MqttLink, gone: set[Slug], beat: Callable[[], None]) -> None:
        """Empty the retained states of machines that are gone; what the broker does not take stays due."""
        for machine in sorted(gone):
            beat()
            name = topic_name(self._writer.room, Topic.MACHINE_STATE, machine)
            if await broker.publish(name, b"", retain=True):
                gone.discard(machine)

    async def _publish_state(
        self, broker: MqttLink, machine: str, measured: Measured, *, with_text: bool
    ) -> bool:
        """Publish what ``machine`` is now; False when the broker did not take it."""
        record = self._writer.state.machines.get(machine)
        if record is None:
            return True
        # What residents wrote is for the staff, who are at the room's broker.
        faults = Faults(len(record.faults), _newest_text(record) if with_text else None)
        now, durable = self._clock.now(), self._writer.durable
        state = machine_state(view(record), now, measured, faults, durable=durable)
        name = topic_name(self._writer.room, Topic.MACHINE_STATE, machine)
        return await broker.publish(name, state.model_dump_json().encode(), retain=True)

    def _fault_text(self, cause: Cause, machine: str) -> str | None:
        record = self._writer.state.machines.get(machine)
        return _newest_text(record) if record and cause is Cause.FAULT_REPORTED else None

    async def _obey(self) -> NoReturn:
        while True:
            message = await self._orders.get()
            address = parse_topic(message.topic)
            user = address.variable if address and address.variable else "unknown"
            try:
                name = topic_name(self._writer.room, Topic.STAFF_ANSWER, user)
            except ValueError:
                self._skip("malformed", message.topic)
                continue
            answer = await self._answer(user, message)
            await self._room_broker.publish(name, answer.model_dump_json().encode())

    async def _answer(self, user: str, message: Message) -> CommandAnswer:
        """Carry out a staff command, once; what cannot be read or kept is answered too."""
        try:
            command = StaffCommand.model_validate_json(message.payload)
        except ValidationError:
            self._skip("malformed", message.topic)
            return _failed(UNREADABLE, ErrorCode.INVALID_BODY)
        if command.id is None:
            command = command.model_copy(update={"id": secrets.token_hex(8)})
        try:
            answer = await self._writer.command(StaffOrder(user, command))
        except sqlite3.Error:
            log.exception("a staff command cannot be kept", extra={"machine": command.machine})
            self._skip("not_kept", message.topic)
            return _failed(command.id or UNREADABLE, ErrorCode.INTERNAL)
        if answer.error is not None:
            self.skipped["refused"] += 1
            log.warning(
                "staff command refused: %s",
                answer.error.message,
                extra={"machine": command.machine, "reason": answer.error.code},
            )
        return answer

    def _skip(self, reason: str, topic: str) -> None:
        self.skipped[reason] += 1
        log.warning("staff command skipped", extra={"reason": reason, "topic": topic})


def _failed(command: CommandId, code: ErrorCode) -> CommandAnswer:
    return CommandAnswer(id=command, ok=False, error=CommandError.of(code))


def _newest_text(record: MachineRecord) -> str | None:
    return record.faults[-1].text if record.faults else None
