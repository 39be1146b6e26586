"""Chromium: staff writes an announcement; residents see it at the relay's page and at the room's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from laundryd.demo.town import Town
from tests.e2e.browsers.fixtures import NewChromium
from tests.e2e.town import SEEN_WITHIN_MS, admin, go_to_the_rooms_own_page, join, live

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

TITLE = "Water off"
BANNER = "[data-announcement][data-kind=maintenance]"
NOTICE = "[data-notice-kind=announcement]"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """As real: an announcement lasts for days, and nobody waits for its end."""
    async with Town(speed=1) as running:
        yield running


async def sign_in(page: Page, town: Town) -> None:
    """Open the link that the admin made."""
    await page.goto((await admin(town, "staff", "add", "Kim")).strip())
    await expect(page.get_by_test_id("announce")).to_be_visible(timeout=SEEN_WITHIN_MS)
    assert page.url.endswith("#staff"), "the secret stays in the address"


async def write(page: Page) -> None:
    """Announce something to the town's room, in both languages, now."""
    await page.locator("[name=target]").select_option("maple-hall.basement")
    await page.locator("[name=title-en]").fill(TITLE)
    await page.locator("[name=body-en]").fill("On Tuesday from 9 to 12.")
    await page.locator("[name=title-ko]").fill("단수 안내")
    await page.locator("[name=body-ko]").fill("화요일 9시부터 12시까지 물이 나오지 않아요.")
    await page.get_by_test_id("announce-send").click()
    await expect(page.locator("[data-announcement][data-state]")).to_have_count(1)


async def test_it_is_told_once_at_both_pages_and_shown_until_it_is_taken_back(
    town: Town, new_chromium: NewChromium
) -> None:
    far = await (await new_chromium()).new_page()
    await join(far, town)
    near = await (await new_chromium(locale="ko-KR")).new_page()
    await join(near, town)
    await go_to_the_rooms_own_page(near, town)
    office = await (await new_chromium()).new_page()
    await sign_in(office, town)
    await write(office)

    await expect(far.locator(NOTICE)).to_contain_text(TITLE, timeout=SEEN_WITHIN_MS)
    await expect(near.locator(NOTICE)).to_contain_text("단수 안내", timeout=SEEN_WITHIN_MS)
    seen = office.locator("[data-count=on_socket] dd")
    await expect(seen).to_have_text("2", timeout=SEEN_WITHIN_MS)
    await expect(office.locator("[data-count=failed] dd")).to_have_text("0")
    for page in (far, near):
        await page.get_by_test_id("notice-dismiss").click()
        await expect(page.locator(NOTICE)).to_have_count(0)
        await expect(page.locator(BANNER)).to_be_visible(timeout=SEEN_WITHIN_MS)
    await expect(office.locator("[data-count=read] dd")).to_have_text("2", timeout=SEEN_WITHIN_MS)

    # The room goes on showing it by itself, over a power cut, with the cloud away.
    town.broker.stop()
    await town.kill_edge()
    await town.start_edge()
    await near.reload()
    await live(near)
    await expect(near.locator(BANNER)).to_be_visible(timeout=SEEN_WITHIN_MS)
    town.broker.start()

    await office.get_by_test_id("announcement-cancel").click()
    await office.get_by_test_id("announcement-cancel").click()
    await expect(office.locator("[data-state=cancelled]")).to_be_visible(timeout=SEEN_WITHIN_MS)
    for page in (far, near):
        await expect(page.locator(BANNER)).to_have_count(0, timeout=2 * SEEN_WITHIN_MS)


async def test_what_the_admin_announces_beside_the_relay_is_told_and_revoked_staff_is_out(
    town: Town, new_chromium: NewChromium
) -> None:
    page = await (await new_chromium()).new_page()
    await join(page, town)
    words = (
        "--everybody",
        "--kind",
        "maintenance",
        "--title-en",
        TITLE,
        "--body-en",
        "Until noon.",
    )
    assert "scheduled" in await admin(town, "announce", *words)
    await expect(page.locator(NOTICE)).to_contain_text(TITLE, timeout=SEEN_WITHIN_MS)

    office = await (await new_chromium()).new_page()
    await sign_in(office, town)
    await admin(town, "staff", "revoke", "Kim")
    await office.reload()
    await expect(office.locator("[data-problem=staff_only]")).to_be_attached(timeout=SEEN_WITHIN_MS)
