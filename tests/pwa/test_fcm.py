"""An Android device before a relay with a Firebase project, and before one without, in a real Chromium.

Google's own library registers, at a local FCM. Chromium's push service is Google's: what the browser itself
makes of a subscription stands in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Route, expect

from cloud_relay.api.application import FIREBASE
from laundryd.daemon.http_guard import HttpGuard
from laundryd.demo.fcm_account import PROJECT_ID
from laundryd.demo.fcm_service import WEB, FcmService
from laundryd.wire.bodies import FcmBody, FcmWeb, SubscriptionBody
from tests.e2e.browsers.android import ANDROID, DESKTOP, lead_to, stand_in

from .conftest import _opened, _served
from .relay_door import RelayDoor

if TYPE_CHECKING:
    from .conftest import Shell

pytestmark = pytest.mark.e2e

PROJECT = FcmWeb(project_id=PROJECT_ID, **WEB)


@pytest.fixture
async def fcm() -> AsyncIterator[FcmService]:
    async with FcmService() as service:
        yield service


class Phone:
    """A browser whose permission is given, and what it asked of whom."""

    def __init__(self, shell: Shell, relay: RelayDoor, fcm: FcmService) -> None:
        self.shell, self.relay, self.fcm = shell, relay, fcm
        self.foreign: list[str] = []
        self.chunks: list[str] = []
        self.google_is_away = False
        self.has_chunks = True

    @property
    def page(self) -> Page:
        return self.shell.page

    async def begin(self, agent: str = ANDROID) -> None:
        await self.shell.context.grant_permissions(["notifications"], origin=self.shell.address)
        await stand_in(self.shell.context, self.shell.address, self._foreign, agent=agent)
        await self.shell.context.route("**/assets/fcm-*", self._chunk)
        self.shell.context.on("request", lambda request: self._heard(request.url))

    def _heard(self, url: str) -> None:
        if "/assets/fcm-" in url:
            self.chunks.append(url)

    async def _chunk(self, route: Route) -> None:
        await (route.continue_() if self.has_chunks else route.fulfill(status=404))

    async def _foreign(self, route: Route) -> None:
        asked = urlsplit(route.request.url)
        self.foreign.append(f"{asked.scheme}://{asked.netloc}")
        if self.google_is_away:
            await route.abort()
        else:
            await lead_to(self.fcm, route)

    async def open(self) -> None:
        """Open the app, or open it again; return when the bell knows how it stands."""
        await self.page.goto("about:blank")
        await self.page.goto(f"{self.shell.address}/#page=bell")
        await self.page.locator("[data-connection=live] [data-bell-said]").wait_for()
        await self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    async def switch_on(self) -> None:
        await self.page.get_by_test_id("bell-switch").click()
        await expect(self.page.locator("[data-bell-said=on]")).to_be_visible()

    async def told(self, count: int) -> list[SubscriptionBody | FcmBody]:
        """Wait until the relay was told so many subscriptions, and return them."""
        for _ in range(500):
            if len(self.relay.subscribed) >= count:
                break
            await self.page.wait_for_timeout(20)
        assert len(self.relay.subscribed) == count
        return self.relay.subscribed


@pytest.fixture
async def phone(relay: RelayDoor, fcm: FcmService, tmp_path: Path) -> AsyncIterator[Phone]:
    """Before a relay that lets its pages ask Google; whether it has a project the test says."""
    app = HttpGuard(relay.application(), hosts=["localhost"], connects=FIREBASE)
    async with _served(app) as address, _opened(address, tmp_path / "profile") as opened:
        yield Phone(opened, relay, fcm)


async def test_without_a_project_nothing_of_googles_is_loaded_kept_or_asked(phone: Phone) -> None:
    await phone.begin()
    await phone.open()
    await phone.switch_on()
    (told,) = await phone.told(1)
    assert isinstance(told, SubscriptionBody)
    assert told.application_server_key == phone.relay.push_key
    assert (phone.chunks, phone.foreign, phone.fcm.apps.asked) == ([], [], [])
    kept = await phone.page.evaluate(
        "caches.keys().then(names => Promise.all(names.map(name => caches.open(name)"
        ".then(cache => cache.keys())))).then(found => found.flat().map(one => one.url))"
    )
    assert any("/assets/index-" in url for url in kept), "the shell is kept for offline"
    assert not [url for url in kept if "/assets/fcm-" in url]


async def test_an_android_device_registers_and_sends_its_token_at_each_start(phone: Phone) -> None:
    phone.relay.fcm = PROJECT
    await phone.begin()
    await phone.open()
    assert phone.chunks == [], "the library waits for who wants it"
    await phone.switch_on()
    (told,) = await phone.told(1)
    assert isinstance(told, FcmBody)
    assert told.token in phone.fcm.apps
    assert told.name == "Chrome on Android"
    assert phone.fcm.apps.asked == ["install", "register"]
    assert set(phone.foreign) == set(FIREBASE)
    assert {url.startswith(phone.shell.address) for url in phone.chunks} == {True}
    await phone.open()
    await expect(phone.page.locator("[data-bell-said=on]")).to_be_visible()
    assert await phone.told(2) == [told, told]
    assert phone.fcm.apps.asked == ["install", "register"], "the same token, from the browser"
    assert phone.shell.complaints == []


async def test_a_token_that_fcm_forgot_is_made_anew_without_asking(phone: Phone) -> None:
    phone.relay.fcm = PROJECT
    await phone.begin()
    await phone.open()
    await phone.switch_on()
    (told,) = await phone.told(1)
    assert isinstance(told, FcmBody)
    phone.fcm.forget(told.token)
    phone.relay.dead = told.token
    await phone.open()
    await expect(phone.page.locator("[data-bell-said=on]")).to_be_visible()
    *_, again, fresh = await phone.told(3)
    assert again == told
    assert isinstance(fresh, FcmBody)
    assert fresh.token != told.token
    assert fresh.token in phone.fcm.apps


async def test_other_devices_stay_with_web_push(phone: Phone) -> None:
    phone.relay.fcm = PROJECT
    await phone.begin(DESKTOP)
    await phone.open()
    await phone.switch_on()
    (told,) = await phone.told(1)
    assert isinstance(told, SubscriptionBody)
    assert (phone.chunks, phone.foreign) == ([], [])


async def test_where_google_is_not_reached_it_is_web_push_and_stays_so(phone: Phone) -> None:
    phone.relay.fcm, phone.google_is_away = PROJECT, True
    await phone.begin()
    await phone.open()
    await phone.switch_on()
    assert isinstance((await phone.told(1))[0], SubscriptionBody)
    asked = len(phone.foreign)
    assert asked > 0
    phone.google_is_away = False
    await phone.open()
    assert isinstance((await phone.told(2))[1], SubscriptionBody)
    assert len(phone.foreign) == asked, "not tried at each start"


async def test_a_page_older_than_its_server_has_web_push_until_it_is_the_new_one(
    phone: Phone,
) -> None:
    phone.relay.fcm, phone.has_chunks = PROJECT, False
    await phone.begin()
    await phone.open()
    await phone.switch_on()
    assert isinstance((await phone.told(1))[0], SubscriptionBody)
    assert phone.foreign == []
    phone.has_chunks = True
    await phone.open()
    assert isinstance((await phone.told(2))[1], FcmBody)


async def test_a_device_changes_over_when_the_project_comes_and_back_when_it_goes(
    phone: Phone,
) -> None:
    await phone.begin()
    await phone.open()
    await phone.switch_on()
    for project, way in ((PROJECT, FcmBody), (None, SubscriptionBody)):
        count = len(phone.relay.subscribed)
        phone.relay.fcm = project
        await phone.open()
        told = (await phone.told(count + 1))[-1]
        assert isinstance(told, way)
        await expect(phone.page.locator("[data-bell-said=on]")).to_be_visible()


async def test_switched_off_it_is_off_at_the_relay_and_in_the_browser(phone: Phone) -> None:
    phone.relay.fcm = PROJECT
    await phone.begin()
    await phone.open()
    await phone.switch_on()
    await phone.told(1)
    await phone.page.get_by_test_id("bell-off").click()
    await expect(phone.page.locator("[data-bell-said=off]")).to_be_visible()
    assert phone.relay.held is False
    await phone.open()
    await expect(phone.page.locator("[data-bell-said=off]")).to_be_visible()
    await phone.told(1)
