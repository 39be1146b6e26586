"""Makes the lock files: names, versions and hashes, and no address of any host.

uv resolves for Python 3.11 and newer on every platform at once; it stands in a private
environment of its own. The first lock binds the others, so that one package never has two versions.
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.dev.errors import Trouble
from tools.dev.layout import PWA, REQUIREMENTS, ROOT, STATE
from tools.dev.node import find_node
from tools.dev.own_checks import npm_lock_problems, requirements_problems
from tools.dev.progress import run_step, say
from tools.dev.python_env import PIP

OLDEST_PYTHON = "3.11"
"""The oldest Python of `requires-python`; the locks hold for it and for everything newer."""

UV_FOLDER = STATE / "uv"


@dataclass(frozen=True)
class Lock:
    """One lock file: what of pyproject.toml goes into it. `laundryd` False: only the groups."""

    name: str
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    laundryd: bool = True


LOCKS = (
    Lock("dev", extras=("test",), groups=("build",)),
    Lock("edge"),
    Lock("relay", extras=("relay",)),
    Lock("demo", extras=("demo",), groups=("build",)),
    Lock("node", groups=("node",), laundryd=False),
    Lock("uv", groups=("lock",), laundryd=False),
)


def lock_all() -> None:
    """Make every lock file anew, then check that none names an address.

    Raises Trouble when a step fails or a lock file is not as it should be.
    """
    uv = _install_uv()
    first: Path | None = None
    for lock in LOCKS:
        _lock(uv, lock, bound_by=first)
        first = first or REQUIREMENTS / f"{lock.name}.txt"
    problems = [
        problem
        for path in sorted(REQUIREMENTS.glob("*.txt"))
        for problem in requirements_problems(path.name, path.read_text())
    ]
    _lock_npm()
    npm_lock = PWA / "package-lock.json"
    problems += npm_lock_problems("pwa/package-lock.json", npm_lock.read_text())
    for problem in problems:
        say(f"  !! {problem}")
    if problems:
        raise Trouble("The new lock files are not as they should be; each problem is named above.")


def tidied(npm_lock: str) -> str:
    """Return the text of a package-lock.json without addresses: neither of files nor of funding."""
    content = json.loads(npm_lock)
    for package in content.get("packages", {}).values():
        package.pop("resolved", None)
        package.pop("funding", None)
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def without_indexes(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without this machine's own settings of where packages come from."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("UV_") and not name.startswith("PIP_")
    }


def _install_uv() -> Path:
    python = UV_FOLDER / "bin" / "python"
    uv = UV_FOLDER / "bin" / "uv"
    hashed = REQUIREMENTS / "uv.txt"
    if not uv.is_file():
        run_step(
            "uv's own environment", (sys.executable, "-m", "venv", UV_FOLDER), log_as="uv-venv"
        )
        wanted = ("--require-hashes", "-r", hashed) if hashed.is_file() else ("uv",)
        run_step("uv", (python, *PIP, "install", *wanted), log_as="uv-pip")
    return uv


def _lock(uv: Path, lock: Lock, *, bound_by: Path | None) -> None:
    target = REQUIREMENTS / f"{lock.name}.txt"
    command: list[str | Path] = [uv, "pip", "compile", "--no-config", "--universal", "--upgrade"]
    command += ["--python-version", OLDEST_PYTHON, "--generate-hashes", "--no-header"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--output-file", target]
    if lock.laundryd:
        command.append("pyproject.toml")
    for extra in lock.extras:
        command += ["--extra", extra]
    for group in lock.groups:
        command += ["--group", group]
    if bound_by and lock.laundryd:
        command += ["--constraint", bound_by.relative_to(ROOT)]
    REQUIREMENTS.mkdir(exist_ok=True)
    run_step(
        f"requirements/{lock.name}.txt",
        command,
        env=without_indexes(os.environ),
        log_as=f"lock-{lock.name}",
    )


def _lock_npm() -> None:
    """Resolve in an empty folder: beside installed packages npm leaves out other platforms' ones."""
    node = find_node()
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(PWA / "package.json", folder)
        run_step(
            "pwa/package-lock.json",
            (*node.npm, "install", "--package-lock-only", "--no-audit", "--no-fund"),
            env=node.env(),
            cwd=folder,
            log_as="lock-npm",
        )
        made = (folder / "package-lock.json").read_text()
    (PWA / "package-lock.json").write_text(tidied(made))
