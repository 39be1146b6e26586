import json
import tomllib

from tools.dev.layout import REQUIREMENTS, ROOT
from tools.dev.locking import LOCKS, tidied, without_indexes


def pinned(lock: str) -> set[str]:
    lines = (REQUIREMENTS / f"{lock}.txt").read_text().splitlines()
    return {line.removesuffix(" \\") for line in lines if "==" in line and line[0].isalnum()}


def test_every_lock_has_its_file_and_every_file_its_lock() -> None:
    assert {path.stem for path in REQUIREMENTS.glob("*.txt")} == {lock.name for lock in LOCKS}


def test_a_package_has_one_version_in_all_locks() -> None:
    assert pinned("edge") <= pinned("relay") <= pinned("demo") <= pinned("dev")


def test_an_edge_installs_nothing_that_only_a_relay_needs() -> None:
    names = {pin.split("==")[0] for pin in pinned("edge")}
    assert not names & {"pywebpush", "aiohttp", "http-ece", "py-vapid", "firebase-admin"}


def test_every_dependency_of_pyproject_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = {pin.split("==")[0] for pin in pinned("dev")}
    extras = [item for extra in project["optional-dependencies"].values() for item in extra]
    for item in [*project["dependencies"], *extras]:
        name = item.split(">")[0].split("=")[0].split("[")[0].lower().replace("_", "-")
        assert name == "laundryd" or name in locked, f"{item}: run './dev lock'"


def test_addresses_of_files_and_funding_are_taken_out_of_the_npm_lock() -> None:
    package = {"version": "1.0.0", "resolved": "x", "funding": {"url": "y"}, "integrity": "z"}
    lock = json.dumps({"packages": {"node_modules/x": package}})
    assert json.loads(tidied(lock)) == {
        "packages": {"node_modules/x": {"version": "1.0.0", "integrity": "z"}}
    }


def test_a_machines_own_indexes_do_not_reach_the_lock() -> None:
    environment = {"UV_INDEX": "x", "PIP_FIND_LINKS": "y", "PATH": "z"}
    assert without_indexes(environment) == {"PATH": "z"}
