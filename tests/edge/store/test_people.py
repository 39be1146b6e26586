from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from edge.store.edge_store import EdgeStore
from edge.store.people import Device, JoinCode, People
from laundryd.wire.notices import Lang
from tests.edge.room.driver import NOON


async def _join(people: People, number: int, digest: str = "d1") -> JoinCode:
    return await people.join(
        digest, f"r{number}", f"v{number}", device_name="Phone", lang=Lang.KO, now=NOON
    )


async def test_a_join_code_lets_in_as_many_as_its_cap_and_no_more(edge_store: EdgeStore) -> None:
    people = edge_store.people
    await people.set_join_code("d1", 2, None)
    assert [await _join(people, number) for number in range(3)] == [
        JoinCode.TAKEN,
        JoinCode.TAKEN,
        JoinCode.SPENT,
    ]
    assert await people.device("v1") == Device("v1", "r1", Lang.KO, revoked=False)
    assert await people.device("v2") is None


async def test_a_wrong_an_old_and_an_expired_join_code_are_invalid(edge_store: EdgeStore) -> None:
    people = edge_store.people
    await people.set_join_code("d0", 5, None)
    await people.set_join_code("d1", 5, NOON)
    assert await _join(people, 1, "wrong") is JoinCode.INVALID
    assert await _join(people, 1, "d0") is JoinCode.INVALID
    assert await _join(people, 1, "d1") is JoinCode.INVALID


async def test_setting_the_same_join_code_again_keeps_its_count(edge_store: EdgeStore) -> None:
    people = edge_store.people
    await people.set_join_code("d1", 1, None)
    await _join(people, 1)
    await people.set_join_code("d1", 1, None)
    assert await _join(people, 2) is JoinCode.SPENT


async def test_a_link_code_links_one_device_once(edge_store: EdgeStore) -> None:
    people = edge_store.people
    await people.set_join_code("d1", 1, None)
    await _join(people, 1)
    await people.add_link_code("link", "r1", NOON + timedelta(minutes=10))
    assert await people.link("link", "v2", device_name="Laptop", now=NOON) == "r1"
    assert await people.link("link", "v3", device_name="Laptop", now=NOON) is None
    assert await people.device("v2") == Device("v2", "r1", Lang.KO, revoked=False)
    assert await people.device("v3") is None


async def test_a_link_code_that_is_too_old_is_refused_and_gone(edge_store: EdgeStore) -> None:
    people = edge_store.people
    await people.set_join_code("d1", 1, None)
    await _join(people, 1)
    await people.add_link_code("link", "r1", NOON)
    assert await people.link("link", "v2", device_name="Laptop", now=NOON) is None


async def test_a_link_code_for_nobody_is_refused(edge_store: EdgeStore) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await edge_store.people.add_link_code("link", "nobody", NOON)


async def test_a_revoked_device_says_so_and_language_is_kept(edge_store: EdgeStore) -> None:
    people = edge_store.people
    await people.set_join_code("d1", 1, None)
    await _join(people, 1)
    await people.set_lang("r1", Lang.EN, NOON)
    await people.revoke("v1", NOON)
    assert await people.device("v1") == Device("v1", "r1", Lang.EN, revoked=True)
