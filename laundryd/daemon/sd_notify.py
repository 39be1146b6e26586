"""Word to systemd: ready, status, and a watchdog that is fed by work that was really done.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

_MICROSECONDS: Final = 1e6
STATUS_S: Final = 5.0
"""Real seconds after which the status in words is told again: who looks sees how things stand now."""


TAKE_S: Final = 1.0
"""Real seconds that the service manager has to take a word: one that hangs must not hang the room."""


def notify(state: str) -> bool:
    """Send ``state`` to the service manager.

    False when nobody asked for it (not under systemd), or the service manager does not take it now.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.settimeout(TAKE_S)
        try:
            sender.connect(address)
            sender.sendall(state.encode())
        except OSError as error:
            log.warning("the service manager did not hear from us: %s", error)
            return False
    return True


class Watchdog:
    """Tells systemd that we live, only while every watched task makes progress.

    A task is watched from its first ``beat``. It must beat again within ``patience_s``; a task that
    hangs therefore restarts the whole program, which is what the watchdog is for. ``status`` says in
    words how things stand, for `systemctl status`; it is asked at each feeding.
    """

    def __init__(self, status: Callable[[], str], patience_s: float = 30.0) -> None:
        self._status = status
        self._patience_s = patience_s
        self._beats: dict[str, float] = {}

    def beat(self, task: str) -> None:
        """Say that ``task`` went round its loop once."""
        self._beats[task] = time.monotonic()

    def late(self, now_s: float) -> list[str]:
        """Tasks whose last beat is more than the patience ago, at ``now_s`` of the monotonic clock."""
        return [task for task, beat_s in self._beats.items() if now_s - beat_s > self._patience_s]

    async def run(self) -> None:
        """Feed systemd's watchdog three times in its interval or more often, until cancelled."""
        interval_s = int(os.environ.get("WATCHDOG_USEC", "0")) / _MICROSECONDS
        if not interval_s:
            return
        while True:
            if late := self.late(time.monotonic()):
                notify(f"STATUS=no progress in: {', '.join(late)}")
            else:
                notify(f"WATCHDOG=1\nSTATUS={self._status()}")
            await asyncio.sleep(min(interval_s / 3, STATUS_S))
