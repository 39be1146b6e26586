"""The real edge as its own process, with its own folder and port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from laundryd.daemon.enrolment import Enrolment, write_enrolment
from laundryd.daemon.mqtt import BrokerSettings
from laundryd.daemon.tokens import SigningKey, sign_token
from laundryd.wire.ids import RoomRef

ROOM = RoomRef(site="maple-hall", room="basement")
START_S = 20.0
MACHINES = """
[[machines]]
id = "w1"
kind = "washer"
name = "Washer 1"
plug = { topic = "washer-1" }

[[machines]]
id = "w2"
kind = "washer"
name = "Washer 2"

[[machines]]
id = "d1"
kind = "dryer"
name = "Dryer 1"
"""


@dataclass
class EdgeProcess:
    """``settings`` are TOML tables that go after the common ones."""

    folder: Path
    broker: BrokerSettings
    settings: str = ""
    machines: str = MACHINES
    enrolment: Path | None = None
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _starts: int = 0

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def config(self) -> Path:
        return self.folder / "edge.toml"

    @property
    def log(self) -> str:
        return (self.folder / f"edge-{self._starts}.log").read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def live_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/live"

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        enrolment = f'[cloud]\nenrolment = "{self.enrolment}"\n' if self.enrolment else ""
        self.config.write_text(
            f'site = "{ROOM.site}"\nroom = "{ROOM.room}"\nname = "Basement"\n'
            f'data_dir = "{self.data_dir}"\nlog_json = true\n{self.machines}\n'
            f"[http]\nport = {self.port}\n[broker]\nport = {self.broker.port}\n"
            f"{enrolment}{self.settings}\n",
            encoding="utf-8",
        )

    def start(self) -> None:
        """Start it and wait until its page answers; the port stays the same over restarts."""
        self.launch()
        ends_at = time.monotonic() + START_S
        while (port := _port_in(self.log)) is None:
            assert self._process is not None
            assert self._process.poll() is None, self.log
            assert time.monotonic() < ends_at, self.log
            time.sleep(0.02)
        self.port = port

    def launch(self) -> None:
        """Start it and wait for nothing."""
        self.write()
        self._starts += 1
        path = self.folder / f"edge-{self._starts}.log"
        with path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "laundryd", "edge", "run", "--config", str(self.config)],
                stderr=log,
                stdout=log,
            )

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        os.kill(process.pid, how)
        try:
            return process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
            raise

    def page(self, token: str | None = None, **headers: str) -> httpx.Client:
        """A page of ours, with its own cookies."""
        client = httpx.Client(base_url=self.origin, headers={"Origin": self.origin, **headers})
        if token is not None:
            client.cookies.set("laundryd_edge", token)
        return client

    def metric(self, name: str, **labels: str) -> float:
        """Read one of our metrics; 0 when it was never counted."""
        inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
        wanted = f"laundryd_edge_{name}" + (f"{{{inner}}}" if inner else "")
        for line in httpx.get(f"{self.origin}/metrics").text.splitlines():
            if line.startswith(f"{wanted} "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def metric_becomes(self, value: float, name: str, **labels: str) -> None:
        ends_at = time.monotonic() + 15
        while self.metric(name, **labels) != value:
            assert time.monotonic() < ends_at, (name, labels, self.metric(name, **labels))
            time.sleep(0.05)


def _port_in(log: str) -> int | None:
    for line in log.splitlines():
        if line.startswith("{") and "page is on port" in (message := json.loads(line)["message"]):
            return int(message.rpartition(" ")[2])
    return None


def enrolment_file(folder: Path, broker: BrokerSettings, key: SigningKey) -> Path:
    """Write what ``laundryd relay room add`` writes."""
    path = folder / "enrolment.toml"
    write_enrolment(
        path,
        Enrolment(
            site=ROOM.site,
            room=ROOM.room,
            relay_url="https://laundry.example.org",
            broker=broker,
            enrolment_key=key.verify_key,
        ),
    )
    return path


def token_for(
    key: SigningKey,
    *,
    audience: str = ROOM.audience,
    resident: str = "anna",
    device: str = "d-1",
    life: timedelta = timedelta(hours=1),
    issued_at: datetime | None = None,
) -> str:
    """Sign a token as the relay would."""
    now = issued_at or datetime.now(UTC)
    return sign_token(
        key,
        resident=resident,
        device=device,
        audience=audience,
        rooms=frozenset({ROOM.key}),
        issued_at=now,
        expires_at=now + life,
    )
