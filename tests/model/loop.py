"""An event loop in which time passes only when a test says so, and then without waiting."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import override

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

T = TypeVar("T")


class _NeverBlocks(selectors.BaseSelector):
    """A selector that tells the loop when there is nothing left to do at this moment."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._inner = selectors.DefaultSelector()
        self._loop = loop

    @override
    def register(
        self, fileobj: FileDescriptorLike, events: int, data: object = None
    ) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    @override
    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self._loop.idle(timeout)
        return []

    @override
    def close(self) -> None:
        self._inner.close()

    @override
    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return self._inner.get_map()


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Callbacks run as in any loop; timers fire while ``advance`` moves time over them.

    No file, socket or thread may be waited for: what the programs wait for is made of callbacks.
    """

    def __init__(self) -> None:
        self._now_s = 1_000.0
        self._until_s = self._now_s
        super().__init__(_NeverBlocks(self))

    @override
    def time(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass, 0 for none, and everything happen that is due by then."""
        self._until_s = self._now_s + seconds
        self.run_forever()

    def finish(self, work: Coroutine[object, object, T], within_s: float = 30.0) -> T:
        """Run ``work`` to its end, letting time pass as it needs, and return its result.

        Raises:
            TimeoutError: it was not over ``within_s`` later.

        """
        task = self.create_task(work)
        task.add_done_callback(lambda _task: self.stop())
        self._until_s = self._now_s + within_s
        self.run_forever()
        if not task.done():
            task.cancel()
            self.advance(0)
            raise TimeoutError(f"not over within {within_s} simulated seconds: {task}")
        return task.result()

    def idle(self, timeout: float | None) -> None:
        """Nothing is ready: go to the next timer, or stop where ``advance`` ends."""
        next_s = self._until_s if timeout is None else self._now_s + timeout
        if timeout is None or next_s > self._until_s:
            self._now_s = self._until_s
            self.stop()
        else:
            self._now_s = next_s
