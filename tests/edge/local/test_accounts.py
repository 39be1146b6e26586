"""How often a code may be tried at the room's own page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge.local import accounts as accounts_module
from edge.local.accounts import TRIES, Accounts
from edge.local.door import LocalDoor
from edge.local.own_key import OwnKey
from edge.settings import HttpSettings
from edge.store.edge_store import EdgeStore
from laundryd.daemon import codes
from laundryd.daemon.clock import Clock
from laundryd.daemon.problems import ProblemError
from laundryd.live.address import caller_address
from laundryd.wire.bodies import JoinBody, LinkBody
from laundryd.wire.errors import ErrorCode
from tests.edge.running import ROOM

CODE, PROXY = "ABCD-EFGH", "192.0.2.1"


@asynccontextmanager
async def accounts_in(folder: Path) -> AsyncIterator[Accounts]:
    store, own_key, clock = await EdgeStore.open(None), OwnKey.take_up(folder / "key.pem"), Clock()
    await store.people.set_join_code(codes.digest(CODE), 500, None)
    door = LocalDoor(ROOM, clock, own_key=own_key, people=store.people, roster=None)
    try:
        yield Accounts(ROOM, clock, door=door, people=store.people, own_key=own_key, relay_url=None)
    finally:
        await store.close()


async def refused(accounts: Accounts, code: str, address: str = PROXY) -> ErrorCode:
    with pytest.raises(ProblemError) as caught:
        await accounts.join(JoinBody(code=code), address)
    return caught.value.code


async def test_a_whole_house_behind_one_address_joins(tmp_path: Path) -> None:
    async with accounts_in(tmp_path) as accounts:
        for _ in range(3 * TRIES):
            entrance = await accounts.join(JoinBody(code=CODE), PROXY)
        for _ in range(3 * TRIES):
            link = await accounts.link_code(entrance.resident)
            await accounts.link(LinkBody(code=link.code), PROXY)


async def test_wrong_codes_count_by_address(tmp_path: Path) -> None:
    async with accounts_in(tmp_path) as accounts:
        for number in range(TRIES):
            assert await refused(accounts, f"WRNG-{number:04}") is ErrorCode.JOIN_CODE_INVALID
        assert await refused(accounts, CODE) is ErrorCode.RATE_LIMITED
        await accounts.join(JoinBody(code=CODE), "192.0.2.2")


async def test_a_right_code_lets_in_only_so_many_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts_module, "JOINS", 3)
    async with accounts_in(tmp_path) as accounts:
        for number in range(3):
            await accounts.join(JoinBody(code=CODE), f"192.0.2.{number}")
        assert await refused(accounts, CODE, "192.0.2.9") is ErrorCode.RATE_LIMITED


@pytest.mark.parametrize(
    ("peer", "trusted", "expected"),
    [
        ("127.0.0.1", ["127.0.0.1/32"], "198.51.100.7"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("192.0.2.9", ["127.0.0.1/32"], "192.0.2.9"),
    ],
)
def test_a_trusted_proxy_says_who_tries(peer: str, trusted: list[str], expected: str) -> None:
    http = HttpSettings.model_validate({"trusted_proxies": trusted})
    caller = caller_address(peer, "198.51.100.7", http.trusted_proxies, household_bits=None)
    assert caller == expected
    whole = caller_address("2001:db8::1:2", "", http.trusted_proxies, household_bits=None)
    assert whole == "2001:db8::1:2"
