"""Every check of `./dev check`: the tools' and our own. All run; one failure fails the whole."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.dev import node
from tools.dev.errors import Trouble
from tools.dev.layout import PWA, ROOT
from tools.dev.own_checks import problems_of
from tools.dev.progress import run_step, say, timed
from tools.dev.python_env import venv_program


@dataclass(frozen=True)
class Check:
    """One check that another program makes, by its name in `.venv/bin`."""

    label: str
    program: str
    arguments: tuple[str, ...]


CHECKS = (
    Check("ruff: lint", "ruff", ("check", ".")),
    Check("ruff: format", "ruff", ("format", "--check", ".")),
    Check("mypy: types", "mypy", ()),
    Check("import-linter: who may import whom", "lint-imports", ()),
)


def check_all() -> None:
    """Run every check and raise Trouble at the end if one failed."""
    failed = [check.label for check in CHECKS if not _passes(check)]
    if not _typescript_passes():
        failed.append("tsc: types of the web app")
    if not _own_pass():
        failed.append("our own: lock files, sizes, addresses")
    if failed:
        raise Trouble(f"{len(failed)} of the checks failed: {'; '.join(failed)}.")
    say("All checks passed.")


def repository_files() -> list[Path]:
    """Return the files of the repository: those that git tracks and those it would."""
    listed = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    if listed.returncode != 0:
        raise Trouble(f"git could not list the files of the repository: {listed.stderr.strip()}")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return sorted({path for path in paths if path.is_file()})


def own_problems(files: Sequence[Path], *, root: Path) -> list[str]:
    """Return what our own checks find wrong in these files; those that are not text are skipped."""
    problems: list[str] = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        problems += problems_of(path.relative_to(root).as_posix(), text)
    return problems


def _passes(check: Check) -> bool:
    log_as = "check-" + check.label.replace(": ", "-").replace(" ", "-")
    try:
        run_step(check.label, (venv_program(check.program), *check.arguments), log_as=log_as)
    except Trouble as trouble:
        say(f"     {trouble}")
        return False
    return True


def _typescript_passes() -> bool:
    found = node.find_node()
    command = (*found.npm, "run", "check")
    try:
        run_step("tsc: types of the web app", command, env=found.env(), cwd=PWA, log_as="check-tsc")
    except Trouble as trouble:
        say(f"     {trouble}")
        return False
    return True


def _own_pass() -> bool:
    with timed("our own: lock files, sizes, addresses"):
        problems = own_problems(repository_files(), root=ROOT)
    for problem in problems:
        say(f"  !! {problem}")
    return not problems
