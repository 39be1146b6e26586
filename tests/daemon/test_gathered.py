from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from laundryd.daemon.gathered import TOGETHER_MAX, Gathered


class Shelf:
    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.trouble: Exception | None = None
        self.factor = 10

    async def look_up(self, keys: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(list(keys))
        factor = self.factor
        await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        return {key: key * factor for key in keys if key >= 0}


async def test_who_asks_at_once_is_answered_by_one_look_up() -> None:
    shelf = Shelf()
    gathered = Gathered(shelf.look_up, missing=0)
    assert await asyncio.gather(*map(gathered.of, (1, 2, 2, -1))) == [10, 20, 20, 0]
    assert shelf.asked == [[1, 2, -1]]


async def test_what_is_asked_meanwhile_is_looked_up_after_the_question() -> None:
    shelf = Shelf()
    gathered = Gathered(shelf.look_up, missing=0)
    shelf.gate.clear()
    early = asyncio.create_task(gathered.of(1))
    while not shelf.asked:  # noqa: ASYNC110 -- until the look-up is under way
        await asyncio.sleep(0)
    late = asyncio.create_task(gathered.of(1))
    await asyncio.sleep(0)
    shelf.factor = 100
    shelf.gate.set()
    assert (await early, await late) == (10, 100)


async def test_a_large_crowd_is_served_in_parts() -> None:
    shelf = Shelf()
    gathered = Gathered(shelf.look_up, missing=0)
    keys = range(2 * TOGETHER_MAX + 1)
    assert await asyncio.gather(*map(gathered.of, keys)) == [key * 10 for key in keys]
    assert [len(keys) for keys in shelf.asked] == [TOGETHER_MAX, TOGETHER_MAX, 1]


async def test_a_failure_is_told_to_all_who_asked_and_to_nobody_else() -> None:
    shelf = Shelf()
    gathered = Gathered(shelf.look_up, missing=0)
    shelf.trouble = OSError("the disk is gone")
    both = await asyncio.gather(gathered.of(1), gathered.of(2), return_exceptions=True)
    assert [str(error) for error in both] == ["the disk is gone"] * 2
    shelf.trouble = None
    assert await gathered.of(1) == 10


async def test_who_gives_up_does_not_take_the_answer_from_others() -> None:
    shelf = Shelf()
    gathered = Gathered(shelf.look_up, missing=0)
    shelf.gate.clear()
    one, other = (asyncio.create_task(gathered.of(1)) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    shelf.gate.set()
    assert await other == 10
