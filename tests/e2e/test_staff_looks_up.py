"""Chromium: a resident was not told, reads their number to the staff, and the staff's page says why."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from laundryd.demo.town import Town
from tests.e2e.browsers.fixtures import NewChromium
from tests.e2e.town import SEEN_WITHIN_MS, admin, join

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with Town(speed=1) as running:
        yield running


async def test_the_number_in_the_menu_leads_the_staff_to_the_reason(
    town: Town, new_chromium: NewChromium
) -> None:
    page = await (await new_chromium()).new_page()
    await join(page, town)
    await page.get_by_test_id("menu-open").click()
    said = await page.get_by_test_id("my-id").inner_text()
    number = re.split(r"\s", said)[-1]
    await page.goto("about:blank")
    await admin(town, "announce", "--everybody", "--title-en", "Water off", "--body-en", "Today.")

    office = await (await new_chromium()).new_page()
    await office.goto((await admin(town, "staff", "add", "Kim")).strip())
    await office.locator("[data-view=told]").click()
    await office.locator("[name=sought]").fill(number[:8])
    await office.get_by_test_id("look-find").click()
    notice = office.locator(f"[data-of='{number}'] [data-history-id]")
    # The page looks again by itself: what is under way has an end.
    await expect(notice).to_have_attribute("data-state", "unreachable", timeout=2 * SEEN_WITHIN_MS)
    await expect(notice).to_contain_text("Water off")
    await expect(notice.locator(".fate")).to_contain_text("None of their devices had its bell")
    await expect(office.get_by_text("No device of theirs has its bell")).to_be_visible()
    assert number in office.url, "the address leads back to it"
    await office.reload()
    await expect(notice).to_be_visible(timeout=SEEN_WITHIN_MS)
