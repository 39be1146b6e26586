"""The command ``laundryd``. Each program is imported only when it is called: an edge has no relay."""

from __future__ import annotations

import importlib
import sys
from typing import Final

import typer

from laundryd import __version__

PROGRAMS: Final[dict[str, tuple[str, str]]] = {
    "edge": ("edge.cli", "The daemon of one laundry room."),
    "relay": ("cloud_relay.cli", "The cloud relay."),
    "watch": ("laundryd.watch.cli", "Follow a room from this terminal."),
    "demo": ("laundryd.demo.cli", "Everything on this computer, with simulated machines."),
}
"""Word -> (module that holds the typer ``app``, what it is)."""


def usage() -> str:
    """Return what ``laundryd`` alone prints."""
    lines = [f"  {word:6} {what}" for word, (_, what) in PROGRAMS.items()]
    return "\n".join([f"laundryd {__version__}", "", *lines, "", "laundryd WORD --help says more."])


def main() -> None:
    """Run the program that the first word names."""
    word, *rest = sys.argv[1:] or ["--help"]
    if word in {"--help", "-h", "help"}:
        sys.stdout.write(usage() + "\n")
        return
    if word == "--version":
        sys.stdout.write(f"laundryd {__version__}\n")
        return
    if word not in PROGRAMS:
        sys.stderr.write(f"laundryd: there is no {word!r}\n\n{usage()}\n")
        sys.exit(2)
    module, _ = PROGRAMS[word]
    try:
        app = importlib.import_module(module).app
    except ModuleNotFoundError as error:
        # An edge's installation has no relay libraries; anything of ours missing is a bug.
        if error.name is None or error.name.split(".")[0] in {"laundryd", "edge", "cloud_relay"}:
            raise
        sys.stderr.write(
            f"laundryd {word}: this installation is without the {word}, {error.name} is missing; "
            f"install requirements/{word}.txt of the sources, or laundryd[{word}]\n"
        )
        sys.exit(1)
    if not isinstance(app, typer.Typer):
        raise TypeError(f"{module}.app is no typer application")
    # A fault of ours is one plain traceback in the journal: no frames drawn around it, no values in it.
    app.pretty_exceptions_enable = False
    app(args=rest, prog_name=f"laundryd {word}")
