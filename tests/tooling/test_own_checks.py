import json
from pathlib import Path

import pytest

from tools.dev.checking import own_problems, repository_files
from tools.dev.layout import PWA, REQUIREMENTS, ROOT
from tools.dev.own_checks import (
    MOST_LINES,
    address_problems,
    npm_lock_problems,
    requirements_problems,
    size_problems,
)

HASH = "--hash=sha256:" + "0" * 64
GOOD = f"wheel==1.0 ; python_version < '3.12' \\\n    {HASH} \\\n    {HASH}\n    # via laundryd\n"


def scheme(rest: str) -> str:
    """Make an address without one standing in this file."""
    return "https:" + "//" + rest


def npm_lock(**package: str) -> str:
    return json.dumps({"packages": {"": {}, "node_modules/preact": package}})


def test_a_hashed_lock_file_without_addresses_passes() -> None:
    assert list(requirements_problems("x.txt", GOOD)) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index" + "-url " + scheme("packages.example/simple"),
        "--find" + "-links /somewhere",
        "-r other.txt",
        "wheel @ " + scheme("packages.example/wheel.whl"),
        "# from " + scheme("packages.example"),
        "wheel @ git" + "+ssh:/" + "/git@example/wheel",
        "wheel>=1.0",
    ],
)
def test_a_lock_file_with_an_address_an_option_or_a_range_fails(line: str) -> None:
    assert list(requirements_problems("x.txt", GOOD + line + "\n"))


@pytest.mark.parametrize("text", ["a==1 \\\n" + GOOD, GOOD + "a==1 \\\n"])
def test_a_package_without_a_hash_fails(text: str) -> None:
    assert any("no hash" in problem for problem in requirements_problems("x.txt", text))


def test_an_npm_lock_with_hashes_only_passes() -> None:
    assert list(npm_lock_problems("x", npm_lock(version="11.2.0", integrity="sha512-x"))) == []


@pytest.mark.parametrize(
    "package",
    [
        {"integrity": "sha512-x", "resolved": "preact.tgz"},
        {"integrity": "sha512-x", "funding": scheme("packages.example/fund")},
        {"integrity": "sha512-x", "version": "git" + "+ssh:/" + "/example/x.git"},
        {"version": "11.2.0"},
    ],
)
def test_an_npm_lock_with_an_address_or_without_a_hash_fails(package: dict[str, str]) -> None:
    assert list(npm_lock_problems("x", npm_lock(**package)))


def test_an_npm_lock_that_is_not_json_fails() -> None:
    assert list(npm_lock_problems("x", "{"))


def test_a_source_file_over_the_limit_fails_and_one_at_the_limit_passes() -> None:
    assert list(size_problems("a.py", "\n" * MOST_LINES)) == []
    assert list(size_problems("a.tsx", "\n" * (MOST_LINES + 1)))
    assert list(size_problems("a.md", "\n" * (MOST_LINES + 1))) == []


@pytest.mark.parametrize(
    "line",
    [
        "see " + scheme("pypi" + ".org/project/x"),
        "registry" + ".npmjs.org",
        "files.python" + "hosted.org",
        "extra-index" + "-url = file:x",
        "cd /ro" + "ot/laundryd",
        "open('/wo" + "rk/main/x')",
        "'/Us" + "ers/someone/x'",
    ],
)
def test_a_committed_registry_or_path_of_a_machine_fails(line: str) -> None:
    assert list(address_problems("a.md", line))


@pytest.mark.parametrize(
    "line", ["comes from PyPI", "/var/lib/laundryd/edge.db", "../shared/traces", "</root>"]
)
def test_ordinary_words_and_paths_pass(line: str) -> None:
    assert list(address_problems("a.md", line)) == []


def test_problems_of_files_are_named_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    bad = tmp_path / "requirements" / "edge.txt"
    bad.write_text("a>=1\n")
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\xff\xfe")
    (problem,) = own_problems([bad, picture], root=tmp_path)
    assert problem.startswith("requirements/edge.txt:1: ")


def test_the_lock_files_of_this_repository_name_no_address() -> None:
    locks = sorted(REQUIREMENTS.glob("*.txt"))
    assert {path.stem for path in locks} >= {"edge", "relay", "demo", "dev", "node", "uv"}
    for path in locks:
        assert list(requirements_problems(path.name, path.read_text())) == []
    npm = PWA / "package-lock.json"
    assert list(npm_lock_problems(npm.name, npm.read_text())) == []


def test_no_file_of_this_repository_is_too_long_or_names_a_machine() -> None:
    assert own_problems(repository_files(), root=ROOT) == []
