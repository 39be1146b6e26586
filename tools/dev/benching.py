"""Runs the benchmarks: each `tests/bench/bench_NAME.py` is a program of its own.

A benchmark prints what it measured as JSON lines `{"what", "value", "unit", "reference", "ratio"}`:
`ratio` is its value over that of the reference, both taken in the same run on the same machine,
because a bare figure says more about the machine than about the code. A line that begins with no brace
is text, such as a table's, and shown as it stands. One that has bars exits 1 when it misses one.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.dev.errors import Trouble
from tools.dev.layout import BENCHES, ROOT, VENV_PYTHON
from tools.dev.progress import say, timed
from tools.dev.testing import child_environment


def benches(folder: Path = BENCHES) -> dict[str, Path]:
    """Return the benchmarks by name."""
    return {path.stem.removeprefix("bench_"): path for path in sorted(folder.glob("bench_*.py"))}


def chosen(wanted: str | None, known: Mapping[str, Path]) -> dict[str, Path]:
    """Return the one that is wanted, or all for None; raises Trouble for one that is not known."""
    if wanted is None:
        return dict(known)
    if wanted not in known:
        names = ", ".join(known) or "none yet"
        raise Trouble(f"There is no benchmark '{wanted}'; there are: {names}.")
    return {wanted: known[wanted]}


def bench(wanted: str | None, folder: Path = BENCHES) -> None:
    """Run one benchmark, or all, and show what each printed. Raises Trouble at the end if one failed."""
    selected = chosen(wanted, benches(folder))
    if not selected:
        raise Trouble("There is no benchmark yet: the first one is tests/bench/bench_NAME.py.")
    failed = []
    for name, path in selected.items():
        with timed(f"bench {name}"):
            ran = subprocess.run(
                (VENV_PYTHON, path),
                cwd=ROOT,
                env=child_environment(),
                stdout=subprocess.PIPE,
                text=True,
                check=False,
            )
        if ran.returncode != 0:
            failed.append(f"'{name}' with exit code {ran.returncode}")
        try:
            for line in shown(name, ran.stdout):
                print(line)
        except Trouble as trouble:
            say(f"     {trouble}")
            failed.append(f"'{name}' by what it printed")
    if failed:
        raise Trouble(f"Benchmarks failed: {'; '.join(failed)}.")


def shown(name: str, printed: str) -> Iterator[str]:
    """Yield the lines of a benchmark for a reader: results as rows, text as it stands.

    Raises Trouble at a result that is not as agreed, when all other lines have been given.
    """
    troubles = []
    for line in printed.splitlines():
        try:
            yield row(name, line) if line.startswith("{") else line
        except Trouble as trouble:
            troubles.append(str(trouble))
    if troubles:
        raise Trouble(" ".join(troubles))


def row(name: str, line: str) -> str:
    """Return one line of a benchmark for a reader; raises Trouble for one that is not as agreed."""
    try:
        said = json.loads(line)
        measured = f"{said['value']:,.1f} {said['unit']}"
        return f"{name}: {said['what']}: {measured}, {said['ratio']:.2f} x {said['reference']}"
    except (ValueError, KeyError, TypeError) as error:
        raise Trouble(f"The benchmark '{name}' printed what is no result: {line}") from error
