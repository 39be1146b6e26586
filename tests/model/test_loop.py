"""The loop in which time passes only when a test says so, by itself."""

from __future__ import annotations

import asyncio
import contextlib
import math

import pytest

from tests.model.loop import ROUNDS_MAX, SimulatedLoop, SpinsError


async def tries_again_without_a_pause() -> None:
    while True:  # noqa: ASYNC110 -- just what must be found
        await asyncio.sleep(0)


def test_who_goes_round_and_round_while_time_stands_still_is_named() -> None:
    loop = SimulatedLoop()
    task = loop.create_task(tries_again_without_a_pause())
    with pytest.raises(SpinsError, match="tries_again_without_a_pause"):
        loop.advance(1)
    task.cancel()
    loop.advance(0)
    loop.close()


def test_many_rounds_while_time_passes_are_no_spin() -> None:
    async def ticks() -> None:
        for _ in range(ROUNDS_MAX + 1):
            await asyncio.sleep(0.01)

    loop = SimulatedLoop()
    loop.finish(ticks(), within_s=ROUNDS_MAX)
    loop.close()


def test_what_is_given_to_a_thread_is_done_before_time_passes() -> None:
    loop = SimulatedLoop()
    began_s = loop.time()
    assert loop.finish(asyncio.to_thread(lambda: 7)) == 7
    assert loop.time() == began_s
    with pytest.raises(ZeroDivisionError):
        loop.finish(asyncio.to_thread(lambda: 1 // 0))
    loop.close()


def test_no_timer_fires_early() -> None:
    async def waits_until_it_is_due(turns: int) -> int:
        loop, looks = asyncio.get_running_loop(), 0
        due_s = math.nextafter(loop.time(), math.inf)
        for _ in range(turns):
            await asyncio.sleep(0)
        while loop.time() < due_s:
            looks += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due_s):
                    await asyncio.Event().wait()
        return looks

    async def some() -> list[int]:
        # While one of them looks, another one is woken: the loop is never idle.
        return await asyncio.gather(*(waits_until_it_is_due(turns) for turns in range(4)))

    loop = SimulatedLoop()
    assert loop.finish(some()) == [1, 1, 1, 1]
    loop.close()
