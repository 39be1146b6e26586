"""An event loop in which time passes only when a test says so, and then without waiting."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Final, TypeVar

from typing_extensions import TypeVarTuple, Unpack, override

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

ROUNDS_MAX: Final = 20_000
"""Rounds of the loop at one moment. The busiest moment of a sound course takes some hundreds; a task that
tries again without a pause never ends."""
ROUNDS_WATCHED: Final = 1_000
"""Of those the last ones, in which it is noted who runs."""


class SpinsError(AssertionError):
    """Something goes round and round, and time never passes: on a computer it would take a whole core."""


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
        self._loop.went_round()
        return []

    @override
    def close(self) -> None:
        self._inner.close()

    @override
    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return self._inner.get_map()


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Callbacks run as in any loop; timers fire while ``advance`` moves time over them.

    No file or socket may be waited for: what the programs wait for is made of callbacks. What they give to a
    thread is one of them, else simulated time would pass it by, more or less often.
    """

    def __init__(self) -> None:
        self._now_s = 1_000.0
        self._until_s = self._now_s
        # The base class's own; its stubs do not show them.
        self._ready: deque[asyncio.Handle]
        self._clock_resolution: float
        self._rounds = 0
        """Rounds at this moment."""
        self._ran: Counter[str] = Counter()
        """Who ran in the last of them."""
        super().__init__(_NeverBlocks(self))
        self._set(self._now_s)

    @override
    def time(self) -> float:
        return self._now_s

    @override
    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self.create_future()

        def carry_out() -> None:
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001 -- raised where it is waited for
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)

        self.call_soon(carry_out)
        return future

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
        self._rounds = 0
        self._ran.clear()
        if timeout is None or next_s > self._until_s:
            self._set(self._until_s)
            self.stop()
        else:
            self._set(next_s)

    def _set(self, now_s: float) -> None:
        """Let it be ``now_s``. No timer fires early: who looks at the time would find that it is not due.

        A real loop calls up to a nanosecond early, and by the second look that has passed.
        """
        self._now_s = now_s
        self._clock_resolution = math.ulp(now_s)

    def went_round(self) -> None:
        """Count a round of the loop.

        Raises:
            SpinsError: there were too many since time passed last; names the tasks that run.

        """
        self._rounds += 1
        if self._rounds > ROUNDS_MAX - ROUNDS_WATCHED:
            self._ran.update(self._ready_tasks())
        if self._rounds > ROUNDS_MAX:
            busiest = ", ".join(f"{name} ({count})" for name, count in self._ran.most_common(5))
            self._rounds = 0
            self._ran.clear()
            raise SpinsError(
                f"{ROUNDS_MAX} rounds of the loop at {self._now_s:.3f} s, and time does not pass; in the "
                f"last {ROUNDS_WATCHED} ran: {busiest}"
            )

    def _ready_tasks(self) -> Iterator[str]:
        for handle in self._ready:
            task = getattr(getattr(handle, "_callback", None), "__self__", None)
            if isinstance(task, asyncio.Task):
                yield _where(task)


def _where(task: asyncio.Task[object]) -> str:
    """Say which functions a task is in, the outermost first, and the line where it waits."""
    names: list[str] = []
    step: object = task.get_coro()
    while (frame := getattr(step, "cr_frame", None)) is not None:
        names.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
        step = getattr(step, "cr_await", None)
    return " > ".join(names)
