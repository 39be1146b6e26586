"""What a set clock does to the relay: every deadline that is kept moves with it, in one commit.

So a push that was due in five seconds is still due in five seconds, and a notice is useful as long as it
was. Between two looks the relay's time goes on steadily, whatever the computer's clock shows
(``laundryd.daemon.clock.SteadyClock``). A clock that is set while the relay is off is noticed at its start,
unless the computer was started anew in between: then it is believed.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NoReturn

import aiosqlite

from cloud_relay import kept_clock
from cloud_relay.notify import outages
from cloud_relay.notify import store as notices
from cloud_relay.notify.edge_gone import EdgeWatch
from cloud_relay.notify.planner import Planner
from cloud_relay.push import store as pushes
from cloud_relay.push.queue import PushQueue
from cloud_relay.rooms.rooms import Rooms
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 5.0
"""Real seconds between two looks at the clock: until then the relay's time is the one from before."""
KEEP_EVERY_S: Final = 3_600.0
"""Real seconds after which the clock's stand is kept although it was not set: what a time server slewed since
then would be taken for a clock that was set."""


async def take_up(db: aiosqlite.Connection, clock: Clock) -> None:
    """Begin ``clock`` where the last life left it, and move everything if it was set meanwhile.

    Call it before anything asks for the time.
    """
    shift = await kept_clock.begin(db, clock)
    if shift:
        log.warning("the computer's clock was set while we were off: deadlines move by %s", shift)
    async with transaction(db):
        await _move(db, shift, clock)
        if (anchor := clock.anchor()) is not None:
            await kept_clock.keep(db, anchor)


async def _move(db: aiosqlite.Connection, shift: timedelta, clock: Clock) -> timedelta:
    """Move all that is kept by ``shift`` (room time), in the caller's transaction; return it in real time."""
    real = timedelta(milliseconds=round(shift / timedelta(milliseconds=1) / clock.speed))
    if shift:
        await notices.move(db, room_time=shift, real_time=real)
        await pushes.move(db, real)
        await outages.move(db, shift)
    return real


class ClockWatch:
    """Looks whether the computer's clock was set; ``run`` it as a task.

    ``on_set`` is called after everything moved: who measured another clock by ours measures again.
    """

    def __init__(
        self,
        db: aiosqlite.Connection,
        clock: Clock,
        *,
        rooms: Rooms,
        planner: Planner,
        queue: PushQueue,
        edge_watch: EdgeWatch,
        on_set: Callable[[], None],
    ) -> None:
        self._db, self._clock = db, clock
        self._rooms, self._planner, self._edge_watch = rooms, planner, edge_watch
        self._queue = queue
        self._on_set = on_set
        self._kept_s = clock.monotonic_s()

    async def run(self) -> NoReturn:
        """Look for ever. Safe to cancel: the deadlines moved, or they did not."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except sqlite3.Error:
                log.exception(
                    "the clock was set, and deadlines cannot be moved yet: going on without it"
                )

    async def look(self) -> None:
        """Move everything when the clock was set, and follow it."""
        jump = self._clock.look()
        if jump is None:
            await self._keep()
            return
        async with transaction(self._db) as db:
            real = await _move(db, jump.shift, self._clock)
            await kept_clock.keep(db, jump.anchor)
        # No await from here on: nobody sees the new time with an old deadline.
        self._clock.follow(jump)
        self._rooms.clock_set(jump.shift)
        self._edge_watch.clock_set(jump.shift)
        self._planner.clock_set(real)
        self._queue.clock_set(jump.shift, real)
        self._on_set()

    async def _keep(self) -> None:
        anchor, now_s = self._clock.anchor(), self._clock.monotonic_s()
        if anchor is None or now_s - self._kept_s < KEEP_EVERY_S:
            return
        async with transaction(self._db) as db:
            await kept_clock.keep(db, anchor)
        self._kept_s = now_s
