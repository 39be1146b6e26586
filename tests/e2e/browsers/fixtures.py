"""Fixtures of real browsers and of the push service that they use.

``tests/e2e/conftest.py`` hands them to every test below it. All are asynchronous and of one test: a
new profile, ports that the system chose, and everything ended with the test.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright

from laundryd.demo.push_service import PushService
from tests.e2e.browsers.chromium import launch_chromium
from tests.e2e.browsers.finding import BrowserMissingError
from tests.e2e.browsers.firefox import Firefox
from tests.e2e.browsers.firefox_process import Preference

LaunchFirefox = Callable[..., Awaitable[Firefox]]
NewChromium = Callable[..., Awaitable[BrowserContext]]


@pytest.fixture
async def push_service() -> AsyncIterator[PushService]:
    """A push service on loopback, running."""
    async with PushService() as service:
        yield service


@pytest.fixture
async def launch_firefox(push_service: PushService, tmp_path: Path) -> AsyncIterator[LaunchFirefox]:
    """``await launch_firefox(preferences)``: a Firefox that pushes through ``push_service``.

    Every call takes the same profile, so quit or kill the one before: that is a restart.
    """
    async with contextlib.AsyncExitStack() as running:

        async def launch(preferences: Mapping[str, Preference] | None = None) -> Firefox:
            local = {"dom.push.serverURL": push_service.websocket_url}
            try:
                firefox = await Firefox.launch(
                    tmp_path / "firefox", {**local, **(preferences or {})}
                )
            except BrowserMissingError as error:
                pytest.fail(str(error), pytrace=False)
            running.push_async_callback(firefox.kill)
            return firefox

        yield launch


@pytest.fixture
async def firefox(launch_firefox: LaunchFirefox) -> Firefox:
    """A running Firefox with a blank page, its push service local."""
    return await launch_firefox()


@pytest.fixture
async def new_chromium(tmp_path: Path) -> AsyncIterator[NewChromium]:
    """``await new_chromium(locale="ko-KR")``: a Chromium with a new profile, one for each resident.

    Further words are variables of its environment.
    """
    async with async_playwright() as playwright, contextlib.AsyncExitStack() as running:
        count = 0

        async def launch(*, locale: str = "en-GB", **environment: str) -> BrowserContext:
            nonlocal count
            count += 1
            try:
                context = await launch_chromium(
                    playwright, tmp_path / f"chromium-{count}", locale=locale, **environment
                )
            except BrowserMissingError as error:
                pytest.fail(str(error), pytrace=False)
            running.push_async_callback(context.close)
            return context

        yield launch


@pytest.fixture
async def chromium_page(new_chromium: NewChromium) -> Page:
    """A blank page of a Chromium of its own."""
    context = await new_chromium()
    return context.pages[0] if context.pages else await context.new_page()
