"""Programs from npm that ours are compared with, as their lock files say."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tools.dev.node import find_node


def installed(folder: Path) -> Path:
    """Install what ``package-lock.json`` in ``folder`` names, if it is not; return the program ``node``."""
    node = find_node()
    lock, done = folder / "package-lock.json", folder / "node_modules/.package-lock.json"
    if not done.is_file() or done.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(
            (*node.npm, "ci", "--no-audit", "--no-fund", "--silent"),
            cwd=folder,
            env=node.env(),
            check=True,
        )
        done.touch()
    return node.folder / "node"
