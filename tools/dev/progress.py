"""Runs one long step and shows that it is alive. Everything goes to stderr: stdout is the word's."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.dev.errors import Trouble
from tools.dev.layout import LOGS, ROOT

TERMINAL_BEAT_S = 0.2
"""How often the running line is drawn again on a terminal: fast enough to look alive."""

LINE_BEAT_S = 15.0
"""How often a line says that a step goes on where stderr is a file: a build log stays short."""

SHOWN_LINES = 60
"""How many of the last lines of a failed step are shown; all are in its log."""

SPINNER = "|/-\\"


def say(text: str) -> None:
    """Write one line to stderr at once."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


class _Beat:
    """The line between a step's start and its end."""

    def __init__(self, label: str, started_s: float) -> None:
        self._label = label
        self._started_s = started_s
        self._terminal = sys.stderr.isatty()
        self._count = 0
        self._said_s = started_s

    @property
    def pause_s(self) -> float:
        """How long to wait before the next beat."""
        return TERMINAL_BEAT_S if self._terminal else 1.0

    def beat(self) -> None:
        """Show that the step is still running, if it is time to."""
        now_s = time.monotonic()
        elapsed_s = now_s - self._started_s
        if self._terminal:
            self._count += 1
            mark = SPINNER[self._count % len(SPINNER)]
            sys.stderr.write(f"\r\x1b[K{mark} {self._label} ({elapsed_s:.0f} s)")
            sys.stderr.flush()
        elif now_s - self._said_s >= LINE_BEAT_S:
            self._said_s = now_s
            say(f"     {self._label}: still running ({elapsed_s:.0f} s)")

    def end(self) -> None:
        """Take the running line away."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def run_step(
    label: str,
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    log_as: str,
) -> None:
    """Run one command to its end, its output in `.dev/logs/{log_as}.log`.

    `env` None means our own environment. Raises Trouble, after showing the end of the output,
    when the command fails or is not there.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{log_as}.log"
    with timed(label) as beat, log.open("w") as output:
        try:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
            )
        except OSError as error:
            raise Trouble(
                f"{label} failed: {command[0]} could not be started ({error})."
            ) from error
        try:
            code = _wait(process, beat)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if code != 0:
            beat.end()
            show_end_of(log)
            raise Trouble(
                f"{label} failed with exit code {code}; its output is above and in "
                f"{log.relative_to(ROOT)}."
            )


def show_end_of(log: Path) -> None:
    """Show the last lines of a log on stderr."""
    for line in log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]:
        say(f"     {line}")


@contextmanager
def timed(label: str) -> Iterator[_Beat]:
    """Say when a step begins, and when it ended well after how many seconds."""
    started_s = time.monotonic()
    beat = _Beat(label, started_s)
    say(f"  .. {label}")
    try:
        yield beat
    except BaseException:
        beat.end()
        say(f"  !! {label} ({time.monotonic() - started_s:.1f} s)")
        raise
    beat.end()
    say(f"  ok {label} ({time.monotonic() - started_s:.1f} s)")


def _wait(process: subprocess.Popen[bytes], beat: _Beat) -> int:
    while True:
        try:
            return process.wait(timeout=beat.pause_s)
        except subprocess.TimeoutExpired:
            beat.beat()
