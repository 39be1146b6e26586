"""Keeps each room's newest roster at the broker, retained, so that an edge has it at its next connect.

One that an edge did not get, or could not keep, is sent again when its next hello names another one: without
it a room that lost its store lets nobody in, and one that was not told of a sign-out goes on letting them in.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, NoReturn

from cloud_relay.broker_link import BrokerLink
from cloud_relay.residents.roster import Rosters
from laundryd.daemon.clock import Clock
from laundryd.wire.ids import RoomKey, RoomRef
from laundryd.wire.topics import Topic, topic_name

log = logging.getLogger(__name__)

LOOK_AGAIN_S: Final = 10.0
"""Real seconds after which a room that another process enrolled is seen at the latest."""


class RosterPublisher:
    """Publishes a roster when it is new or asked for, and all at each connect; ``run`` it as a task."""

    def __init__(self, rosters: Rosters, link: BrokerLink, clock: Clock) -> None:
        self._rosters = rosters
        self._link = link
        self._clock = clock
        self._published: dict[RoomKey, str] = {}
        self._known: dict[RoomKey, int] = {}
        """The highest versions that rooms said they have."""
        self._wake = asyncio.Event()

    def changed(self) -> None:
        """Look at all rosters soon: a device was signed out, or a room was added."""
        self._wake.set()

    def connected(self) -> None:
        """Publish all rosters soon: a broker that lost its store has none."""
        self._published.clear()
        self._wake.set()

    async def heard(self, room: RoomKey, version: int | None) -> None:
        """Take note which roster the room's edge has; another one than the newest is sent again soon."""
        if version == await self._rosters.version(room):
            return
        self._known[room] = max(self._known.get(room, 0), version or 0)
        self._published.pop(room, None)
        self._wake.set()

    async def run(self, beat: Callable[[], None] = lambda: None) -> NoReturn:
        """Publish what is new, for ever; ``beat`` is called at each step."""
        while True:
            beat()
            self._wake.clear()
            if self._link.connected:
                await self.publish_new(beat)
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def publish_new(self, beat: Callable[[], None] = lambda: None) -> int:
        """Publish the rosters that are not at the broker yet; return how many.

        ``beat`` is called for each room: at a broker that hangs each publish takes its full timeout.
        """
        count = 0
        for room in await self._rosters.rooms():
            beat()
            known = self._known.get(room, 0)
            roster = await self._rosters.current(room, self._clock.real_now(), known=known)
            if self._published.get(room) == roster.jws:
                continue
            topic = topic_name(RoomRef.from_key(room), Topic.DOWN_ROSTER)
            if await self._link.publish(topic, roster.model_dump_json().encode(), retain=True):
                self._published[room] = roster.jws
                count += 1
                log.info("roster published", extra={"room": room})
        return count
