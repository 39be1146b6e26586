"""Where things are in a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

VENV = ROOT / ".venv"
VENV_BIN = VENV / "bin"
VENV_PYTHON = VENV_BIN / "python"

STATE = ROOT / ".dev"
"""Stamps, logs and private tools of `./dev`; git ignores it and `./dev clean` removes it."""

LOGS = STATE / "logs"
STAMPS = STATE / "stamps"
REQUIREMENTS = ROOT / "requirements"

PWA = ROOT / "pwa"
WEBAPP = ROOT / "laundryd" / "daemon" / "webapp"
"""The built web app, served by both programs and contained in the wheel."""

DIST = ROOT / "dist"
"""Where `./dev build` leaves the wheel; git ignores it."""

BENCHES = ROOT / "tests" / "bench"
