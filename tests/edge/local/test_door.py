"""Vouchers at a room whose clock is not the relay's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from edge.link.roster import RosterKeeper
from edge.local.door import LocalDoor
from edge.local.own_key import OwnKey
from edge.store.edge_store import EdgeStore
from laundryd.daemon.clock import Clock
from laundryd.daemon.tokens import SigningKey, TokenRefusedError, sign_token
from laundryd.wire.uplink import Roster
from tests.edge.running import ROOM

RELAY_NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
LIFE = timedelta(days=30)
HOUR = timedelta(hours=1)


class RoomsClock(Clock):
    """``ahead`` of the relay's."""

    def __init__(self, ahead: timedelta) -> None:
        super().__init__()
        self.ahead, self.passed = ahead, timedelta()

    @override
    def real_now(self) -> datetime:
        return RELAY_NOW + self.passed + self.ahead


@asynccontextmanager
async def door_at(
    folder: Path, clock: RoomsClock, *, measured: bool
) -> AsyncIterator[tuple[LocalDoor, Callable[[], str]]]:
    """Open the door of a room; beside it comes who makes vouchers for it now, by the relay's clock."""
    own_key = OwnKey.take_up(folder / "key.pem")
    relay_key = SigningKey.generate()
    roster = RosterKeeper(
        enrolment_key=relay_key.verify_key,
        audience=ROOM.audience,
        current=Roster(
            version=1, audience=ROOM.audience, keys=[relay_key.verify_key], relay_url="https://r"
        ),
        save=_save,
        on_revoked=lambda _: None,
    )
    store = await EdgeStore.open(None)

    def voucher() -> str:
        at = RELAY_NOW + clock.passed
        return sign_token(
            relay_key,
            resident="anna",
            device="d-1",
            audience=ROOM.audience,
            rooms=frozenset({ROOM.key}),
            issued_at=at,
            expires_at=at + LIFE,
        )

    try:
        yield (
            LocalDoor(
                ROOM,
                clock,
                own_key=own_key,
                people=store.people,
                roster=roster,
                relay_ahead=lambda: -clock.ahead if measured else timedelta(),
            ),
            voucher,
        )
    finally:
        await store.close()


async def _save(_: Roster) -> None:
    """Nothing is taken here."""


@pytest.mark.parametrize("measured", [True, False])
@pytest.mark.parametrize("ahead", [-HOUR, timedelta(), HOUR])
async def test_a_fresh_voucher_opens_a_room_whose_clock_is_an_hour_off(
    tmp_path: Path, ahead: timedelta, *, measured: bool
) -> None:
    async with door_at(tmp_path, RoomsClock(ahead), measured=measured) as (door, voucher):
        assert (await door.claims(voucher())).resident == "anna"


@pytest.mark.parametrize("ahead", [-HOUR, timedelta(), HOUR])
async def test_a_voucher_expires_by_the_relays_clock_where_it_was_measured(
    tmp_path: Path, ahead: timedelta
) -> None:
    clock = RoomsClock(ahead)
    async with door_at(tmp_path, clock, measured=True) as (door, voucher):
        token = voucher()
        clock.passed = LIFE - timedelta(seconds=1)
        admission = await door.admit({"authorization": f"Bearer {token}"})
        assert admission.expires_in_s == 1  # type: ignore[union-attr]  # a refusal has none, and fails here
        clock.passed = LIFE
        with pytest.raises(TokenRefusedError, match="expired"):
            await door.claims(token)


async def test_a_clock_more_than_an_hour_behind_is_named_where_nothing_was_measured(
    tmp_path: Path,
) -> None:
    clock = RoomsClock(-HOUR - timedelta(seconds=1))
    async with door_at(tmp_path, clock, measured=False) as (door, voucher):
        with pytest.raises(TokenRefusedError, match="compare the clocks"):
            await door.claims(voucher())
    async with door_at(tmp_path, clock, measured=True) as (door, voucher):
        assert (await door.claims(voucher())).resident == "anna"
