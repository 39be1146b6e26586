"""A corner of the machine for a run's own: processes, mounts and network of which nothing is left behind.

Everything runs in new namespaces. When the run ends, however it ends, its processes are killed, its
mounts and its network are gone; two runs beside each other do not meet.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

INSIDE: Final = "LAUNDRYD_FAULTS_INSIDE"
"""Set for the process that is inside already."""
PROGRAMS: Final = ("unshare", "nsenter", "ip", "mount")
TUN: Final = Path("/dev/net/tun")
_ENTER: Final = (
    "unshare",
    "--mount",
    "--net",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
)


def command(*arguments: str) -> tuple[str, ...]:
    """Return what runs ``python -m tests.faults`` with ``arguments`` inside new namespaces."""
    return inside(sys.executable, "-m", "tests.faults", *arguments)


def inside(*words: str) -> tuple[str, ...]:
    """Return what runs a program inside new namespaces; all that it started ends with it."""
    return (*_ENTER, *words)


def environment() -> dict[str, str]:
    """Return the environment of the process inside."""
    return {**os.environ, INSIDE: "1"}


def is_inside() -> bool:
    """Whether this process is inside."""
    return INSIDE in os.environ


@functools.cache
def why_not() -> str | None:
    """Return why this machine cannot do it, None when it can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        return f"not installed: {', '.join(missing)} (util-linux, iproute2)"
    if os.geteuid() != 0:
        return "namespaces and mounts need root"
    if not os.access(TUN, os.R_OK | os.W_OK):
        return f"{TUN} cannot be opened: there is no wire to cut"
    return _refused([*_ENTER, "ip", "link", "set", "lo", "up"])


def _refused(words: Sequence[str]) -> str | None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"no namespaces here: {done.stderr.strip()}"
