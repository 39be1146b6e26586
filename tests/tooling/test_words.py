import json
import os
import subprocess
from pathlib import Path

import pytest

from tools.dev.layout import PWA, ROOT
from tools.dev.node import OLDEST_MINOR, sources, will_do
from tools.dev.testing import pytest_arguments
from tools.dev.words import WORDS, main

LONGEST_CONTRIBUTING = 40


def test_dev_alone_lists_every_word_in_one_line_each() -> None:
    ran = subprocess.run([ROOT / "dev"], capture_output=True, text=True, check=True)
    lines = ran.stdout.splitlines()
    assert [line.split()[1] for line in lines] == [word.name for word in WORDS]


def test_an_unknown_word_is_told_and_exits_with_2(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense"]) == 2
    assert "no word 'nonsense'" in capfd.readouterr().err


def test_every_word_is_documented_in_contributing() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert [word.name for word in WORDS if f"`./dev {word.name}`" not in text] == []
    assert len(text.splitlines()) < LONGEST_CONTRIBUTING


def test_without_python_the_launcher_says_so_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    env = {**os.environ, "PATH": str(tmp_path)}
    ran = subprocess.run(
        ["/bin/sh", ROOT / "dev", "demo"], env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("./dev needs Python 3.11 or newer and found none")
    assert len(ran.stderr.splitlines()) == 1


def test_full_adds_the_heavy_tests_and_the_rest_goes_to_pytest() -> None:
    assert pytest_arguments([]) == ["-m", "not full"]
    assert pytest_arguments(["--full", "-k", "wire"]) == [
        "--hypothesis-profile=search",
        "-k",
        "wire",
    ]
    assert pytest_arguments(["tests/wire"]) == ["-m", "not full", "tests/wire"]


@pytest.mark.parametrize(
    ("said", "good"),
    [
        ("v20.20.2\n", True),
        ("v20.18.1", False),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.0.0", True),
        ("v23.0.0-nightly", False),
        ("v9.99.0", False),
        ("", False),
        ("not node", False),
    ],
)
def test_only_a_node_that_the_build_runs_on_is_used(said: str, *, good: bool) -> None:
    assert will_do(said) is good


def test_the_bound_of_node_is_that_of_the_web_app() -> None:
    engines = json.loads((PWA / "package.json").read_text())["engines"]["node"]
    assert engines == "^20.19.0 || >=22.12.0"
    assert OLDEST_MINOR == {20: 19, 22: 12}


def test_what_is_made_is_no_source_of_the_web_app(tmp_path: Path) -> None:
    for name in ("src/app.tsx", "package.json", "node_modules/x/index.js", "dist/index.html"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    found = {path.relative_to(tmp_path).as_posix() for path in sources(tmp_path)}
    assert found == {"src/app.tsx", "package.json"}
