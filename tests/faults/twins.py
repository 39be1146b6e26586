"""Programs with one promise taken out, to show that the fault runs see the loss that it prevents.

``python -m tests.faults.twins NAME edge run ...`` is ``laundryd edge run ...``, changed in this process. The
product has no switch for any of this.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, NoReturn

from edge.link.outbox import SnapshotReason
from edge.local import desk
from edge.store import room_store
from laundryd import cli
from laundryd.daemon import mqtt
from laundryd.live import replays, resume
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Offset, Position
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import UpSnapshot

STORED_LATE_S: Final = 2.5
"""From the arrival of entries to their commit: a wash ends within it, most often."""


def forget_at_puback() -> None:
    """Let the edge forget an entry when the broker has it, as if a PUBACK were durability.

    Its relay stores a little later. That alone loses nothing, and shows what happens between the two.
    """
    from cloud_relay.ingest import uplink  # noqa: PLC0415 -- a twin of the edge needs no relay

    take = uplink.Ingest.on_message

    def take_later(self: uplink.Ingest, message: mqtt.Message) -> None:
        late_s = STORED_LATE_S if message.topic.endswith(Topic.UP_EVENTS) else 0.0
        asyncio.get_running_loop().call_later(late_s, take, self, message)

    hearers: dict[mqtt.MqttLink, Callable[[mqtt.Message], None]] = {}
    run, publish = mqtt.MqttLink.run, mqtt.MqttLink.publish

    async def run_and_remember(
        self: mqtt.MqttLink,
        on_message: Callable[[mqtt.Message], None],
        on_connect: Callable[[], Awaitable[None]],
        on_disconnect: Callable[[], None] = lambda: None,
    ) -> NoReturn:
        hearers[self] = on_message
        await run(self, on_message, on_connect, on_disconnect)

    async def publish_and_acknowledge(
        self: mqtt.MqttLink, topic: str, payload: bytes, *, retain: bool = False
    ) -> bool:
        is_sent = await publish(self, topic, payload, retain=retain)
        if is_sent and (ack := _acknowledgement_of(topic, payload)) is not None:
            hearers[self](ack)
        return is_sent

    _forget_what_is_acknowledged()
    _set(mqtt.MqttLink, "run", run_and_remember)
    _set(mqtt.MqttLink, "publish", publish_and_acknowledge)
    _set(uplink.Ingest, "on_message", take_later)


def acknowledge_before_commit() -> None:
    """Let the relay acknowledge what it stores a little later, to an edge that takes it at its word."""
    from cloud_relay.ingest import uplink  # noqa: PLC0415 -- a twin of the edge needs no relay

    take = uplink.Ingest.on_message
    tasks: set[asyncio.Task[bool]] = set()

    def acknowledge_and_take_later(self: uplink.Ingest, message: mqtt.Message) -> None:
        ack = _acknowledgement_of(message.topic, message.payload)
        if ack is not None:
            said = self._handlers._link.publish(ack.topic, ack.payload)
            task = asyncio.ensure_future(said)
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        late_s = STORED_LATE_S if message.topic.endswith(Topic.UP_EVENTS) else 0.0
        asyncio.get_running_loop().call_later(late_s, take, self, message)

    _forget_what_is_acknowledged()
    _set(uplink.Ingest, "on_message", acknowledge_and_take_later)


def pretend_recovered() -> None:
    """Let the session server say that a client has missed nothing, whatever it has missed."""
    decide = resume.decide

    def pretended(
        named: Position | None,
        head: Position,
        missed: Sequence[PublicEvent] | None,
        replay_max: int,
    ) -> resume.Resumption:
        found = decide(named, head, missed, replay_max)
        if named is None:
            return found
        return replace(found, outcome=resume.Outcome.UP_TO_DATE, floor=head, replay=())

    _set(replays, "decide", pretended)


def _acknowledgement_of(topic: str, payload: bytes) -> mqtt.Message | None:
    """Return what acknowledges a whole batch of entries; None for anything else and an empty one."""
    if not topic.endswith(Topic.UP_EVENTS):
        return None
    batch: dict[str, list[dict[str, object]]] = json.loads(payload)
    if not batch["entries"]:
        return None
    last = batch["entries"][-1]
    ack = {"epoch": last["epoch"], "offset": last["offset"], "word": batch.get("word")}
    to = topic.removesuffix(Topic.UP_EVENTS) + Topic.DOWN_ACK
    return mqtt.Message(to, json.dumps(ack).encode(), retained=False)


def _forget_what_is_acknowledged() -> None:
    """Let nothing that was acknowledged go up again, as if the journal no longer had it.

    It has: residents who come back need it. That an edge can go back with it heals much.
    """
    store = room_store.RoomStore
    for name in ("entries_after", "lines_after"):
        if (read := getattr(store, name, None)) is not None:
            _set(store, name, _unacknowledged(read))
    whole = desk.LinkedRoom.up_snapshot

    def whole_from_there(
        self: desk.LinkedRoom, reason: SnapshotReason, after: Offset
    ) -> UpSnapshot:
        return whole(self, reason, max(after, self._store.room.acked))

    _set(desk.LinkedRoom, "up_snapshot", whole_from_there)


def _unacknowledged(read: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    async def unacknowledged(self: room_store.RoomStore, offset: Offset, *limits: int) -> object:
        return None if offset < self.acked else await read(self, offset, *limits)

    return unacknowledged


def _set(owner: object, name: str, value: object) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"{owner} has no {name} any more: this twin changes nothing")
    setattr(owner, name, value)


TWINS: Final[dict[str, Callable[[], None]]] = {
    twin.__name__: twin for twin in (forget_at_puback, acknowledge_before_commit, pretend_recovered)
}
"""What each twin changes, by name."""
CREDULOUS: Final = frozenset({pretend_recovered.__name__})
"""Twins with pages that look for no gap: those that do look are told of one and take a snapshot."""


if __name__ == "__main__":
    TWINS[sys.argv.pop(1)]()
    cli.main()
