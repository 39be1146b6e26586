"""Looks at this machine and carries out what `system.plan` decides."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.dev.errors import Trouble
from tools.dev.progress import run_step
from tools.dev.system import Machine, Need, Refusal, plan

SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where Debian keeps mosquitto; they are not on an ordinary user's PATH."""


def search_path() -> str:
    """Return PATH with the folders of system programs at its end."""
    return os.pathsep.join((os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS))


def is_there(need: Need) -> bool:
    """Whether one of the need's programs can be started from here."""
    return any(shutil.which(program, path=search_path()) for program in need.programs)


def install(missing: Sequence[Need]) -> None:
    """Install these with one call of apt; raises Trouble with the plan's sentence if that cannot be."""
    if not missing:
        return
    decided = plan(missing, this_machine())
    if decided is None:
        return
    if isinstance(decided, Refusal):
        raise Trouble(decided.sentence)
    for number, command in enumerate(decided.commands):
        label = f"system: {' '.join(shown(command))}"
        try:
            run_step(label, command, log_as=f"system-{number}")
        except Trouble:
            if command not in decided.may_fail:
                raise


def shown(command: Sequence[str]) -> list[str]:
    """Return the words of a command that matter to a reader: no options, no wrapping."""
    wrapping = {"sudo", "env"}
    return [
        word
        for word in command
        if word not in wrapping and not word.startswith("-") and "=" not in word
    ]


def this_machine() -> Machine:
    """Return what matters about this machine; asks sudo at most once, and never for a password."""
    root = os.geteuid() == 0
    return Machine(
        root=root,
        sudo=not root and _sudo_works(),
        apt=shutil.which("apt-get") is not None,
        systemd=Path("/run/systemd/system").is_dir(),
        ubuntu=_is_ubuntu(),
    )


def _sudo_works() -> bool:
    if shutil.which("sudo") is None:
        return False
    return subprocess.run(("sudo", "-n", "true"), capture_output=True, check=False).returncode == 0


def _is_ubuntu() -> bool:
    release = Path("/etc/os-release")
    return release.is_file() and "ID=ubuntu" in release.read_text().splitlines()
