import subprocess
import sys
import zipfile
from pathlib import Path

from tools.dev.layout import ROOT, WEBAPP


def test_the_wheel_contains_the_programs_and_the_built_web_app(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("laundryd-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in ("laundryd/cli.py", "edge/app.py", "cloud_relay/app.py"):
        assert name in names
    built = {path for path in WEBAPP.rglob("*") if path.is_file()}
    assert WEBAPP / "index.html" in built, "the web app is not built: run './dev setup'"
    assert {path.relative_to(ROOT).as_posix() for path in built} <= names
    assert not {name for name in names if name.startswith(("tests/", "tools/", "pwa/"))}
