"""Chromium: one resident at the relay's page, one at the room's own, both see what a third does."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from laundryd.demo.people import Place, live_in
from laundryd.demo.sightings import Sightings
from laundryd.demo.town import Town
from laundryd.wire.commands import CommandName
from tests.e2e.browsers.fixtures import NewChromium
from tests.e2e.town import SEEN_WITHIN_MS, go_to_the_rooms_own_page, join, press, shows

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def test_a_change_made_by_a_third_is_seen_on_both_pages(
    town: Town, new_chromium: NewChromium
) -> None:
    far = await (await new_chromium()).new_page()
    await join(far, town)
    near = await (await new_chromium(locale="ko-KR")).new_page()
    await join(near, town)
    await go_to_the_rooms_own_page(near, town)
    assert "#" not in near.url, "the voucher stays in the address"
    await expect(near.locator("html")).to_have_attribute("lang", "ko")

    async with live_in(town, Sightings(), [("third", Place.AWAY)]) as (third,):
        await third.ask("w1", CommandName.CLAIM)
        for page in (far, near):
            await shows(page, "w1", "claimed")
        town.plug("d1").run_programme(12)
        for page in (far, near):
            await shows(page, "d1", "in_use")


async def test_the_whole_flow_by_buttons_from_either_page(
    town: Town, new_chromium: NewChromium
) -> None:
    browser = await new_chromium()
    far, near = await browser.new_page(), await browser.new_page()
    await join(far, town)
    await near.goto(town.relay_url)
    await go_to_the_rooms_own_page(near, town)
    # The same resident on both pages: begun at the relay, gone on with in the room.
    await press(far, "w2", "claim")
    await shows(near, "w2", "claimed")
    await press(near, "w2", "arrive")
    await shows(far, "w2", "arrived")
    await press(near, "w2", "start")
    await near.locator("[data-machine=w2] [data-minutes=none]").click()
    await shows(far, "w2", "in_use")
    town.plug("w2").run_programme(12)
    for page in (near, far):
        await shows(page, "w2", "finished")
    await press(far, "w2", "collect")
    await shows(near, "w2", "free")


async def test_a_resident_who_looks_is_told_once_on_the_page(
    town: Town, new_chromium: NewChromium
) -> None:
    page = await (await new_chromium()).new_page()
    await join(page, town)
    await press(page, "w3", "start")
    await page.locator("[data-machine=w3] [data-minutes=none]").click()
    town.plug("w3").run_programme(12)
    told = page.locator("[data-notice-kind=done][data-machine-ref=w3]")
    await expect(told).to_be_visible(timeout=SEEN_WITHIN_MS * 2)
    await expect(told).to_have_count(1)
    await page.reload()
    await shows(page, "w3", "finished")
    await expect(page.locator("[data-connection=live]")).to_be_attached(timeout=SEEN_WITHIN_MS)
    await expect(told).to_have_count(0)
