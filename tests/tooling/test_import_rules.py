import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.dev.layout import ROOT

MODULES = (
    "laundryd/wire/__init__.py",
    "laundryd/live/__init__.py",
    "laundryd/daemon/__init__.py",
    "laundryd/demo/__init__.py",
    "laundryd/watch/__init__.py",
    "laundryd/__init__.py",
    "laundryd/cli.py",
    "edge/__init__.py",
    "cloud_relay/__init__.py",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The house without furniture, under the rules of the real one."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in MODULES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('"""Empty."""\n')
    (tmp_path / "laundryd/daemon/mqtt.py").write_text("import aiomqtt\nimport paho.mqtt\n")
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_rules_hold_where_nobody_breaks_them(tree: Path) -> None:
    ran = lint(tree)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("edge/app.py", "import cloud_relay", "edge and cloud_relay never import each other"),
        ("laundryd/wire/x.py", "import laundryd.daemon", "the wire imports nothing of ours"),
        ("laundryd/daemon/x.py", "import edge", "live and daemon import the wire only"),
        ("laundryd/live/x.py", "import laundryd.daemon", "live and daemon do not know each other"),
        ("edge/link.py", "import aiomqtt", "only the MQTT connection imports aiomqtt"),
        ("cloud_relay/x.py", "import paho.mqtt", "only the MQTT connection imports aiomqtt"),
    ],
)
def test_an_import_against_the_rules_is_found(
    tree: Path, module: str, line: str, rule: str
) -> None:
    (tree / module).write_text(f"{line}\n")
    ran = lint(tree)
    assert ran.returncode != 0
    assert f"{rule} BROKEN" in ran.stdout
