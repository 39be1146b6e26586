"""The token of a terminal, in a file that only its owner can read, for one server and no other."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from pydantic import ValidationError

from laundryd.wire.bodies import Token
from laundryd.wire.ids import WireModel

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class PassFileError(Exception):
    """The file cannot be used; the message says why and what to do."""


class Pass(WireModel):
    """``token`` opens the server at ``origin``."""

    origin: str
    token: Token


def default_path(origin: str, environment: dict[str, str], home: Path) -> Path:
    """Return where the pass for the server at ``origin`` is kept: one file a server."""
    configured = environment.get("XDG_CONFIG_HOME", "")
    folder = Path(configured) if configured.startswith("/") else home / ".config"
    parts = urlsplit(origin)
    return folder / "laundryd" / "watch" / f"{parts.scheme}-{quote(parts.netloc, safe='')}.json"


def read_pass(path: Path, origin: str) -> Pass:
    """Return the pass for ``origin``.

    Raises:
        PassFileError: it is missing, readable by others, damaged, or for another server.

    """
    try:
        # Judged and read through one descriptor, so that it is the same file.
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            text = file.read(1 << 16)
    except FileNotFoundError:
        raise PassFileError(f"{path} does not exist: join first, with --join") from None
    except OSError as error:
        raise PassFileError(f"{path} cannot be read: {error.strerror}") from error
    if stat.S_IMODE(found.st_mode) & _OTHERS:
        raise PassFileError(
            f"{path} can be read by others: chmod 600 it, or join again with --join"
        )
    try:
        held = Pass.model_validate_json(text)
    except ValidationError:
        raise PassFileError(f"{path} is damaged: join again with --join") from None
    if held.origin != origin:
        raise PassFileError(f"{path} is a pass for {held.origin}, not for {origin}")
    return held


def write_pass(path: Path, held: Pass) -> None:
    """Write the pass whole or not at all, mode 0600.

    Raises:
        PassFileError: it cannot be written.

    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(held.model_dump_json())
        fresh.replace(path)
    except OSError as error:
        raise PassFileError(f"{path} cannot be written: {error.strerror}") from error
