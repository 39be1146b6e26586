"""The tests: pytest for Python and the whole path, vitest for the web app's own."""

import os
import subprocess
import time
from collections.abc import Sequence

from tools.dev import node
from tools.dev.errors import Trouble
from tools.dev.layout import PWA, ROOT, VENV_BIN
from tools.dev.progress import run_step, say
from tools.dev.python_env import venv_program
from tools.dev.system_install import search_path

ONLY_FULL = "--full"
"""The word that also runs the tests marked `full`."""


def pytest_arguments(arguments: Sequence[str]) -> list[str]:
    """Return what pytest is called with.

    Without `--full`, the tests marked `full` stay out, and properties are tried on the same examples
    each time; with it, on new ones.
    """
    rest = [argument for argument in arguments if argument != ONLY_FULL]
    return (
        ["--hypothesis-profile=search", *rest]
        if ONLY_FULL in arguments
        else ["-m", "not full", *rest]
    )


def child_environment() -> dict[str, str]:
    """Return the environment of what we start: our programs and the system's are on PATH."""
    return {**os.environ, "PATH": f"{VENV_BIN}{os.pathsep}{search_path()}"}


def test_all(arguments: Sequence[str]) -> None:
    """Run the tests; with arguments for pytest, pytest alone. Raises Trouble if any failed."""
    started_s = time.monotonic()
    only_pytest = any(argument != ONLY_FULL for argument in arguments)
    failed = []
    if not only_pytest:
        found = node.find_node()
        try:
            run_step(
                "vitest: the web app's own tests",
                (*found.npm, "test"),
                env={**found.env(), "CI": "1"},
                cwd=PWA,
                log_as="vitest",
            )
        except Trouble as trouble:
            say(f"     {trouble}")
            failed.append("vitest")
    pytest = [str(venv_program("pytest")), *pytest_arguments(arguments)]
    if subprocess.run(pytest, cwd=ROOT, env=child_environment(), check=False).returncode != 0:
        failed.append("pytest")
    elapsed_s = time.monotonic() - started_s
    if failed:
        raise Trouble(f"FAILED after {elapsed_s:.0f} s: {' and '.join(failed)}.")
    say(f"PASSED in {elapsed_s:.0f} s.")
