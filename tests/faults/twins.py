"""Programs with one promise taken out, to show that the fault runs see the loss that it prevents.

``python -m tests.faults.twins NAME edge run ...`` is ``laundryd edge run ...``, changed in this process. The
product has no switch for any of this.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from typing_extensions import override

from cloud_relay.ingest import handlers, order
from edge.store import room_store
from edge.store.shelf import Shelf
from laundryd import cli
from laundryd.daemon import mqtt
from laundryd.live import resume, welcoming
from laundryd.wire.events import Entry, PublicEvent
from laundryd.wire.ids import Offset, Position, RoomKey
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import UpEvents

COMMIT_LATE_S: Final = 1.0
"""Between the acknowledgement and the commit that should have come first: a slow disk's worth."""


def forget_at_puback() -> None:
    """Let the edge forget an entry when the broker has it, as if a PUBACK were durability."""
    stores: list[room_store.RoomStore] = []
    load, publish = room_store.RoomStore.load, mqtt.MqttLink.publish

    async def load_and_keep(shelf: Shelf) -> room_store.RoomStore:
        store = await load(shelf)
        stores.append(store)
        return store

    async def publish_and_forget(
        self: mqtt.MqttLink, topic: str, payload: bytes, *, retain: bool = False
    ) -> bool:
        is_sent = await publish(self, topic, payload, retain=retain)
        if is_sent and topic.endswith(Topic.UP_EVENTS):
            for entry in UpEvents.model_validate_json(payload).entries[-1:]:
                for store in stores:
                    await store.acknowledge(entry.epoch, entry.offset)
        return is_sent

    _forget_what_is_acknowledged()
    _set(room_store.RoomStore, "load", load_and_keep)
    _set(mqtt.MqttLink, "publish", publish_and_forget)


def acknowledge_before_commit() -> None:
    """Let the relay acknowledge what it has not stored yet, to an edge that takes it at its word."""

    class Hasty(handlers.Handlers):
        """Answers first, stores later."""

        @override
        async def events(self, room: RoomKey, batch: UpEvents) -> None:
            answer = order.decide(self._rooms.position(room), batch.entries).answer
            if answer is not None:
                await self._say(room, Topic.DOWN_ACK, answer)
                await asyncio.sleep(COMMIT_LATE_S)
            await super().events(room, batch)

    from cloud_relay import app  # noqa: PLC0415 -- a twin of the edge needs no relay

    _forget_what_is_acknowledged()
    _set(app, "Handlers", Hasty)


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

    _set(welcoming, "decide", pretended)


def _forget_what_is_acknowledged() -> None:
    """Let nothing that was acknowledged go up again, as if the journal no longer had it.

    It has: residents who come back need it. That an edge can go back with it heals much.
    """
    entries_after = room_store.RoomStore.entries_after

    async def unacknowledged_after(
        self: room_store.RoomStore, offset: Offset, limit: int
    ) -> list[Entry] | None:
        return None if offset < self.acked else await entries_after(self, offset, limit)

    _set(room_store.RoomStore, "entries_after", unacknowledged_after)


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
