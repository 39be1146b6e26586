"""One of our programs as a real process: its log, its readiness, its end by signal."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp

from laundryd.demo.errors import NotReadyError, ProgramEndedError

log = logging.getLogger("laundryd.demo")

READY_WITHIN_S: Final = 60.0
"""A slow computer's first start compiles every module; the second takes two seconds."""
STOP_WITHIN_S: Final = 10.0
"""After SIGTERM; then it is killed."""
POLL_S: Final = 0.05
LAUNDRYD: Final = (sys.executable, "-m", "laundryd")
LAST_LINES: Final = 15
_NOT_INHERITED: Final = ("LAUNDRYD_", "NOTIFY_SOCKET", "WATCHDOG_", "CREDENTIALS_DIRECTORY")
"""What is meant for whoever started us: settings of a real edge, systemd's words."""


class Program:
    """``laundryd`` with ``arguments``, run by this very Python. ``ready_url`` answers 200 when it is.

    Its output is appended to ``log_path``, over all its starts. ``command`` stands before ``arguments``;
    whatever it is, it must become the program and not start it, so that signals reach it.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        log_path: Path,
        ready_url: str,
        command: Sequence[str] = LAUNDRYD,
    ) -> None:
        self.name = name
        self.log_path = log_path
        self._command = (*command, *arguments)
        self._ready_url = ready_url
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process, None when it was not started or was stopped."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it; ``ready`` waits until it can be used."""
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={k: v for k, v in os.environ.items() if not k.startswith(_NOT_INHERITED)},
                # Ctrl-C in the terminal is for us alone: we end it in our own order.
                start_new_session=True,
            )

    async def ready(self, http: aiohttp.ClientSession) -> None:
        """Wait until it is ready.

        Raises:
            ProgramEndedError: it ended before.
            NotReadyError: it was not ready within ``READY_WITHIN_S``.

        """
        ends_at_s = time.monotonic() + READY_WITHIN_S
        said = "no answer"
        while time.monotonic() < ends_at_s:
            self.check()
            try:
                async with http.get(self._ready_url) as answer:
                    if answer.status == HTTPStatus.OK:
                        return
                    said = (await answer.text())[:200]
            except (aiohttp.ClientError, TimeoutError):
                pass  # it does not listen yet
            await asyncio.sleep(POLL_S)
        raise NotReadyError(
            f"{self.name} is not ready after {READY_WITHIN_S:.0f} s ({said})\n{self.last_lines()}"
        )

    def check(self) -> None:
        """Look whether it runs.

        Raises:
            ProgramEndedError: it was started, not stopped by us, and has ended.

        """
        process = self._process
        if process is not None and process.returncode is not None:
            raise ProgramEndedError(
                f"{self.name} has ended with {process.returncode}; its last lines:\n"
                f"{self.last_lines()}"
            )

    async def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it in order (SIGTERM); nothing happens when it does not run."""
        await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.send_signal(how)
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            log.error("%s did not end within %.0f s: killed", self.name, STOP_WITHIN_S)  # noqa: TRY400 -- no traceback: it says nothing of the program
            process.kill()
            await process.wait()

    def last_lines(self) -> str:
        """Return the end of its log, indented."""
        try:
            lines = self.log_path.read_text(errors="replace").splitlines()[-LAST_LINES:]
        except OSError:
            lines = []
        return "\n".join(f"  {line}" for line in lines or ["(it said nothing)"])
