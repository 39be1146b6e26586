"""Chromium, its page closed: a click on a notification leads to the room, its buttons reach the edge."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from playwright.async_api import Page

from cloud_relay.push import message
from laundryd.demo.people import Place, Resident, live_in
from laundryd.demo.sightings import Sightings
from laundryd.demo.town import Town
from laundryd.wire.bodies import MyNotices
from laundryd.wire.commands import CommandName
from laundryd.wire.machines import MachineView
from laundryd.wire.notices import Lang, NoticeCard, NoticeKind
from laundryd.wire.phases import Phase
from tests.e2e.browsers.desktop import Desktop
from tests.e2e.browsers.fixtures import NewChromium
from tests.e2e.browsers.workers import ACTIVE, Worker
from tests.e2e.town import SEEN_WITHIN_MS, join, press, shows

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

ASKED = "Somebody is waiting"
COMING, COLLECTED = "I'm coming", "Collected"
MINE_MS = 60_000
"""A programme of 12 room minutes, and the detection of its end, at 60 times."""


@pytest.fixture
async def desktop() -> AsyncIterator[Desktop]:
    async with Desktop() as running:
        yield running


class Condition(Protocol):
    def __call__(self, machine: MachineView) -> bool: ...


async def until(neighbour: Resident, condition: Condition) -> None:
    """Wait until the room's own edge says that ``condition`` holds of Washer 1."""
    async for machine in washer_1(neighbour):
        if condition(machine):
            return


async def washer_1(neighbour: Resident) -> AsyncIterator[MachineView]:
    while True:
        room = await neighbour.room()
        yield next(one for one in room.machines if one.machine == "w1")


async def push(worker: Worker, card: NoticeCard, relay_url: str) -> None:
    """Deliver what the relay would send."""
    await worker.deliver(message.payload(card, Lang.EN, public_url=relay_url).decode())


async def told(page: Page, relay_url: str, kind: NoticeKind) -> NoticeCard:
    """Return the notice of ``kind`` from the resident's list."""
    while True:
        answer = await page.request.get(f"{relay_url}/api/v1/me/notices")
        for one in MyNotices.model_validate_json(await answer.text()).notices:
            if one.notice.kind is kind:
                return one.notice


async def test_a_notification_leads_to_the_room_and_its_buttons_reach_the_edge(
    town: Town, desktop: Desktop, new_chromium: NewChromium
) -> None:
    browser = await new_chromium(DBUS_SESSION_BUS_ADDRESS=desktop.address)
    await browser.grant_permissions(["notifications"], origin=town.relay_url)
    page = await browser.new_page()
    await join(page, town)
    await press(page, "w1", "start")
    await page.locator("[data-machine=w1] [data-minutes=none]").click()
    await shows(page, "w1", "in_use")
    town.plug("w1").run_programme(12)
    finished = page.locator("[data-machine=w1][data-phase=finished]")
    await finished.wait_for(timeout=MINE_MS)
    await page.wait_for_function(ACTIVE)
    worker = Worker(await browser.new_cdp_session(page), town.relay_url)
    await worker.find()

    async with live_in(town, Sightings(), [("neighbour", Place.AWAY)]) as (neighbour,):
        await neighbour.ask("w1", CommandName.REQUEST_PICKUP)
        asked = await told(page, town.relay_url, NoticeKind.PICKUP_REQUESTED)
        # From here on no page of the app is open: the worker alone is left.
        await page.goto("about:blank")

        await push(worker, asked, town.relay_url)
        shown = await desktop.until_shown(ASKED)
        assert "Washer 1: please collect your laundry." in shown.body
        assert {COMING, COLLECTED} <= set(shown.buttons)
        async with browser.expect_page(timeout=SEEN_WITHIN_MS) as opened:
            desktop.press(shown)
        room = await opened.value
        await room.wait_for_url(f"{town.relay_url}/#room={town.room.key}", timeout=SEEN_WITHIN_MS)
        await room.locator(f"main[data-room='{town.room.key}']").wait_for()
        await room.close()

        await push(worker, asked, town.relay_url)
        desktop.press(await desktop.until_shown(ASKED, 2), COMING)
        await until(neighbour, lambda machine: machine.owner_coming_at is not None)

        # Shown on another device, too, and tapped there: one wish, done once, and refused to nobody.
        await push(worker, asked, town.relay_url)
        desktop.press(await desktop.until_shown(ASKED, 3), COMING)
        await push(worker, asked, town.relay_url)
        desktop.press(await desktop.until_shown(ASKED, 4), COLLECTED)
        await until(neighbour, lambda machine: machine.phase is Phase.FREE)
        assert len(desktop.shown) == 4, "an answer that was taken needs no words"

        await town.kill_edge()
        await push(worker, asked.model_copy(update={"id": "f" * 32}), town.relay_url)
        desktop.press(await desktop.until_shown(ASKED, 5), COMING)
        refused = await desktop.until_shown(ASKED, 6)
        assert "The laundry room was not reached. Open the app and look." in refused.body
        assert COMING not in refused.buttons
        await town.start_edge()
