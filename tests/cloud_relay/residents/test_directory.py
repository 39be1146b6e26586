from __future__ import annotations

from datetime import timedelta

import aiosqlite
import pytest

from cloud_relay.push.endpoints import PushHosts
from cloud_relay.residents.directory import Directory
from cloud_relay.residents.people import People
from cloud_relay.residents.subscriptions import SubscriptionStore
from laundryd.daemon.sqlite import transaction
from laundryd.wire.notices import Lang
from tests.cloud_relay.residents.test_subscriptions import NOW, body

NORTH, SOUTH = "maple-hall.north", "maple-hall.south"
LATER = NOW + timedelta(hours=1)


class House:
    """Anna joined both rooms with two devices, one with a bell; Ben joined one, later."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self.directory = Directory(db)
        self._db, self._people = db, People(db)
        self._subscriptions = SubscriptionStore(db, PushHosts())
        self.anna = self.ben = ""

    async def move_in(self) -> None:
        people = self._people
        async with transaction(self._db):
            self.anna = await people.add_resident_in(Lang.KO, NOW)
            phone = await people.add_device_in(self.anna, "Chrome on Android", NOW)
            await people.add_device_in(self.anna, "100% mine_", LATER)
            for room in (SOUTH, NORTH):
                await people.add_room_in(self.anna, room, NOW)
            self.ben = await people.add_resident_in(Lang.EN, LATER)
            await people.add_device_in(self.ben, "Safari on iPhone", LATER)
            await people.add_room_in(self.ben, NORTH, LATER)
        await self._subscriptions.put(phone, body("phone"), NOW)

    async def found(self, sought: str = "", room: str | None = None, limit: int = 9) -> list[str]:
        return [one.resident for one in await self.directory.find(sought, room, limit)]


@pytest.fixture
async def house(relay_db: aiosqlite.Connection) -> House:
    house = House(relay_db)
    await house.move_in()
    return house


async def test_who_joined_last_comes_first_and_each_has_what_they_would_say_of_themselves(
    house: House,
) -> None:
    ben, anna = await house.directory.find("", None, 9)
    assert (ben.resident, ben.rooms, ben.devices) == (house.ben, [NORTH], ["Safari on iPhone"])
    assert (ben.bells, ben.joined_at) == (0, LATER)
    assert (anna.rooms, anna.devices) == ([NORTH, SOUTH], ["Chrome on Android", "100% mine_"])
    assert (anna.bells, anna.joined_at) == (1, NOW)
    assert await house.found(limit=1) == [house.ben]


async def test_a_number_is_found_by_its_beginning_whatever_its_capitals(house: House) -> None:
    for sought in (house.anna, house.anna[:5].swapcase(), f" {house.anna[:4]} "):
        assert await house.found(sought) == [house.anna]
    assert await house.found(house.anna[1:]) == [], "a number is read from its beginning"


async def test_a_device_is_found_by_a_part_of_its_name(house: House) -> None:
    assert await house.found("iphone") == [house.ben]
    assert await house.found(" on ") == [house.ben, house.anna]


@pytest.mark.parametrize("sought", ["100%", "mine_", "100% m"])
async def test_what_is_sought_is_text_and_no_pattern(house: House, sought: str) -> None:
    assert await house.found(sought) == [house.anna]


@pytest.mark.parametrize("sought", ["%%", "_______", "\\", "'; --"])
async def test_a_pattern_finds_nobody(house: House, sought: str) -> None:
    assert await house.found(sought) == []


async def test_a_room_narrows_it(house: House) -> None:
    assert await house.found(room=NORTH) == [house.ben, house.anna]
    assert await house.found(room=SOUTH) == [house.anna]
    assert await house.found("safari", SOUTH) == []
    assert await house.found(room="maple-hall.nowhere") == []
