"""A systemd of the tests' own, booted over a throw-away overlay of this computer."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
BOOT_S: Final = 30.0
POLL_S: Final = 0.1


def lacking() -> str | None:
    """Say what this computer lacks to boot one, or None."""
    if os.geteuid() != 0:
        return "booting a systemd needs root: run `sudo ./dev test --full`"
    for program in ("/lib/systemd/systemd", "/lib/systemd/system/mosquitto.service"):
        if not Path(program).exists():
            return f"{program} is missing: run `apt-get install systemd mosquitto`"
    if not shutil.which("nsenter"):
        return "nsenter is missing: run `apt-get install util-linux`"
    return None


class Box:
    """One booted systemd; ``run`` runs a command in it. ``stop`` takes everything away."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._boot: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def start(self) -> None:
        """Boot and wait until systemd says that it runs.

        Raises:
            RuntimeError: it did not, with its last words.

        """
        log = self._folder / "boot.log"
        with log.open("wb") as out:
            self._boot = subprocess.Popen(
                [
                    *("/bin/bash", Path(__file__).with_name("boot.sh")),
                    *(self._folder, ROOT, sys.base_prefix, sysconfig.get_path("purelib")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            until(self._is_up, BOOT_S, lambda: log.read_text(errors="replace"))
        except BaseException:
            self.stop()
            raise

    def _is_up(self) -> bool:
        unshare = self._folder / "unshare"
        if not unshare.exists() or not (number := unshare.read_text().strip()):
            return False
        with contextlib.suppress(OSError, ValueError):
            children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
            self._leader = int(children[0]) if children else 0
        if not self._leader:
            return False
        with contextlib.suppress(OSError):
            name = Path(f"/proc/{self._leader}/comm").read_text().strip()
            if name == "systemd":
                state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
                return state in {"running", "degraded"}
        return False

    def run(
        self, *words: str | Path, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run one command inside as root; with ``check`` it must succeed."""
        done = subprocess.run(
            ["nsenter", "-t", str(self._leader), "-m", "-p", "-u", "-i", "-n", "-C", "-r", "-w"]
            + ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root"]
            + ["LD_LIBRARY_PATH=/opt/python/lib"]
            + [str(word) for word in words],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done

    def write(self, path: str, text: str, mode: str = "0644") -> None:
        """Write a file inside."""
        self.run("install", "-D", "-m", mode, "/dev/stdin", path, stdin=text)

    def show(self, unit: str, name: str) -> str:
        """Return one property of a unit."""
        return self.run("systemctl", "show", "-p", name, "--value", unit).stdout.strip()

    def journal(self, unit: str) -> str:
        """Return what the unit's processes, and systemd about them, said."""
        return self.run("journalctl", "-u", unit, "-o", "cat", "--no-pager").stdout

    def stop(self) -> None:
        """End every process inside and remove what was made for it."""
        if self._leader:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._leader, signal.SIGKILL)
        if self._boot is not None:
            if not self._leader:
                self._boot.kill()
            self._boot.wait(BOOT_S)
        cgroups = self._folder / "cgroups"
        for line in cgroups.read_text().splitlines() if cgroups.exists() else []:
            for folder in sorted(Path(line).glob("**/"), key=lambda one: -len(one.parts)):
                with contextlib.suppress(OSError):
                    folder.rmdir()


def until(
    good: Callable[[], bool], within_s: float, words: Callable[[], str] = lambda: "nothing"
) -> float:
    """Wait for a condition; return the seconds it took. ``words`` says what was seen instead."""
    started_s = time.monotonic()
    while not good():
        if time.monotonic() - started_s > within_s:
            raise RuntimeError(f"not within {within_s:.0f} s; last seen: {words()[-2000:]}")
        time.sleep(POLL_S)
    return time.monotonic() - started_s
