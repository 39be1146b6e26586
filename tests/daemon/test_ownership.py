from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from laundryd.daemon.ownership import make_private_folder
from laundryd.daemon.sqlite import open_database
from laundryd.daemon.tokens import SigningKey, write_secret

SERVICE = 64_321
"""A user that no computer has: DynamicUser's are as fleeting."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture
def service_folder(tmp_path: Path) -> Path:
    """The state folder of a service that systemd has started before."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    os.chown(folder, SERVICE, SERVICE)
    return folder


def owners(folder: Path) -> dict[str, tuple[int, int]]:
    found = ((path.name, path.stat()) for path in folder.rglob("*"))
    return {name: (status.st_uid, status.st_gid) for name, status in found}


@as_root
async def test_what_root_makes_in_a_services_folder_is_the_services(service_folder: Path) -> None:
    SigningKey.load_or_create(service_folder / "keys" / "signing.pem")
    write_secret(service_folder / "relay.toml", b"x = 1")
    db = await open_database(service_folder / "relay.db", ["CREATE TABLE one (id INTEGER)"])
    try:
        made = owners(service_folder)
        assert made.keys() >= {"keys", "signing.pem", "relay.toml", "relay.db", "relay.db-wal"}
        assert set(made.values()) == {(SERVICE, SERVICE)}
    finally:
        await db.close()


@as_root
async def test_a_database_that_is_there_keeps_its_owner(service_folder: Path) -> None:
    path = service_folder / "relay.db"
    await (await open_database(path, [])).close()
    os.chown(path, 0, 0)
    await (await open_database(path, [])).close()
    assert owners(service_folder)["relay.db"] == (0, 0)


def test_a_folder_is_made_with_those_above_it_for_its_owner_alone(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "a" / "b")
    make_private_folder(tmp_path / "a" / "b")
    for folder in (tmp_path / "a", tmp_path / "a" / "b"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
