"""Chromium, as the distribution ships it, driven by Playwright's asynchronous interface.

Asynchronous, as pytest-asyncio runs our tests; Playwright speaks to it over a pipe, not a port.
"""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import BrowserContext, Playwright

from tests.e2e.browsers.finding import CHROMIUM, browser_path

FLAGS = (
    "--no-sandbox",  # it refuses to run as root with one
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",  # containers have a tiny /dev/shm
)

START_WITHIN_MS = 90_000
STEP_WITHIN_MS = 60_000


async def launch_chromium(
    playwright: Playwright, profile: Path, *, locale: str = "en-GB", **environment: str
) -> BrowserContext:
    """Start a Chromium with a profile of its own; close the context to end it.

    ``environment``: variables beside those of this process, such as a desktop's D-Bus.

    Raises:
        BrowserMissingError: there is no Chromium on this computer.

    """
    context = await playwright.chromium.launch_persistent_context(
        str(profile),
        executable_path=browser_path(CHROMIUM),
        headless=True,
        args=list(FLAGS),
        locale=locale,
        env={**os.environ, **environment},
        timeout=START_WITHIN_MS,
    )
    context.set_default_timeout(STEP_WITHIN_MS)
    context.set_default_navigation_timeout(STEP_WITHIN_MS)
    return context
