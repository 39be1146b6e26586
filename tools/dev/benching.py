"""Runs the benchmarks: each `tests/bench/bench_NAME.py` is a program of its own.

A benchmark prints what it measured as JSON lines `{"what", "value", "unit", "reference", "ratio"}`:
`ratio` is its value over that of the reference, both taken in the same run on the same machine,
because a bare figure says more about the machine than about the code.
"""

import json
import subprocess
from collections.abc import Mapping
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


def bench(wanted: str | None) -> None:
    """Run one benchmark, or all. Raises Trouble if one fails."""
    selected = chosen(wanted, benches())
    if not selected:
        raise Trouble("There is no benchmark yet: the first one is tests/bench/bench_NAME.py.")
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
            say(ran.stdout)
            raise Trouble(f"The benchmark '{name}' failed with exit code {ran.returncode}.")
        for line in ran.stdout.splitlines():
            print(row(name, line))


def row(name: str, line: str) -> str:
    """Return one line of a benchmark for a reader; raises Trouble for one that is not as agreed."""
    try:
        said = json.loads(line)
        measured = f"{said['value']:,.1f} {said['unit']}"
        return f"{name}: {said['what']}: {measured}, {said['ratio']:.2f} x {said['reference']}"
    except (ValueError, KeyError, TypeError) as error:
        raise Trouble(f"The benchmark '{name}' printed what is no result: {line}") from error
