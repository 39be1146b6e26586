"""A ``laundryd watch`` in a process of its own, and the lines that it writes."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_S = 30.0


class Terminal:
    """A ``laundryd watch`` and the lines that it has written."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            self._lines.put(text.rstrip("\n"))

    def until(self, wanted: Callable[[str], bool]) -> list[str]:
        """Return the lines up to and with the first that is wanted."""
        seen: list[str] = []
        while not seen or not wanted(seen[-1]):
            try:
                seen.append(self._lines.get(timeout=WAIT_S))
            except queue.Empty:
                raise AssertionError(f"it did not come: {seen}") from None
        return seen

    def until_has(self, text: str) -> list[str]:
        return self.until(lambda found: text in found)


def command(url: str, room: str, *more: str) -> list[str]:
    return [sys.executable, "-m", "laundryd", "watch", room, "--url", url, *more]


@contextmanager
def watching(url: str, room: str, home: Path, *more: str, code: str = "") -> Iterator[Terminal]:
    process = subprocess.Popen(
        command(url, room, *more),
        env={**os.environ, "XDG_CONFIG_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(code)
        process.stdin.close()
        yield Terminal(process)
        process.terminate()
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read().removeprefix("Join code: ") == ""
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
