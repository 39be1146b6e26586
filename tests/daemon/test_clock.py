from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from laundryd.daemon.clock import Clock
from laundryd.wire.times import whole_milliseconds


def test_room_time_is_real_time_in_production() -> None:
    clock = Clock()
    assert abs(clock.now() - clock.real_now()) < timedelta(milliseconds=50)
    assert clock.now().tzinfo is UTC
    assert clock.now().microsecond % 1_000 == 0


def test_two_programs_with_the_same_numbers_agree() -> None:
    epoch_s = time.time() - 10
    one, other = Clock(60, epoch_s), Clock(60, epoch_s)
    assert abs(one.now() - other.now()) < timedelta(seconds=3)
    ahead = one.now() - one.real_now()
    assert timedelta(seconds=580) < ahead < timedelta(seconds=620)
    assert abs(one.real_now().timestamp() - time.time()) < 1, "real time stays real"


async def test_a_sleeper_never_wakes_early() -> None:
    clock = Clock(100)
    moment = clock.now() + timedelta(seconds=10)
    began_s = clock.monotonic_s()
    await clock.sleep_until(moment)
    assert clock.now() >= moment
    assert clock.monotonic_s() - began_s < 5
    await clock.sleep_until(moment)  # it is past


async def test_a_sleep_can_be_cancelled() -> None:
    clock = Clock()
    task = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(days=1)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@given(st.integers(0, 4_000_000_000_000_000))
def test_the_time_is_cut_to_the_precision_of_the_wire(unix_us: int) -> None:
    class At(Clock):
        @override
        def _real_s(self) -> float:
            return unix_us / 1_000_000

    exact = datetime.fromtimestamp(unix_us / 1_000_000, UTC)
    assert At().real_now() == whole_milliseconds(exact)
