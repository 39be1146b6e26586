"""The virtual environment `.venv`, filled from the hashed lock files only."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from tools.dev.errors import Trouble
from tools.dev.layout import REQUIREMENTS, ROOT, STAMPS, VENV, VENV_BIN, VENV_PYTHON
from tools.dev.progress import run_step
from tools.dev.stamps import Stamps, digest
from tools.dev.system import Need, venv_need

PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")

_STAMPS = Stamps(STAMPS)
_PYTHON_STEPS = ("python-demo", "python-dev", "python-node", "project")


def prepare(lock: str) -> None:
    """Bring `.venv` to the state of `requirements/{lock}.txt`, with laundryd itself in it.

    `lock` is "demo" or "dev"; an environment for "dev" serves "demo" as well.
    Raises Trouble when a step fails.
    """
    if not _is_healthy():
        _create()
    if not (lock == "demo" and _is_installed("dev")):
        install_lock(lock)
    _install_project()


def missing() -> list[Need]:
    """Return what this Python lacks to make `.venv`, nothing where `.venv` is there."""
    if importlib.util.find_spec("ensurepip") is not None or _is_healthy():
        return []
    is_default = Path(sys.executable).resolve() == Path("/usr/bin/python3").resolve()
    return [venv_need(sys.version_info[:2], is_default=is_default)]


def install_lock(lock: str) -> None:
    """Install one lock file into `.venv`; nothing happens when that is done already."""
    if _is_installed(lock):
        return
    path = _lock_path(lock)
    if not path.is_file():
        raise Trouble(f"{path.relative_to(ROOT)} is missing: run './dev lock', or check it out.")
    run_step(
        f"Python packages ({path.relative_to(ROOT)})",
        (VENV_PYTHON, *PIP, "install", "--require-hashes", "-r", path),
        log_as=f"pip-{lock}",
    )
    _STAMPS.set(f"python-{lock}", digest(files=[path]))


def venv_program(name: str) -> Path:
    """Return the path of a program that the lock file brought; raises Trouble if it is not there."""
    path = VENV_BIN / name
    if not path.exists():
        raise Trouble(f"{path.relative_to(ROOT)} is missing: run './dev clean' and './dev setup'.")
    return path


def _lock_path(lock: str) -> Path:
    return REQUIREMENTS / f"{lock}.txt"


def _is_installed(lock: str) -> bool:
    return _STAMPS.is_current(f"python-{lock}", digest(files=[_lock_path(lock)]))


def _is_healthy() -> bool:
    """Whether `.venv` belongs to this folder (it cannot be moved) and its Python still runs."""
    pip = VENV_BIN / "pip"
    if not (VENV_PYTHON.exists() and pip.is_file()):
        return False
    if str(VENV) not in pip.read_text(errors="replace"):
        return False
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    return (
        subprocess.run((VENV_PYTHON, "-c", code), capture_output=True, check=False).returncode == 0
    )


def _create() -> None:
    _STAMPS.forget(*_PYTHON_STEPS)
    if VENV in Path(sys.executable).parents:
        raise Trouble(
            f"{VENV.name} is broken and in use at the same time: run 'deactivate' and try again."
        )
    run_step(
        "virtual environment .venv",
        (sys.executable, "-m", "venv", "--clear", VENV),
        log_as="venv",
    )


def _install_project() -> None:
    value = digest(files=[ROOT / "pyproject.toml"], words=[str(ROOT)])
    if _STAMPS.is_current("project", value) and (VENV_BIN / "laundryd").is_file():
        return
    run_step(
        "laundryd itself",
        # Without build isolation: hatchling comes from the lock file like everything else.
        (VENV_PYTHON, *PIP, "install", "--no-deps", "--no-build-isolation", "--editable", ROOT),
        log_as="pip-project",
    )
    _STAMPS.set("project", value)
