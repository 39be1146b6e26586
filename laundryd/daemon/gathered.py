"""Look-ups that come at the same time are made together: one query for a house that comes back at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")

TOGETHER_MAX: Final = 500
"""Keys of one look-up: a query of some milliseconds, so that others have their turn."""


class Gathered(Generic[Key, Found]):
    """Gathers keys while a look-up is under way, and until the next turn of the loop when none is.

    ``look_up`` gets each key once and returns what it found; what it leaves out is ``missing``. A look-up
    begins after the question, so nobody gets an answer that is older than their asking.
    """

    def __init__(
        self, look_up: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Found]]], missing: Found
    ) -> None:
        self._look_up = look_up
        self._missing = missing
        self._asked: dict[Key, asyncio.Future[Found]] = {}
        self._task: asyncio.Task[None] | None = None

    async def of(self, key: Key) -> Found:
        """Return what there is for ``key``; raises what the look-up raised."""
        future = self._asked.get(key)
        if future is None:
            future = self._asked[key] = asyncio.get_running_loop().create_future()
            if self._task is None:
                self._task = asyncio.create_task(self._run(), name="gathered look-ups")
        # Several may wait for it: one who gives up does not end it for the others.
        return await asyncio.shield(future)

    async def _run(self) -> None:
        try:
            while self._asked:
                keys = list(self._asked)[:TOGETHER_MAX]
                await self._answer({key: self._asked.pop(key) for key in keys})
        finally:
            self._task = None

    async def _answer(self, futures: Mapping[Key, asyncio.Future[Found]]) -> None:
        try:
            found = await self._look_up(list(futures))
        except BaseException as error:
            for future in futures.values():
                if isinstance(error, Exception):
                    future.set_exception(error)
                    future.exception()  # whoever asked may have gone: then nobody looks at it
                else:
                    future.cancel()
            if not isinstance(error, Exception):
                raise
        else:
            for key, future in futures.items():
                future.set_result(found.get(key, self._missing))
