"""Checks of our own: pure functions from a file's name and text to what is wrong with it."""

import json
import re
from collections.abc import Iterator

MOST_LINES = 500
"""The longest a source file may be: beyond that nobody reads it in one go."""

LIMITED_SUFFIXES = (".py", ".ts", ".tsx", ".css")

REQUIREMENT = re.compile(
    r"""
    [A-Za-z0-9][A-Za-z0-9._-]*            # the package
    (\[[A-Za-z0-9,._-]+\])?               # its extras
    ==[A-Za-z0-9.!+_-]+                   # its version
    (\s*;\s*[A-Za-z0-9_.'"()<>=!,\s]+)?   # where it is needed
    \s\\
    """,
    re.VERBOSE,
)
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")

ADDRESS = re.compile(r"://|\bwww\.|@git|git\+", re.IGNORECASE)
"""What an address of a download looks like, wherever it stands in a lock file."""

REGISTRY = re.compile(
    r"\bregistry\.(?:npm|yarn)\w+\.|\bfiles\.python\w+\.|\b(?:test\.)?pypi\.[a-z]{2,}\b(?!\()"
    r"|\bpiwheels\.[a-z]|\b(?:extra-)?index-url\s*=|\bfind-links\s*=",
    re.IGNORECASE,
)
"""Where packages come from is the machine's business, never the project's."""

MACHINE_PATH = re.compile(
    r"(?<![\w.*/~}$-])/(?:work|root|Users|home/[a-z][\w-]*|tmp/brief|opt/pypi)/"
)
"""A path that exists on somebody's machine only."""


def requirements_problems(name: str, text: str) -> Iterator[str]:
    """Yield what is wrong with a hashed requirements file.

    Each line is a pinned package, one of its hashes, a comment or empty: there is no room for an
    option or an address (the file format is pip's).
    """
    hashes = 1
    for number, line in enumerate(text.splitlines(), start=1):
        if ADDRESS.search(line) or (is_option(line) and not HASH.fullmatch(line)):
            yield f"{name}:{number}: a lock file names no address and no option: {line.strip()}"
        elif HASH.fullmatch(line):
            hashes += 1
        elif REQUIREMENT.fullmatch(line):
            if not hashes:
                yield f"{name}:{number}: the package before this one has no hash"
            hashes = 0
        elif line.strip() and not line.lstrip().startswith("#"):
            yield f"{name}:{number}: neither a pinned package nor a hash: {line.strip()}"
    if not hashes:
        yield f"{name}: the last package has no hash"


def npm_lock_problems(name: str, text: str) -> Iterator[str]:
    """Yield what is wrong with a package-lock.json: an address anywhere, a package without hash."""
    try:
        content = json.loads(text)
    except ValueError as error:
        yield f"{name}: not JSON ({error})"
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if ADDRESS.search(line) or '"resolved"' in line:
            yield f"{name}:{number}: a lock file names no address: {line.strip()}"
    for path, package in content.get("packages", {}).items():
        if path and not package.get("link") and "integrity" not in package:
            yield f"{name}: {path} has no integrity hash"


def size_problems(name: str, text: str) -> Iterator[str]:
    """Yield that a source file is too long, if it is."""
    lines = len(text.splitlines())
    if name.endswith(LIMITED_SUFFIXES) and lines > MOST_LINES:
        yield f"{name}: {lines} lines, {MOST_LINES} at most: split it where its concerns part"


def address_problems(name: str, text: str) -> Iterator[str]:
    """Yield where a committed file names a package registry or a path of one machine."""
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, what in ((REGISTRY, "a package registry"), (MACHINE_PATH, "a machine's path")):
            if found := pattern.search(line):
                yield f"{name}:{number}: names {what}: {found[0]}"


def is_option(line: str) -> bool:
    """Whether the line of a requirements file is an option of pip's."""
    return line.lstrip().startswith("-")


def is_python_lock(name: str) -> bool:
    """Whether the file is one of Python's lock files."""
    return name.startswith("requirements/") and name.endswith(".txt")


def is_npm_lock(name: str) -> bool:
    """Whether the file is npm's lock file."""
    return name.endswith("package-lock.json")


def problems_of(name: str, text: str) -> Iterator[str]:
    """Yield everything that is wrong with one file of the repository."""
    if is_python_lock(name):
        yield from requirements_problems(name, text)
    if is_npm_lock(name):
        yield from npm_lock_problems(name, text)
    yield from size_problems(name, text)
    yield from address_problems(name, text)
