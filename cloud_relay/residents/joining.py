"""Letting people in: with a room's join code, or with a code shown on a device of theirs."""

from __future__ import annotations

from datetime import datetime

import aiosqlite

from cloud_relay.residents.join_codes import JoinCodes
from cloud_relay.residents.link_codes import LinkCodes
from cloud_relay.residents.people import People, Person
from laundryd.daemon.sqlite import transaction
from laundryd.wire.bodies import LinkBody
from laundryd.wire.notices import Lang


class Joining:
    """Joins and links, each in one transaction: a code is used exactly when somebody was let in."""

    def __init__(
        self, db: aiosqlite.Connection, people: People, join_codes: JoinCodes, link_codes: LinkCodes
    ) -> None:
        self._db = db
        self._people = people
        self._join_codes = join_codes
        self._link_codes = link_codes

    async def join(
        self,
        code: str,
        *,
        known: Person | None,
        device_name: str,
        lang: Lang,
        address: str,
        at: datetime,
        now_s: float,
    ) -> Person:
        """Let somebody into the room of ``code``; ``known`` joins one more room as who they are.

        Joining a room again uses nothing up. ``address`` is the client's; ``at`` is real time, ``now_s``
        a clock that only grows.

        Raises:
            ProblemError: ``rate_limited``, ``join_code_invalid``, ``join_code_spent``.

        """
        self._join_codes.count_try(address, now_s)
        async with transaction(self._db):
            room = await self._join_codes.room_of_in(code, at)
            if known is not None and room in known.rooms:
                return known
            await self._join_codes.spend_in(room, now_s)
            if known is None:
                resident = await self._people.add_resident_in(lang, at)
                device = await self._people.add_device_in(resident, device_name, at)
            else:
                resident, device = known.resident, known.device
            await self._people.add_room_in(resident, room, at)
        before = known.rooms if known is not None else frozenset[str]()
        return Person(resident, device, before | {room})

    async def link(self, body: LinkBody, *, address: str, at: datetime, now_s: float) -> Person:
        """Add a device to the resident who made the code.

        Raises:
            ProblemError: ``rate_limited``, ``link_code_invalid``.

        """
        self._join_codes.count_try(address, now_s)
        async with transaction(self._db):
            resident = await self._link_codes.redeem_in(body.code, at)
            device = await self._people.add_device_in(resident, body.device_name, at)
        return Person(resident, device, await self._people.rooms(resident))
