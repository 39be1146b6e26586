"""Keeps each room's newest roster at the broker: who may come in there, cloud or no cloud.

One that an edge did not get, or could not keep, is sent again when its next hello names another one: without
it a room that lost its store lets nobody in, and one that was not told of a sign-out goes on letting them in.
"""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from cloud_relay.broker_link import BrokerLink
from cloud_relay.residents.roster import Rosters
from cloud_relay.retained import RetainedDocuments
from laundryd.daemon.clock import Clock
from laundryd.wire.ids import RoomKey
from laundryd.wire.topics import Topic


class RosterPublisher(RetainedDocuments):
    """Publishes ``down/roster``."""

    def __init__(self, rosters: Rosters, link: BrokerLink, clock: Clock) -> None:
        super().__init__(link, Topic.DOWN_ROSTER)
        self._rosters = rosters
        self._clock = clock
        self._known: dict[RoomKey, int] = {}
        """The highest versions that rooms said they have."""

    async def heard(self, room: RoomKey, version: int | None) -> None:
        """Take note which roster the room's edge has; another one than the newest is sent again soon."""
        if version == await self._rosters.version(room):
            return
        self._known[room] = max(self._known.get(room, 0), version or 0)
        self.missing(room)

    @override
    async def rooms(self) -> Sequence[RoomKey]:
        return await self._rosters.rooms()

    @override
    async def document(self, room: RoomKey) -> bytes:
        known = self._known.get(room, 0)
        roster = await self._rosters.current(room, self._clock.real_now(), known=known)
        return roster.model_dump_json().encode()
