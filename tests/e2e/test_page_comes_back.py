"""The page in Chromium before a room's edge that goes and comes: what the scenarios say, for real."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from laundryd.demo.broker import Mosquitto
from tests.e2e.browsers.fixtures import NewChromium
from tests.e2e.town import live, shows
from tests.edge.local.conftest import CODE, set_code
from tests.edge.running import ROOM, EdgeProcess

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

OFFLINE_WITHIN_MS = 60_000
"""Five tries with full jitter take 31 s at most, and each try its own time on a busy machine."""
AWAKE_WITHIN_S = 5.0
"""The next try by backoff alone may be 30 s away."""


@pytest.fixture
async def edge(tmp_path: Path, mosquitto: Mosquitto) -> AsyncIterator[EdgeProcess]:
    edge = EdgeProcess(tmp_path / "edge", mosquitto.settings)
    await set_code(edge.data_dir, CODE, 10)
    await asyncio.to_thread(edge.start)
    yield edge
    assert await asyncio.to_thread(edge.stop) == 0, edge.log


@pytest.fixture
async def page(edge: EdgeProcess, new_chromium: NewChromium) -> Page:
    page = await (await new_chromium()).new_page()
    await page.goto(f"{edge.origin}/#join={CODE}")
    await live(page)
    return page


async def connection_is(page: Page, state: str, timeout_ms: float) -> None:
    await expect(page.locator(f"[data-connection={state}]")).to_be_attached(timeout=timeout_ms)


async def claim(edge: EdgeProcess, machine: str) -> None:
    async with httpx.AsyncClient(base_url=edge.origin, headers={"Origin": edge.origin}) as ben:
        assert (await ben.post("/api/v1/join", json={"code": CODE})).status_code == 200
        path = f"/api/v1/rooms/{ROOM.key}/machines/{machine}/claim"
        answer = await ben.post(path, json={"id": uuid.uuid4().hex})
        assert answer.status_code == 200, answer.text


async def test_it_says_that_it_is_offline_and_is_back_at_once_when_the_device_is_online(
    edge: EdgeProcess, page: Page
) -> None:
    edge.kill()
    await connection_is(page, "connecting", 10_000)
    await connection_is(page, "offline", OFFLINE_WITHIN_MS)
    await asyncio.to_thread(edge.start)
    await claim(edge, "w2")
    began_s = time.monotonic()
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await connection_is(page, "live", AWAKE_WITHIN_S * 1_000)
    assert time.monotonic() - began_s < AWAKE_WITHIN_S
    await shows(page, "w2", "claimed")


async def test_a_page_whose_token_opens_nothing_any_more_goes_to_the_join_screen(
    edge: EdgeProcess, page: Page
) -> None:
    await page.context.clear_cookies()
    edge.kill()
    await connection_is(page, "connecting", 10_000)
    await asyncio.to_thread(edge.start)
    # The refused handshake says nothing to a page; GET /api/v1/me does.
    screen = page.locator("[data-screen=join] [data-problem=unauthenticated]")
    await expect(screen).to_be_attached(timeout=OFFLINE_WITHIN_MS)
