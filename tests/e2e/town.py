"""The whole system for end-to-end tests: a town of real programs, and what its pages show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect
from typer.testing import CliRunner

from cloud_relay.cli import app
from laundryd.demo.town import Town

SEEN_WITHIN_MS = 20_000
"""A page shows a change within milliseconds; a busy machine may take longer to start one."""


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """Brokers, relay, edge, six plugs, a push service; room time runs 60 times as fast."""
    async with Town(speed=60, push_tls=False) as running:
        yield running


async def admin(town: Town, *words: str) -> str:
    """Run a word of ``laundryd relay`` beside the relay that runs; return what it prints."""
    command = [*words, "--config", str(town.plan.relay_config)]
    done = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert done.exit_code == 0, done.output
    return done.stdout


async def join(page: Page, town: Town) -> None:
    """Join from the QR picture's address and wait for the live room."""
    await page.goto(town.join_url)
    await live(page)


async def live(page: Page) -> None:
    """Wait until the page shows the room and is connected."""
    room = page.locator("[data-screen=room][data-connection=live]")
    await expect(room).to_be_attached(timeout=SEEN_WITHIN_MS)


async def shows(page: Page, name: str, phase: str) -> None:
    """Wait until the page shows a machine in a phase."""
    card = page.locator(f"[data-machine={name}][data-phase={phase}]")
    await expect(card).to_be_visible(timeout=SEEN_WITHIN_MS)


async def press(page: Page, name: str, command: str) -> None:
    """Press a button of a machine's card."""
    await page.locator(f"[data-machine={name}] [data-command={command}]").click()


async def go_to_the_rooms_own_page(page: Page, town: Town) -> None:
    """Go from the relay's page to the room's own, as a resident does: through the menu."""
    await page.get_by_test_id("menu-open").click()
    await page.get_by_test_id("local-page").click()
    await page.wait_for_url(f"{town.edge_url}/**", timeout=SEEN_WITHIN_MS)
    await live(page)
