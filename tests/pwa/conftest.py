"""The built app behind the servers' own guard, in a real Chromium, with nobody signed in."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.async_api import BrowserContext, ConsoleMessage, Page, async_playwright

from laundryd.daemon import problems, webapp
from laundryd.daemon.http_guard import HttpGuard
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.serve import listen, serve
from laundryd.wire.errors import ErrorCode

from .relay_door import RelayDoor
from .room_door import RoomDoor
from .staff_door import StaffDoor

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Shell:
    """An open page, its server's address, and what the browser complained about."""

    page: Page
    context: BrowserContext
    address: str
    complaints: list[str] = field(default_factory=list)

    def heard(self, message: ConsoleMessage) -> None:
        # A refused request is the browser's own line; ours to mend is everything else.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


def _application() -> HttpGuard:
    app = FastAPI(openapi_url=None)
    problems.install(app)

    @app.get("/api/v1/me")
    async def nobody() -> None:
        raise ProblemError(ErrorCode.UNAUTHENTICATED)

    @app.post("/api/v1/join")
    async def no_such_code() -> None:
        raise ProblemError(ErrorCode.JOIN_CODE_INVALID)

    webapp.install(app)
    return HttpGuard(app, hosts=["localhost"])


@asynccontextmanager
async def _served(app: HttpGuard) -> AsyncIterator[str]:
    if not webapp.built():
        pytest.skip("the web app is not built: run ./dev build")
    listener = listen("127.0.0.1", 0)
    started = asyncio.Event()
    task = asyncio.create_task(serve(app, listener, on_started=started.set))
    await started.wait()
    try:
        yield f"http://localhost:{listener.getsockname()[1]}"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _opened(address: str, profile: Path) -> AsyncIterator[Shell]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on PATH: ./dev test installs it")
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium,
            headless=True,
            args=list(CHROMIUM_FLAGS),
            locale="ko-KR",
        )
        page = context.pages[0]
        opened = Shell(page, context, address)
        page.on("console", opened.heard)
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        try:
            yield opened
        finally:
            await context.close()


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    async with (
        _served(_application()) as address,
        _opened(address, tmp_path / "profile") as opened,
    ):
        yield opened


@pytest.fixture
def door() -> RoomDoor:
    return RoomDoor()


@pytest.fixture
def relay() -> RelayDoor:
    return RelayDoor()


@pytest.fixture
def office() -> StaffDoor:
    return StaffDoor()


@pytest.fixture
async def at_the_office(office: StaffDoor, tmp_path: Path) -> AsyncIterator[Shell]:
    """A browser of the staff's before the relay of ``office``, which it has not opened yet."""
    app = HttpGuard(office.application(), hosts=["localhost"])
    async with _served(app) as address, _opened(address, tmp_path / "profile") as opened:
        yield opened


@pytest.fixture
async def at_the_relay(relay: RelayDoor, tmp_path: Path) -> AsyncIterator[Shell]:
    """A browser before the relay of ``relay``, which it has not opened yet."""
    app = HttpGuard(relay.application(), hosts=["localhost"])
    async with _served(app) as address, _opened(address, tmp_path / "profile") as opened:
        yield opened


@pytest.fixture
async def at_the_room(door: RoomDoor, tmp_path: Path) -> AsyncIterator[Shell]:
    """A browser beside the room of ``door``, which it has not opened yet."""
    app = HttpGuard(door.application(), hosts=["localhost"])
    async with _served(app) as address, _opened(address, tmp_path / "profile") as opened:
        yield opened
