"""The unit files, as systemd itself judges them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "systemd").glob("*.service"))
DROP_INS = sorted((ROOT / "systemd").glob("*.service.d/*.conf"))
EXPOSURE_MAX = 2.0


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is not installed: run `apt-get install systemd`"
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)


def with_a_real_program(unit: Path, folder: Path) -> Path:
    """The same unit, its program this Python: what is verified is ours, not where it is installed."""
    copy = folder / unit.name
    text = unit.read_text()
    assert "/opt/laundryd/bin/laundryd" in text
    copy.write_text(text.replace("/opt/laundryd/bin/laundryd", sys.executable))
    return copy


def test_both_programs_have_a_unit() -> None:
    assert [unit.stem for unit in UNITS] == ["laundryd-edge", "laundryd-relay"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    found = analyze("verify", "--recursive-errors=yes", str(with_a_real_program(unit, tmp_path)))
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("drop_in", DROP_INS, ids=lambda path: path.stem)
def test_systemd_understands_every_line_of_a_drop_in(drop_in: Path, tmp_path: Path) -> None:
    (unit,) = [one for one in UNITS if drop_in.parent.name == f"{one.name}.d"]
    copy = with_a_real_program(unit, tmp_path)
    # Appended as systemd reads it; the folder would count only where systemd looks for units.
    copy.write_text(f"{copy.read_text()}\n{drop_in.read_text()}")
    found = analyze("verify", "--recursive-errors=yes", str(copy))
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("drop_in", DROP_INS, ids=lambda path: path.stem)
def test_a_drop_in_hands_over_what_the_settings_in_it_and_in_the_guide_name(drop_in: Path) -> None:
    text = drop_in.read_text()
    loaded = set(re.findall(r"^LoadCredential=([^:]+):/etc/laundryd/\1$", text, re.MULTILINE))
    assert loaded
    unit = drop_in.parent.name.removesuffix(".d")
    named = set(re.findall(rf'"/run/credentials/{unit}/([^"]+)"', text))
    assert named <= loaded
    assert drop_in.name in (ROOT / "docs" / "admin.md").read_text()


def test_a_misspelt_line_is_found(tmp_path: Path) -> None:
    unit = with_a_real_program(UNITS[0], tmp_path)
    unit.write_text(unit.read_text().replace("ProtectClock=", "ProtectClocks="))
    found = analyze("verify", "--recursive-errors=yes", str(unit))
    assert "ProtectClocks" in found.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_little_is_exposed(unit: Path) -> None:
    found = analyze("security", "--offline=true", str(unit))
    level = re.search(r"exposure level for \S+: ([0-9.]+)", found.stdout)
    assert level, found.stdout[-500:]
    assert float(level[1]) <= EXPOSURE_MAX


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_readiness_and_progress_are_reported(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    assert "Type=notify" in lines
    assert any(re.fullmatch(r"WatchdogSec=\d+s", line) for line in lines)
    assert "RestartPreventExitStatus=2" in lines
