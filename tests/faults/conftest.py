"""The fault runs of the tests, all at once: they mostly wait, and each is in a corner of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.faults import isolated
from tests.faults.started import RUNS, Run
from tools.dev.layout import ROOT


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Run]]:
    """Start the runs of all tests that were chosen; skip where this machine cannot."""
    if (reason := isolated.why_not()) is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("faults")
    started: dict[str, Run] = {}
    try:
        for name in {item.name for item in request.session.items} & {*RUNS}:
            with (folder / name).open("wb") as printed:
                process = subprocess.Popen(
                    isolated.command(*RUNS[name]),
                    cwd=ROOT,
                    env=isolated.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=subprocess.STDOUT,
                )
            started[name] = Run(process, folder / name)
        yield started
    finally:
        for run in started.values():
            run.process.kill()
            run.process.wait()


@pytest.fixture
def run(request: pytest.FixtureRequest, runs: dict[str, Run]) -> Run:
    """The run of this test."""
    return runs[request.node.name]
