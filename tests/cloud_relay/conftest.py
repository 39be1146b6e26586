from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiosqlite
import pytest

from cloud_relay.migrations import MIGRATIONS
from laundryd.daemon.sqlite import open_database


@pytest.fixture
async def relay_db() -> AsyncIterator[aiosqlite.Connection]:
    db = await open_database(None, MIGRATIONS)
    yield db
    await db.close()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("LAUNDRYD_") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)


@pytest.fixture
def free_port() -> Callable[[], int]:
    def choose() -> int:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            return int(one.getsockname()[1])

    return choose


@pytest.fixture
def relay_toml(tmp_path: Path) -> Path:
    path = tmp_path / "relay.toml"
    path.write_text(
        f'data_dir = "{tmp_path}"\n'
        '[http]\npublic_url = "https://laundry.example.org"\nport = 0\n'
        '[push]\nvapid_subject = "mailto:staff@example.org"\n'
    )
    return path
