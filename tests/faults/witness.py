"""A live client that writes down what it was given, in order, and keeps the room's state from it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Final

import aiohttp

from laundryd.demo.errors import RefusedError
from laundryd.demo.web import Web
from laundryd.live.client import LiveClient
from laundryd.live.errors import LiveTimeoutError
from laundryd.live.follow import Step, step
from laundryd.wire import frames
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import NoticeId, Position, RoomKey, Slug
from laundryd.wire.machines import MachineView, RoomSnapshot
from laundryd.wire.phases import Cause
from tests.faults.judge import Item, Saw, Snapshot, Told

LISTEN_S: Final = 3_600.0
TOUCH_EVERY_S: Final = 30.0
"""A page is looked at when it was touched within two minutes."""
ASK_AGAIN_S: Final = 0.3
DROPPED_EVERY_S: Final = (0.5, 3.0)
"""Between two losses of the connection of a client with bad luck, real seconds."""


class Witness:
    """One page of ``resident``, open at ``web``; ``run`` it. It acknowledges the notices that it shows.

    ``credulous``: it does not look whether an event follows what it has, and believes the server's word.
    """

    def __init__(
        self, name: str, resident: str, web: Web, room: RoomKey, *, credulous: bool = False
    ) -> None:
        self.name = name
        self.resident = resident
        self.items: list[Item] = []
        self.machines: dict[Slug, tuple[Position, MachineView]] = {}
        self.at: Position | None = None
        self.shown: set[NoticeId] = set()
        self.ends: list[PublicEvent] = []
        """Washes that ended before its eyes."""
        self.client = LiveClient(web.live_url, web.token or "", rooms=[room])
        self._credulous = credulous
        self._web = web
        self._room = room
        self._must_reach: Position | None = None
        self._is_told = asyncio.Event()
        self._given: set[Position] = set()

    @property
    def waits_for_snapshot(self) -> bool:
        """Whether it was told to take a snapshot and has not got one yet."""
        return self._is_told.is_set()

    @property
    def views(self) -> dict[Slug, MachineView]:
        """The room as it shows it now."""
        return {machine: view for machine, (_, view) in self.machines.items()}

    async def run(self) -> None:
        """Listen until cancelled."""
        async with self.client, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_snapshots())
            tasks.create_task(self._touch())
            while True:
                with contextlib.suppress(LiveTimeoutError):
                    await self._take((await self.client.next_any(LISTEN_S)).item)

    async def lose_connections(self, chance: random.Random) -> None:
        """Lose the connection again and again until cancelled."""
        while True:
            await asyncio.sleep(chance.uniform(*DROPPED_EVERY_S))
            self.client.drop()

    async def _take(self, frame: frames.ServerFrame) -> None:
        match frame:
            case frames.Welcome():
                resume = frame.rooms.get(self._room)
                if resume is not None and not resume.recovered:
                    self._tell(Position(epoch=resume.epoch, offset=resume.offset))
                    self.at = self._must_reach
            case frames.Batch():
                for event in frame.events:
                    self._event(event)
            case frames.NoticeFrame():
                if (
                    not frame.told
                ):  # by a push: it stands in the list, and is told by it no second time
                    self.shown.add(frame.id)
                with contextlib.suppress(LiveTimeoutError, OSError):
                    await self.client.ack([frame.id])
            case _:
                pass

    def _event(self, event: PublicEvent) -> None:
        position = Position(epoch=event.epoch, offset=event.offset)
        match self._step(event):
            case Step.DUPLICATE:
                # One that a snapshot already held is none: it comes for the first time.
                if position in self._given:
                    self.items.append(Saw(position))
                return
            case Step.GAP:
                # The snapshot will hold it, or it is the relay's mark that the room was replaced.
                self._tell(position)
            case Step.APPLY:
                self.items.append(Saw(position))
                self._given.add(position)
                self._note_end(event)
        self.at = position
        self.machines[event.machine.machine] = (position, event.machine)

    def _step(self, event: PublicEvent) -> Step:
        found = step(self.at, event)
        is_same_epoch = self.at is not None and self.at.epoch == event.epoch
        believes = self._credulous and found is Step.GAP and is_same_epoch
        return Step.APPLY if believes else found

    def _note_end(self, event: PublicEvent) -> None:
        if event.cause is Cause.FINISHED and event.machine.has_owner:
            self.ends.append(event)

    def _tell(self, must_reach: Position) -> None:
        self.items.append(Told(must_reach))
        self._given = {one for one in self._given if not _is_after(one, must_reach)}
        self._must_reach = must_reach
        self._is_told.set()

    async def _take_snapshots(self) -> None:
        while True:
            await self._is_told.wait()
            with contextlib.suppress(RefusedError, aiohttp.ClientError, TimeoutError):
                self._snapshot(await self._web.get(f"/rooms/{self._room}", RoomSnapshot))
            if self._is_told.is_set():
                await asyncio.sleep(ASK_AGAIN_S)

    def _snapshot(self, found: RoomSnapshot) -> None:
        reach, position = self._must_reach, found.position
        if reach is None or position.epoch != reach.epoch or position.offset < reach.offset:
            return  # from before what we were told: ask again
        self._is_told.clear()
        self.items.append(Snapshot(position))
        for view in found.machines:
            known = self.machines.get(view.machine)
            if known is None or not _is_after(known[0], position):
                self.machines[view.machine] = (position, view)
        if self.at is None or not _is_after(self.at, position):
            self.at = position
            self.client.snapshot_taken(self._room, position)
        else:
            self.client.needs_snapshot.discard(self._room)

    async def _touch(self) -> None:
        while True:
            await asyncio.sleep(TOUCH_EVERY_S)
            with contextlib.suppress(LiveTimeoutError, OSError):
                await self.client.attention(visible=True)


def _is_after(one: Position, other: Position) -> bool:
    return one.epoch == other.epoch and one.offset > other.offset
