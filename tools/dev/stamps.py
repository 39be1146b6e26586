"""Content hashes: a step runs again only when what it depends on has changed."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(*, files: Iterable[Path] = (), words: Iterable[str] = ()) -> str:
    """Return the SHA-256 over the files' paths and contents and over the words, in hex.

    A file that does not exist counts as such, so that its arrival changes the result.
    """
    total = hashlib.sha256()
    for word in words:
        total.update(f"word {len(word)} {word}\n".encode())
    for path in sorted(files):
        content = path.read_bytes() if path.is_file() else None
        size = "absent" if content is None else len(content)
        total.update(f"file {path} {size}\n".encode())
        total.update(content or b"")
    return total.hexdigest()


class Stamps:
    """One small file a step, holding the digest the step was last done for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def is_current(self, step: str, value: str) -> bool:
        """Whether the step was last done for this very digest."""
        path = self._folder / step
        return path.is_file() and path.read_text() == value

    def set(self, step: str, value: str) -> None:
        """Remember that the step is done for this digest."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / step).write_text(value)

    def forget(self, *steps: str) -> None:
        """Forget the steps, so that each runs again; an unknown one is no error."""
        for step in steps:
            (self._folder / step).unlink(missing_ok=True)
