from __future__ import annotations

import pytest
from playwright.async_api import Page

from tests.e2e.browsers.fixtures import NewChromium
from tests.e2e.browsers.push_site import PushSite

pytestmark = pytest.mark.e2e


async def test_a_chromium_opens_a_page_and_its_worker_runs(
    chromium_page: Page, push_site: PushSite
) -> None:
    await chromium_page.goto(f"{push_site.origin}/")
    scope = await chromium_page.evaluate("navigator.serviceWorker.ready.then(r => r.scope)")
    assert scope == f"{push_site.origin}/"


async def test_two_residents_have_nothing_in_common(
    new_chromium: NewChromium, push_site: PushSite
) -> None:
    languages, stored = [], []
    for locale in ("ko-KR", "en-GB"):
        context = await new_chromium(locale=locale)
        page = await context.new_page()
        await page.goto(f"{push_site.origin}/")
        languages.append(await page.evaluate("navigator.language"))
        stored.append(await page.evaluate("localStorage.getItem('seen')"))
        await page.evaluate("localStorage.setItem('seen', 'yes')")
    assert languages == ["ko-KR", "en-GB"]
    assert stored == [None, None]
