"""How many deliveries the session server makes a CPU second, and what a connection costs it in memory.

The reference is a bare ASGI application on the same uvicorn that sends each frame to everybody and does
nothing else: no tokens, no sessions, no resume, no bounds. Both serve the same number of connections and
the same frames, in turn, in the same run; the load comes from this process, over plain sockets.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from laundryd.daemon.clock import Clock
from laundryd.daemon.serve import listen, serve
from laundryd.live.asgi import Receive, Scope, Send
from laundryd.live.door import Admission
from laundryd.live.server import LiveServer
from laundryd.live.settings import LiveSettings
from laundryd.wire import frames
from laundryd.wire.events import AckKind, PublicEvent
from laundryd.wire.ids import Position
from laundryd.wire.machines import MachineKind, MachineView
from laundryd.wire.notices import NoticeCard
from laundryd.wire.phases import Cause, Phase, Sensor

LISTENERS = 500
"""Connections that get everything; half of what a process takes by default."""
LONE_EVENTS = 6
"""Events one after the other in a round: over all rounds half a CPU second at least, which the kernel
counts in hundredths."""
BURST = 50
"""Events at once."""
BURSTS = 1
"""Bursts in a round."""
QUIET_S = 0.11
"""Pause before each burst, seconds: more than a batch gathers."""
ROUNDS = 14
"""Each side is measured this often, in turn, so that a disturbance meets both."""
ROOM = "maple-hall.basement"
MARK = b'"cause"'
"""Stands once in each event."""


def event(offset: int) -> PublicEvent:
    at = datetime(2026, 1, 5, 18, 30, tzinfo=UTC)
    view = MachineView(
        machine="washer-1",
        kind=MachineKind.WASHER,
        name="Washer 1",
        phase=Phase.IN_USE,
        since=at,
        sensor=Sensor.OK,
        started_at=at,
    )
    cause = Cause.CYCLE_STARTED
    return PublicEvent(
        room=ROOM, epoch="e1", offset=offset, follows=offset - 1, at=at, cause=cause, machine=view
    )


# -- the two servers, each a process of its own


class OpenDoor:
    async def admit(self, headers: Mapping[str, str]) -> Admission:
        return Admission(headers["authorization"][-6:], "bench", frozenset({ROOM}))

    async def rooms_now(self, admission: Admission) -> frozenset[str]:
        return admission.rooms


class BurstDesk:
    """A command with ``minutes=n`` publishes n events."""

    def __init__(self) -> None:
        self.server: LiveServer | None = None
        self.offset = 0

    def position(self, _room: str) -> Position:
        return Position(epoch="e1", offset=self.offset)

    async def since(
        self, _room: str, _position: Position, _limit: int
    ) -> Sequence[PublicEvent] | None:
        return None

    async def command(self, _resident: str, frame: frames.Command) -> frames.Result:
        for _ in range(frame.params.minutes or 0):
            self.offset += 1
            if self.server is not None:
                self.server.publish(event(self.offset))
        return frames.Result(id=frame.id, ok=True)

    async def acked(
        self, resident: str, session_id: str, notice_ids: Sequence[str], kind: AckKind
    ) -> None:
        raise NotImplementedError

    async def mine(self, _resident: str) -> frames.Mine:
        return frames.Mine(machines=[], claims=[])

    async def pending_notices(self, _resident: str) -> Sequence[NoticeCard]:
        return []

    def presence_changed(self) -> None:
        pass


class BareBroadcast:
    """Sends as many frames of one event to everybody as a client's command asks for."""

    def __init__(self) -> None:
        self.sends: set[Send] = set()
        self.offset = 0

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.sends.add(send)
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                asked = json.loads(message["text"])
                for _ in range(asked.get("params", {}).get("minutes", 0)):
                    self.offset += 1
                    text = frames.Batch(events=[event(self.offset)]).model_dump_json()
                    for each in self.sends:
                        await each({"type": "websocket.send", "text": text})
        finally:
            self.sends.discard(send)


async def run_server(side: str) -> None:
    listener = listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]

    def started() -> None:
        print(port, flush=True)

    if side == "bare":
        await serve(BareBroadcast(), listener, on_started=started)
        return
    desk = BurstDesk()
    server = LiveServer(
        OpenDoor(), desk, settings=LiveSettings(), clock=Clock(), server_name="bench"
    )
    desk.server = server
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run())
        tasks.create_task(serve(server, listener, on_started=started))


# -- the load


def masked(text: str) -> bytes:
    """Frame a client's text with the mask 0 (RFC 6455 section 5.2)."""
    body = text.encode()
    size = len(body)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + bytes(4) + body


def connected(port: int, name: str) -> socket.socket:
    """Open a WebSocket and identify; the bare server ignores what it is told."""
    link = socket.create_connection(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    link.sendall(
        f"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {name}\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += link.recv(4_096)
    identify = {"type": "identify", "rooms": {ROOM: None}, "visible": True, "lang": "en"}
    link.sendall(masked(json.dumps(identify)))
    return link


@dataclass
class Side:
    """One server under load, and what it has used so far."""

    process: subprocess.Popen[str]
    port: int
    links: list[socket.socket] = field(default_factory=list)
    poll: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    memory_kb: float = 0
    deliveries: Counter[str] = field(default_factory=Counter)
    used_s: dict[str, float] = field(default_factory=dict)
    commands: int = 0

    def connect(self) -> None:
        warm = connected(self.port, "warmer")
        self.links = [warm]
        before_kb = self.rss_kb()
        self.links += [connected(self.port, f"n{n:05d}") for n in range(LISTENERS - 1)]
        for link in self.links:
            link.setblocking(False)
            self.poll.register(link, selectors.EVENT_READ)
        self.burst(1)
        self.memory_kb = (self.rss_kb() - before_kb) / (LISTENERS - 1)

    def burst(self, events: int) -> None:
        """Have ``events`` sent to everybody and wait until all have all of them."""
        self.commands += 1
        command = {
            "type": "command",
            "id": f"c{self.commands}",
            "room": ROOM,
            "machine": "washer-1",
            "name": "start",
            "params": {"minutes": events},
        }
        self.links[0].sendall(masked(json.dumps(command)))
        missing = events * LISTENERS
        tails = dict.fromkeys(self.links, b"")
        while missing > 0:
            ready = self.poll.select(10)
            if not ready:
                raise TimeoutError(f"{missing} deliveries are missing")
            for key, _ in ready:
                link = key.fileobj
                if not isinstance(link, socket.socket):
                    raise TypeError("the selector knows only sockets")
                data = tails[link] + link.recv(1 << 18)
                missing -= data.count(MARK)
                tails[link] = data[-(len(MARK) - 1) :]

    def measure(self, what: str, bursts: int, events: int) -> None:
        before_s = self.cpu_s()
        for _ in range(bursts):
            # For both: only what follows a quiet moment is lone.
            time.sleep(QUIET_S)
            self.burst(events)
        self.deliveries[what] += bursts * events * LISTENERS
        self.used_s[what] = self.used_s.get(what, 0) + self.cpu_s() - before_s

    def deliveries_a_cpu_s(self, what: str) -> float:
        return self.deliveries[what] / self.used_s[what]

    def cpu_s(self) -> float:
        """User and system time of the server's process, proc(5)."""
        ticks = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")

    def rss_kb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1])


@contextmanager
def side(name: str) -> Iterator[Side]:
    process = subprocess.Popen((sys.executable, __file__, name), stdout=subprocess.PIPE, text=True)
    if process.stdout is None:
        raise RuntimeError("the server has no output")
    running = Side(process, int(process.stdout.readline()))
    try:
        yield running
    finally:
        for link in running.links:
            link.close()
        process.kill()
        process.wait()
        process.stdout.close()


def report(what: str, unit: str, ours: float, bare: float) -> None:
    reference = "bare uvicorn broadcast"
    ratio = ours / bare
    print(
        json.dumps(
            {"what": what, "value": ours, "unit": unit, "reference": reference, "ratio": ratio}
        )
    )


def main() -> None:
    with side("ours") as ours, side("bare") as bare:
        for one in (ours, bare):
            one.connect()
        for _ in range(ROUNDS):
            for one in (ours, bare):
                one.measure("lone", LONE_EVENTS, 1)
                one.measure("burst", BURSTS, BURST)
        unit = "event deliveries a CPU second"
        report(
            "lone events", unit, ours.deliveries_a_cpu_s("lone"), bare.deliveries_a_cpu_s("lone")
        )
        what = f"bursts of {BURST} events"
        report(what, unit, ours.deliveries_a_cpu_s("burst"), bare.deliveries_a_cpu_s("burst"))
        report("memory a connection", "KB", ours.memory_kb, bare.memory_kb)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        uvloop.run(run_server(sys.argv[1]))
    else:
        main()
