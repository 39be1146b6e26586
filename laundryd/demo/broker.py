"""A Mosquitto of our own, for the demo and the tests: its own folder, its own port, gone afterwards."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

from laundryd.daemon.mqtt import BrokerSettings

START_TIMEOUT_S: Final = 10.0
STOP_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.02
_PLACES: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Debian puts it where an ordinary user's PATH does not look."""


class BrokerMissingError(Exception):
    """There is no Mosquitto on this computer, or it did not start."""


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


class Mosquitto:
    """One broker process. ``extra`` are further lines of its configuration.

    It keeps what it promised: autosave at each change, so that a kill -9 loses no retained message.
    """

    def __init__(self, folder: Path, *, port: int = 0, extra: str = "") -> None:
        self._folder = folder
        self._extra = extra
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

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            BrokerMissingError: not installed, or it ended by itself; the message holds its last words.

        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        config = self._folder / "mosquitto.conf"
        security = "" if "password_file" in self._extra else "allow_anonymous true\n"
        config.write_text(
            f"listener {self.port} 127.0.0.1\n{security}persistence true\n"
            f"persistence_location {self._folder}/\nautosave_interval 1\nautosave_on_changes true\n"
            f"max_queued_messages 100000\nlog_dest stderr\nlog_type error\nuser root\n{self._extra}"
        )
        errors = self._folder / "mosquitto.log"
        with errors.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- our own file, an absolute program
                [mosquitto_program(), "-c", str(config)],
                stderr=log,
                stdout=log,
                # Ctrl-C in the terminal is for us alone: its clients say goodbye before it goes.
                start_new_session=True,
            )
        ends_at = time.monotonic() + START_TIMEOUT_S
        while not _answers(self.port):
            if self._process.poll() is not None or time.monotonic() > ends_at:
                self.stop()
                raise BrokerMissingError(f"Mosquitto did not start: {errors.read_text()[-500:]}")
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
