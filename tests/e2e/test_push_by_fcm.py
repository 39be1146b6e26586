"""An Android device, its page closed, is told by FCM: Google's own libraries at both ends of a local one."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import expect

from laundryd.demo.fcm_service import FcmService
from laundryd.demo.town import Town
from laundryd.wire.notices import NoticeKind
from tests.e2e.browsers.android import lead_to, stand_in
from tests.e2e.browsers.desktop import Desktop
from tests.e2e.browsers.fixtures import NewChromium
from tests.e2e.browsers.workers import ACTIVE, Worker
from tests.e2e.town import join, press, shows

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

TOLD_WITHIN_S = 90.0


async def test_a_closed_page_on_android_gets_its_wash_by_fcm_once(
    new_chromium: NewChromium,
) -> None:
    async with FcmService() as fcm, Town(speed=60, fcm=fcm) as town, Desktop() as desktop:
        browser = await new_chromium(DBUS_SESSION_BUS_ADDRESS=desktop.address)
        await browser.grant_permissions(["notifications"], origin=town.relay_url)
        await stand_in(browser, town.relay_url, lambda route: lead_to(fcm, route))
        page = await browser.new_page()
        await join(page, town)
        await page.locator("[data-bell=off]").click()
        await expect(page.locator("[data-bell=on]")).to_be_visible()
        await press(page, "w1", "start")
        await page.locator("[data-machine=w1] [data-minutes=none]").click()
        await shows(page, "w1", "in_use")
        await page.wait_for_function(ACTIVE)
        worker = Worker(await browser.new_cdp_session(page), town.relay_url)
        await worker.find()
        town.plug("w1").run_programme(12)
        await page.goto("about:blank")

        await fcm.until(lambda: bool(fcm.messages), TOLD_WITHIN_S, "the wash at FCM")
        (message,) = fcm.messages
        shown = message.payload["notification"]
        assert isinstance(shown, dict)
        assert shown["data"]["kind"] == NoticeKind.DONE
        assert message.topic == shown["tag"] == shown["data"]["notice_id"]
        assert message.token in fcm.apps
        assert town.push.posts == [], "one way, not both"
        await worker.deliver(json.dumps(message.payload))
        seen = await desktop.until_shown("Done")
        assert "Washer 1 is done. Please collect your laundry." in seen.body
