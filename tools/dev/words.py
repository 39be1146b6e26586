"""The words of `./dev`: one table, from which the list that it prints is made."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.dev import benching, checking, locking, schema, setting_up, testing
from tools.dev.errors import Trouble
from tools.dev.layout import DIST, PWA, ROOT, STATE, VENV, VENV_PYTHON, WEBAPP
from tools.dev.progress import run_step, say
from tools.dev.python_env import venv_program

CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis")

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended: 128 and the number of SIGINT."""


@dataclass(frozen=True)
class Word:
    """One word. `arguments` is how they look in the list, empty where there are none."""

    name: str
    arguments: str
    meaning: str
    do: Callable[[Sequence[str]], None]


def _setup(_arguments: Sequence[str]) -> None:
    setting_up.for_tests()
    say("Everything is set up.")


def _demo(arguments: Sequence[str]) -> None:
    setting_up.for_demo()
    program = venv_program("laundryd")
    # The demo takes our place, so that Ctrl-C and its exit code are its own.
    os.execve(program, [str(program), "demo", *arguments], testing.child_environment())


def _test(arguments: Sequence[str]) -> None:
    setting_up.for_tests()
    testing.test_all(arguments)


def _check(_arguments: Sequence[str]) -> None:
    setting_up.for_checks()
    checking.check_all()


def _build(_arguments: Sequence[str]) -> None:
    setting_up.for_wheel()
    shutil.rmtree(DIST, ignore_errors=True)
    build = (VENV_PYTHON, "-m", "hatchling", "build", "-t", "wheel", "-d", DIST)
    run_step("wheel", build, log_as="wheel")
    for wheel in DIST.glob("*.whl"):
        print(wheel.relative_to(ROOT))


def _bench(arguments: Sequence[str]) -> None:
    setting_up.for_checks()
    benching.bench(arguments[0] if arguments else None)


def _faults(arguments: Sequence[str]) -> None:
    setting_up.for_faults()
    faults = subprocess.run(
        (VENV_PYTHON, "-m", "tests.faults", *arguments),
        cwd=ROOT,
        env=testing.child_environment(),
        check=False,
    )
    if faults.returncode != 0:
        raise Trouble("something was lost or doubled, or could not be tried; see above.")


def _schema(_arguments: Sequence[str]) -> None:
    setting_up.for_checks()
    schema.write_schema()


def _lock(_arguments: Sequence[str]) -> None:
    locking.lock_all()


def _clean(_arguments: Sequence[str]) -> None:
    made = (VENV, STATE, WEBAPP, DIST, PWA / "node_modules", *(ROOT / name for name in CACHES))
    for path in made:
        shutil.rmtree(path, ignore_errors=True)
    say("Removed what the set-up, the build and the tools had made.")


WORDS = (
    Word("setup", "", "set up what is missing; every other word does it too", _setup),
    Word(
        "demo", "[--once] [--json] [--speed N]", "run a whole laundry room on this machine", _demo
    ),
    Word("test", "[--full] [pytest's own]", "run the tests; --full with the heavy ones", _test),
    Word("check", "", "ruff, mypy, import-linter, tsc and our own checks", _check),
    Word("build", "", "make the wheel in dist/, with the web app inside", _build),
    Word("bench", "[name]", "run the benchmarks, or one", _bench),
    Word(
        "faults",
        "[--rounds N] [--seed S] [--kind K]",
        "kill, stop and cut off what runs; count what is lost",
        _faults,
    ),
    Word("schema", "", "write the JSON Schema and the web app's types from the wire", _schema),
    Word("lock", "", "make the lock files anew", _lock),
    Word("clean", "", "remove everything that the other words made", _clean),
)


def listing() -> str:
    """Return the list of the words, one line each."""
    heads = [f"./dev {word.name} {word.arguments}".rstrip() for word in WORDS]
    width = max(len(head) for head in heads)
    lines = [f"  {head:<{width}}  {word.meaning}" for head, word in zip(heads, WORDS, strict=True)]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Do one word and return the exit code: 0 done, 1 failed, 2 not a word."""
    if not arguments or arguments[0] in {"help", "-h", "--help"}:
        print(listing())
        return 0
    by_name = {word.name: word for word in WORDS}
    word = by_name.get(arguments[0])
    if word is None:
        say(f"./dev has no word '{arguments[0]}'; its words are:\n{listing()}")
        return 2
    try:
        word.do(arguments[1:])
    except Trouble as trouble:
        say(f"./dev {word.name}: {trouble}")
        return 1
    except KeyboardInterrupt:
        say(f"\n./dev {word.name}: interrupted; what was done stays, and the next run goes on.")
        return INTERRUPTED
    sys.stdout.flush()
    return 0
