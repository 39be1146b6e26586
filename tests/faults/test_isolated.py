"""A run leaves nothing behind, and says why where it cannot be."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import isolated
from tools.dev.layout import ROOT

GONE_WITHIN_S = 10


STARTS_TWO = """
import os, subprocess, sys
said = int(sys.argv[1])
for apart in (False, True):
    subprocess.Popen(["sleep", "1000"], pass_fds=[said], start_new_session=apart)
os.write(said, b"x")
os.wait()
"""


def test_killed_without_warning_it_takes_along_everything_that_it_had_started() -> None:
    if (reason := isolated.why_not()) is not None:
        pytest.skip(reason)
    heard, said = os.pipe()
    try:
        words = isolated.inside(sys.executable, "-c", STARTS_TWO, str(said))
        with subprocess.Popen(words, pass_fds=(said,)) as run:
            os.close(said)
            assert os.read(heard, 1) == b"x", "both are running"
            run.kill()
        assert select.select([heard], [], [], GONE_WITHIN_S)[0], "somebody lives and holds the pipe"
        assert os.read(heard, 1) == b""
    finally:
        os.close(heard)


def test_where_it_cannot_be_done_it_says_why(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.faults"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 3
    assert ran.stderr == (
        "no faults here: not installed: unshare, nsenter, ip, mount (util-linux, iproute2)\n"
    )
