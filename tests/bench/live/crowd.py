"""The load: 2,000 clients of one server in one event loop, each no more than a protocol that counts."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Final, cast

from typing_extensions import override

from tests.bench.live.dialects import KEPT_BYTES, Dialect
from tests.bench.live.house import CLIENTS, MARK, ROOM_CLIENTS, ROOMS, events, room_of
from tests.bench.live.servers import Server

PATIENCE_S: Final = 60.0
"""Longer than this nothing takes, on a slow computer either."""
STILL_S: Final = 0.2
STILL_CPU_S: Final = 0.004
"""A server is still when it used less than this in ``STILL_S``: no work is left from before."""


class Link(asyncio.Protocol):
    """One client. ``ending``: the last bytes that came, so that a mark cut in two is found."""

    __slots__ = ("_crowd", "_is_in", "client", "ending", "got", "session", "transport")

    def __init__(self, crowd: Crowd, client: int) -> None:
        self._crowd = crowd
        self._is_in = False
        self.client = client
        self.ending = b""
        self.got = 0
        self.session: str | None = None
        self.transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by their methods, not by inheritance.
        self.transport = cast("asyncio.Transport", transport)
        self._is_in = False
        self.transport.write(self._crowd.dialect.request(self.client))

    @override
    def data_received(self, data: bytes) -> None:
        if not self._is_in:
            self._come_in(data)
            return
        count = (self.ending[1 - len(MARK) :] + data).count(MARK)
        self.ending = data[-KEPT_BYTES:] if len(data) >= KEPT_BYTES else self._last(data)
        if count:
            self.got += count
            self._crowd.came(count)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.lost(self)

    def _last(self, data: bytes) -> bytes:
        return (self.ending + data)[-KEPT_BYTES:]

    def _come_in(self, data: bytes) -> None:
        """Read the handshake's answer and the welcome; Socket.IO sends what was missed before it."""
        dialect, said = self._crowd.dialect, self._crowd.said
        heard = said.pop(self.client, b"") + data
        if b"\r\n\r\n" not in heard:
            said[self.client] = heard
            return
        head, _, rest = heard.partition(b"\r\n\r\n")
        if b" 101 " not in head[:32]:
            raise RuntimeError(f"{self._crowd.server.name}: not let in: {heard!r}")
        if self.client not in self._crowd.greeted and self.transport is not None:
            self._crowd.greeted.add(self.client)
            offset = self._crowd.seen[room_of(self.client).key]
            self.transport.write(dialect.hello(self.client, self.session, self.ending, offset))
        found = dialect.welcome.search(rest)
        if found is None:
            said[self.client] = heard
            return
        self.session = found[1].decode()
        self._is_in = True
        self._crowd.came_in()
        self.ending = b""
        self.data_received(rest)


class Crowd:
    """All clients of one server. ``seen``: the offset up to which each room's clients were told."""

    def __init__(self, server: Server, dialect: Dialect) -> None:
        self.server = server
        self.dialect = dialect
        self.links = [Link(self, client) for client in range(CLIENTS)]
        self.said: dict[int, bytes] = {}
        self.greeted: set[int] = set()
        self.seen: Counter[str] = Counter()
        self.offsets: Counter[str] = Counter()
        self.waits_s: list[float] = []
        """Seconds from the server's being told of an event to each client's having it."""
        self._told_s = 0.0
        self._missing = 0
        self._absent = 0
        self._open = 0
        self._changed = asyncio.Event()
        self._control: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    # -- what links say

    def came(self, count: int) -> None:
        self._missing -= count
        self.waits_s += [time.perf_counter() - self._told_s] * count
        if self._missing <= 0:
            self._changed.set()

    def came_in(self) -> None:
        self._absent -= 1
        if self._absent <= 0:
            self._changed.set()

    def lost(self, link: Link) -> None:
        link.transport = None
        self._open -= 1
        if self._open == 0:
            self._changed.set()

    # -- what the benchmark does

    async def connect(self, first: int, count: int, *, missed: int = 0) -> None:
        """Bring in ``count`` clients at once and wait until each got the ``missed`` events it missed."""
        coming = self.links[first : first + count]
        self.greeted.clear()
        for link in coming:
            link.got = 0
        self._absent, self._missing = count, missed * count
        self._open += count
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*map(self._open_one, coming))
            await self._until(lambda: self._absent <= 0 and self._missing <= 0)
        wrong = [link.client for link in coming if link.got != missed]
        if wrong:
            raise RuntimeError(f"{self.server.name}: {len(wrong)} clients missed or doubled events")

    async def drop(self) -> None:
        """Lose all connections as a network does, without a word."""
        for link in self.links:
            if link.transport is not None:
                link.transport.abort()
        await self._until(lambda: self._open == 0)
        await self.still()

    async def tell(self, rooms: slice, count: int) -> None:
        """Have ``count`` events sent in each of ``rooms`` and wait until all clients have them."""
        chosen = ROOMS[rooms]
        self._missing = len(chosen) * count * ROOM_CLIENTS
        await self._say(rooms, count)
        async with asyncio.timeout(PATIENCE_S):
            await self._until(lambda: self._missing <= 0)
        if self._missing:
            raise RuntimeError(f"{self.server.name}: {-self._missing} deliveries too many")
        for room in chosen:
            self.seen[room.key] = self.offsets[room.key]

    async def miss(self, count: int) -> None:
        """Have ``count`` events happen in each room while nobody is connected."""
        await self._say(slice(None), count)
        await self.still()

    def came_back(self) -> None:
        """Note that everybody knows everything again."""
        self.seen = self.offsets.copy()

    async def still(self) -> None:
        """Wait until the server has nothing left to do."""
        before_s = self.server.cpu_s()
        while True:
            await asyncio.sleep(STILL_S)
            now_s = self.server.cpu_s()
            if now_s - before_s < STILL_CPU_S:
                return
            before_s = now_s

    async def collect_garbage(self) -> None:
        """Have the server's language collect its garbage, so that what is left is in use."""
        reader, writer = await self._controlled()
        writer.write(b"#gc\n")
        await reader.readline()

    def close(self) -> None:
        for link in self.links:
            if link.transport is not None:
                link.transport.abort()
        if self._control is not None:
            self._control[1].close()

    async def _open_one(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: link, "127.0.0.1", self.server.port)

    async def _say(self, rooms: slice, count: int) -> None:
        lines = []
        for room in ROOMS[rooms]:
            lines.append(
                room.key.encode() + b" " + events(room, self.offsets[room.key], count) + b"\n"
            )
            self.offsets[room.key] += count
        _, writer = await self._controlled()
        self._told_s = time.perf_counter()
        writer.writelines(lines)
        await writer.drain()

    async def _controlled(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._control is None:
            self._control = await asyncio.open_connection("127.0.0.1", self.server.control_port)
        return self._control

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()
