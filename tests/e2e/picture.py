"""The picture of the README: the room page of a running town, with most phases in it.

``python -m tests.e2e.picture`` writes ``docs/images/room.png``; it takes under a minute.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from laundryd.demo.people import Place, live_in
from laundryd.demo.sightings import Sightings
from laundryd.demo.town import Town
from laundryd.wire.commands import CommandName
from tests.e2e.browsers.chromium import launch_chromium
from tests.e2e.town import join, press, shows

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "room.png"
SIZE = {"width": 900, "height": 500}
"""A tablet's width; the height is the page's own."""
FINISHED_WITHIN_MS = 60_000
"""A programme of 12 room minutes and the detection of its end, at 60 times."""


async def set_the_scene(page: Page, town: Town) -> None:
    """Bring the machines into the phases to be seen; the page's reader has Washer 2."""
    async with live_in(town, Sightings(), [("neighbour", Place.AWAY)]) as (neighbour,):
        await neighbour.ask("w1", CommandName.START)
        town.plug("w1").run_programme(12)
        await press(page, "w2", "start")
        await page.locator("[data-machine=w2] [data-minutes='60']").click()
        town.plug("w2").run_programme(60)
        await neighbour.ask("d1", CommandName.START, minutes=50)
        town.plug("d1").run_programme(50)
        finished = page.locator("[data-machine=w1][data-phase=finished]")
        await expect(finished).to_be_visible(timeout=FINISHED_WITHIN_MS)
        # Last: it is held for ten room minutes only, ten seconds here.
        await neighbour.ask("w3", CommandName.CLAIM)
        await shows(page, "w3", "claimed")
        await expect(page.locator("[data-machine=d1] .time")).to_contain_text("min left")


async def take(picture: Path) -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory(prefix="laundryd-picture-") as profile:
        async with Town(speed=60) as town, async_playwright() as playwright:
            context = await launch_chromium(playwright, Path(profile))
            page = await context.new_page()
            await page.emulate_media(color_scheme="light", reduced_motion="reduce")
            await page.set_viewport_size({"width": SIZE["width"], "height": SIZE["height"]})
            await join(page, town)
            await set_the_scene(page, town)
            await page.screenshot(path=picture, full_page=True)
            await context.close()


if __name__ == "__main__":
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(PICTURE))
    sys.stdout.write(f"{PICTURE}: {PICTURE.stat().st_size // 1024} KB\n")
