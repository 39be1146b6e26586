"""Keeps each room's newest roster at the broker: who may come in there, cloud or no cloud."""

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

    @override
    async def rooms(self) -> Sequence[RoomKey]:
        return await self._rosters.rooms()

    @override
    async def document(self, room: RoomKey) -> bytes:
        roster = await self._rosters.current(room, self._clock.real_now())
        return roster.model_dump_json().encode()
