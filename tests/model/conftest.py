from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.model.people import demolish


@pytest.fixture(scope="session", autouse=True)
def house_is_demolished() -> Iterator[None]:
    yield
    demolish()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("LAUNDRYD_") or name in {"CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"}:
            monkeypatch.delenv(name)
