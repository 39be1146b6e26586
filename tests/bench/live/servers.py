"""The two servers as processes of their own, and what they cost by the kernel's count."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from laundryd.demo.broker import Mosquitto
from tests.bench.from_npm import installed
from tests.bench.live.relay_server import TOKENS

HERE: Final = Path(__file__).parent
SOCKETIO: Final = HERE / "socketio"


@dataclass(frozen=True)
class Server:
    """A running server. ``tokens``: one a client, empty where none is asked for."""

    name: str
    process: subprocess.Popen[str]
    port: int
    control_port: int
    tokens: tuple[str, ...] = ()

    def cpu_s(self) -> float:
        """User and system time of all its threads, those that have ended too.

        The kernel's clock of another process: clock_getcpuclockid(3), CPUCLOCK_SCHED. It counts
        nanoseconds where /proc/PID/stat counts hundredths of a second.
        """
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def rss_kb(self) -> int:
        """Resident memory, KiB, proc(5)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1])


@contextmanager
def socketio() -> Iterator[Server]:
    """Run Socket.IO."""
    node = installed(SOCKETIO)
    with _running("Socket.IO", (str(node), "--expose-gc", str(SOCKETIO / "server.js"))) as server:
        yield server


@contextmanager
def relay() -> Iterator[Server]:
    """Run the relay, with a broker of its own and 2,000 residents."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="laundryd-bench-")))
        broker = Mosquitto(folder / "broker")
        broker.start()
        stack.callback(broker.stop)
        data = folder / "data"
        command = (
            sys.executable,
            "-m",
            "tests.bench.live.relay_server",
            str(data),
            str(broker.port),
        )
        server = stack.enter_context(_running("relay", command))
        yield Server(
            server.name,
            server.process,
            server.port,
            server.control_port,
            tuple((data / TOKENS).read_text().split()),
        )


@contextmanager
def _running(name: str, command: Sequence[str]) -> Iterator[Server]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    if process.stdout is None:
        raise RuntimeError(f"{name} has no output")
    try:
        ports = process.stdout.readline().split()
        if len(ports) != 2:
            raise RuntimeError(f"{name} did not start; its words stand above")
        yield Server(name, process, int(ports[0]), int(ports[1]))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
